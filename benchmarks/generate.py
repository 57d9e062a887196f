"""Make a registry of any size through the public bulk import, in minutes.

    python benchmarks/generate.py FOLDER [--versions 1000000] [--entries 10000] [--scores 10]

Writes Parquet files with DuckDB and imports them into a new registry at FOLDER. The same options
give the same content: values come from hashes of row numbers, not from chance. Prints the time
of each step and the peak memory.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import duckdb

import regista
from regista.write.importing import STEPS

UNIT = "(hash({}) % 1000000) / 1000000.0"
TABLES = {
    "entries": """
        SELECT printf('team-%02d/model-%06d', e % 50, e) AS entry, 'model' AS kind,
            'Generated for a benchmark' AS description
        FROM range($entries) t(e)
    """,
    "versions": """
        SELECT printf('team-%02d/model-%06d', e % 50, e) AS entry, v // $entries + 1 AS version,
            's3://bucket/models/' || e || '/' || (v // $entries + 1) AS uri,
            100000000 + hash(v) % 900000000 AS bytes, 'run-' || v AS run,
            left(sha256('code' || v // 100), 12) AS code,
            '{"learning_rate": "0.0' || 1 + hash(v + 1) % 9 || '", "depth": "'
                || 4 + hash(v + 2) % 8 || '"}' AS params
        FROM (SELECT v, v % $entries AS e FROM range($versions) t(v))
    """,
    "tags": """
        SELECT printf('team-%02d/model-%06d', e % 50, e) AS entry, NULL::BIGINT AS version,
            'owner' AS key, 'team-' || e % 50 AS value
        FROM range($entries) t(e)
    """,
    "aliases": """
        SELECT printf('team-%02d/model-%06d', e % 50, e) AS entry, 'champion' AS alias,
            1 AS version
        FROM range(least($entries, $versions)) t(e)
    """,
    "placements": """
        SELECT printf('team-%02d/model-%06d', e % 50, e) AS entry, stage, 1 AS version
        FROM range(least($entries, $versions)) t(e), (VALUES ('staging'), ('prod')) s(stage)
    """,
    "eval_runs": """
        SELECT v::VARCHAR AS run_id, printf('team-%02d/model-%06d', e % 50, e) AS entry,
            v // $entries + 1 AS version, 'holdout' AS suite, 'holdout-2026' AS dataset,
            'bench' AS harness
        FROM (SELECT v, v % $entries AS e FROM range($versions) t(v))
    """,
    "eval_scores": """
        SELECT (s // $scores)::VARCHAR AS run_id,
            CASE s % $scores WHEN 0 THEN 'accuracy' ELSE 'metric_' || s % $scores END AS metric,
            (hash(s) % 1000000) / 1000000.0 AS value,
            (hash(s + 1) % 1000) / 100000.0 AS stderr, 1000 AS n, true AS higher_is_better
        FROM range($versions * $scores) t(s)
    """,
}


class Clock:
    """Prints how long each step of an import took."""

    def __init__(self) -> None:
        self.names = iter(STEPS)
        self.last = time.monotonic()

    def start(self, total: int) -> None:
        """Hear how many steps there are."""
        assert total == len(STEPS)

    def advance(self, count: int) -> None:
        """Hear that a step is done."""
        for _ in range(count):
            self.tell(next(self.names))

    def tell(self, name: str) -> None:
        """Print the time since the last call."""
        now = time.monotonic()
        print(f"{name:<12}{now - self.last:8.1f} s   peak {peak_mb():,} MB", flush=True)
        self.last = now


def peak_mb() -> int:
    """Return this process's peak memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def write_files(folder: Path, sizes: dict[str, int]) -> None:
    """Write the Parquet files to import."""
    with duckdb.connect(config={"memory_limit": "500MB", "temp_directory": str(folder)}) as con:
        con.execute("SET enable_progress_bar = false")
        for table, query in TABLES.items():
            used = {name: value for name, value in sizes.items() if f"${name}" in query}
            con.execute(
                f"COPY ({query}) TO '{folder}/{table}.parquet' (FORMAT parquet, COMPRESSION zstd)",
                used,
            )


def main() -> None:
    """Generate and import."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", help="where the registry is to be made, a URI too")
    parser.add_argument("--versions", type=int, default=1_000_000)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--scores", type=int, default=10, help="scores of each version")
    options = parser.parse_args()
    sizes = {"versions": options.versions, "entries": min(options.entries, options.versions),
             "scores": options.scores}  # fmt: skip
    clock, begun = Clock(), time.monotonic()
    registry = regista.init(options.folder, actor="benchmark").registry
    # beside it, where it is in a folder: that disk has the room
    beside = None if "://" in options.folder else Path(options.folder).resolve().parent
    with tempfile.TemporaryDirectory(dir=beside) as name:
        write_files(Path(name), sizes)
        clock.tell("generate")
        done = registry.import_bulk(name, source="benchmarks/generate.py", progress=clock)
    for warning in registry.writer.warnings:
        print(f"warning: {warning}")
    print(f"{sum(done.rows.values()):,} rows in {time.monotonic() - begun:.1f} s,"
          f" peak {peak_mb():,} MB")  # fmt: skip


if __name__ == "__main__":
    main()
