"""A promote with ten gates over many scores and paired samples, against a bare DuckDB query.

    python benchmarks/gates.py [--scores 100000000] [--samples 10000000] [--folder DIR] [--rounds 3]

The registry is made through the public bulk import, unless DIR holds one already: two versions of
one entry whose runs have so many samples each, half of them right or wrong and half of them losses,
and other versions with all the scores. The bare query reads the same evidence from the same files:
the scores of both runs, and the pairs joined, with the counts and sums that the tests need. One
thread each, one process each. Prints Markdown.
"""

import argparse
import tempfile
from multiprocessing import get_context
from pathlib import Path

import duckdb
from measuring import PYTHON, REGISTA, cpu_seconds, heading, interleaved, peak_mb, row, seconds

import regista

NAME, SUITE, PER_VERSION, SLICES = "fraud/card", "holdout", 1000, 50
BASE = f"suite: {SUITE}, metric: acc"
GATES = (
    f"threshold: {{{BASE}, min: 0.5, min_n: 100}}",
    f"coverage: {{suite: {SUITE}, metrics: [acc, loss]}}",
    f"freshness: {{suite: {SUITE}, max_age: 3650d}}",
    f"overuse: {{suite: {SUITE}, max_evaluations: 1000}}",
    "lineage: {require: [code]}",
    f"baseline: {{id: plain, {BASE}, max_regression: 0.05}}",
    f"baseline: {{id: slices, {BASE}, max_regression: 0.5, slices: all}}",
    f"baseline: {{id: mcnemar, {BASE}, test: mcnemar, max_regression: 0.01}}",
    f"baseline: {{id: t, suite: {SUITE}, metric: loss, test: paired_t, max_regression: 0.01}}",
    f"baseline: {{suite: {SUITE}, metric: loss, test: paired_bootstrap, max_regression: 0.01}}",
)
HEAD = "format: 1\nstages: [dev, prod]\non_register: dev\nungated: allow\n"
POLICY = f"{HEAD}rules:\n  - stage: prod\n    gates:\n" + "".join(f"      - {g}\n" for g in GATES)

# equal options give equal content: values come from hashes of row numbers
UNIT = "(hash({}) % 1000000) / 1000000.0"
TABLES = {
    "entries": f"SELECT '{NAME}' AS entry, 'model' AS kind UNION ALL SELECT 'other', 'model'",
    "versions": f"""
        SELECT '{NAME}' AS entry, v AS version, 's3://bucket/' || v AS uri, 'abc' AS code
        FROM range(1, 3) t(v)
        UNION ALL SELECT 'other', v, 's3://other/' || v, 'abc' FROM range(1, $others + 1) t(v)
    """,
    "placements": f"SELECT '{NAME}' AS entry, 'prod' AS stage, 1 AS version",
    "eval_runs": f"""
        SELECT 'c' || v AS run_id, '{NAME}' AS entry, v AS version, '{SUITE}' AS suite,
            'd' AS dataset
        FROM range(1, 3) t(v)
        UNION ALL SELECT 'o' || v, 'other', v, '{SUITE}', 'd' FROM range(1, $others + 1) t(v)
    """,
    "eval_scores": f"""
        SELECT 'c' || v AS run_id, metric, slice, 0.8 + v / 1000 AS value, $samples // 2 AS n,
            metric = 'acc' AS higher_is_better
        FROM range(1, 3) t(v), (VALUES ('acc'), ('loss')) m(metric),
            (SELECT '' AS slice UNION ALL SELECT 'class=' || s FROM range({SLICES}) t(s)) s
        UNION ALL
        SELECT 'o' || (1 + s // {PER_VERSION}), 'm' || s % {PER_VERSION}, '', {UNIT.format("s")},
            1000, true
        FROM range($others * {PER_VERSION}) t(s)
    """,
    "eval_samples": f"""
        SELECT 'c' || v AS run_id, printf('s%09d', k // 2) AS sample_id,
            CASE k % 2 WHEN 0 THEN 'acc' ELSE 'loss' END AS metric,
            CASE k % 2
                WHEN 0 THEN CAST({UNIT.format("k + CASE WHEN hash(k) % 9 THEN 0 ELSE v END")} < 0.8
                    AS DOUBLE)
                ELSE {UNIT.format("k")} + {UNIT.format("k * 2 + v")} / 10
            END AS value
        FROM range(1, 3) t(v), range($samples) s(k)
    """,
}  # fmt: skip
BARE = """
import duckdb
con = duckdb.connect(config={"threads": 1})
scores = "read_parquet('DATA/eval_scores/*.parquet')"
con.execute(f"SELECT * FROM {scores} WHERE run_id IN ('OURS', 'THEIRS')").fetchall()
for metric in ("acc", "loss"):
    one, other = (
        "(SELECT sample_id, value FROM read_parquet('DATA/eval_samples/*.parquet')"
        f" WHERE metric = '{metric}' AND run_id = '{run}')"
        for run in ("OURS", "THEIRS")
    )
    print(con.execute(
        "SELECT count(*), count(*) FILTER (x = 1 AND y = 0), count(*) FILTER (x = 0 AND y = 1),"
        " sum(x - y), sum((x - y) ** 2), sum((x - y) ** 3), sum((x - y) ** 4), min(x), max(x)"
        f" FROM (SELECT a.value AS x, b.value AS y FROM {one} a JOIN {other} b USING (sample_id))"
    ).fetchall())
"""


