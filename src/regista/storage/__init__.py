"""Storage: the log, blobs, checkpoints and table files over one small Store protocol."""
