"""The static site: pages, feeds and files that are a function of one registry at one seq."""