def make(root: Path, scores: int, samples: int) -> None:
    """Make the registry, with version 1 in prod."""
    registry = regista.init(str(root), actor="benchmark").registry
    sizes = {"others": max(1, scores // PER_VERSION), "samples": samples}
    with tempfile.TemporaryDirectory(dir=root.parent) as name:
        folder = Path(name)
        with duckdb.connect(config={"memory_limit": "500MB", "temp_directory": name}) as con:
            con.execute("SET enable_progress_bar = false")
            for table, query in TABLES.items():
                used = {key: value for key, value in sizes.items() if f"${key}" in query}
                target = f"'{folder}/{table}.parquet' (FORMAT parquet, COMPRESSION zstd)"
                con.execute(f"COPY ({query}) TO {target}", used)
        (folder / "open.yaml").write_text(HEAD)
        (folder / "policy.yaml").write_text(POLICY)
        registry.apply_policy(folder / "open.yaml")
        registry.import_bulk(folder, source="benchmarks/gates.py")
        registry.apply_policy(folder / "policy.yaml")


def main() -> None:
    """Make it and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", type=int, default=100_000_000)
    parser.add_argument("--samples", type=int, default=10_000_000, help="of each of the two runs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".benchmark-") as scratch:
        root = options.folder or Path(scratch) / "registry"
        if not (root / "registry.json").exists():
            # in a process of its own: a child's peak memory starts from its parent's
            maker = get_context("spawn").Process(
                target=make, args=(root, options.scores, options.samples)
            )
            maker.start()
            maker.join()
            if maker.exitcode:
                raise SystemExit(f"the registry could not be made (exit code {maker.exitcode})")
        measure(root, Path(scratch) / "bare.py", options)


def measure(root: Path, script: Path, options: argparse.Namespace) -> None:
    """Measure a promote against the bare query, in turn."""
    registry = regista.open(str(root), actor="benchmark")
    found = registry.sql(
        f"SELECT run_id FROM eval_runs WHERE entry = '{NAME}' ORDER BY version"
    ).fetchall()
    ours, theirs = found[1][0], found[0][0]
    text = BARE.replace("DATA", str(root / "data"))
    script.write_text(text.replace("OURS", ours).replace("THEIRS", theirs))

    def promote() -> list[str]:
        # each puts the other version in prod, so that there is always something to decide
        holder = regista.open(str(root)).resolve(f"{NAME}@prod").version
        return [*REGISTA, "--registry", str(root), "promote", f"{NAME}@{3 - holder}", "--to",
                "prod"]  # fmt: skip

    bare = [PYTHON, str(script)]
    heading(f"Ten gates: {options.scores:,} scores, {options.samples:,} samples of each run")
    taken = interleaved(
        {"promote": lambda: seconds(promote()), "bare": lambda: seconds(bare)}, options.rounds
    )
    # processor time beside wall time, which other work on the machine stretches
    spent = interleaved(
        {"promote": lambda: cpu_seconds(promote()), "bare": lambda: cpu_seconds(bare)},
        options.rounds,
    )
    peaks = {"bare": peak_mb(bare)[1], "promote": peak_mb(promote())[1]}
    for name, what in (("bare", "bare DuckDB query"), ("promote", "regista promote")):
        row(
            what,
            f"{taken[name]:.2f} s, {spent[name]:.2f} s of CPU, {peaks[name]:.0f} MB",
            f"{taken[name] / taken['bare']:.2f}, CPU {spent[name] / spent['bare']:.2f}",
            "2" if name == "promote" else "",
        )


if __name__ == "__main__":
    main()
