"""Eval files that other tools write, one small adapter each; `protocol.py` says what one is."""
