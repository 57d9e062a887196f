"""Pages of the site, one module per family."""
