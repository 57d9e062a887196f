"""The static site: registry state and history as pages and JSON, from one pinned commit."""
