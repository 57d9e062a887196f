"""The version of this package, and how it signs the commits that it writes."""

__version__ = "0.1.0"


def engine() -> str:
    """Return the writer's name and version, and those of the engine that runs SQL gates."""
    import duckdb

    return f"regista/{__version__} duckdb/{duckdb.__version__}"
