"""Whole registries on the move: mirrors, and backups in one file."""
