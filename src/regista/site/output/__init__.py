"""Where a site goes: what takes its files, and how it is published whole."""
