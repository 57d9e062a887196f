"""Decisions: pure functions of a pinned state and a policy. No I/O, no third party."""
