"""The use cases: one method per operation, for the command line, Python and the site alike."""
