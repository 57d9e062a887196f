"""The read side: state from heads and the log's tail, tables through DuckDB."""
