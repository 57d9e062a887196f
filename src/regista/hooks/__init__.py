"""Lifecycle hooks: commands and webhooks that may veto a commit, or hear of it afterwards."""
