"""Statistical tests in decimals and whole numbers: pure, and the same on every machine."""
