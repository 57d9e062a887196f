"""The static site: a pure function of a registry at one commit."""
