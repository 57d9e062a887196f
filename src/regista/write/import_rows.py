"""Making the rows of an import: one data file per table, from the checked views of a folder.

Every row's identity is worked out from what is given, never from where the commit will land:
`entry_id` from the import and the entry's name, `run_id` from the import and the run's given id.
Files are in the order of their tables, so that a look-up reads little of them. Of several runs
of one suite and version, the later row of `eval_runs.parquet` is the later run.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from regista.decide.heads import Status
from regista.model import canonical
from regista.model.commit import DataRef, Row
from regista.model.names import SHORT_TEXT
from regista.read.duck import quoted
from regista.storage.store import Store
from regista.write.bulk import json_lines, write_lines, write_relation
from regista.write.sample_rules import sorted_object

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ID_DIGITS = 16
# where to find the digest of a version that keeps its artifacts elsewhere; see `Manifest.to_bytes`
_URI_MANIFEST = """sha256('{"files":[],"format":1,"uri":' || to_json(uri)::VARCHAR || '}')"""


def entry_rows(con: "DuckDBPyConnection", folder: Path, registry: str, import_: str) -> list[Row]:
    """Return the rows of `entries`, and make the table `ids` of entry, entry_id and kind.

    Args:
        con: where the folder's views are.
        folder: an existing local folder for temporary files.
        registry: id of the registry.
        import_: digest of what is imported.
    """
    found = con.execute("SELECT entry, kind FROM given_entries ORDER BY entry").fetchall()
    rows: list[Row] = [
        {"entry_id": f"x{canonical.digest([registry, import_, entry])[:_ID_DIGITS]}",
         "entry": entry, "kind": kind}
        for entry, kind in found
    ]  # fmt: skip
    path = folder / "ids.jsonl"
    write_lines(path, rows)
    columns = dict.fromkeys(("entry_id", "entry", "kind"), "VARCHAR")
    con.execute(f"CREATE TABLE ids AS FROM {json_lines(path, columns)}")
    return rows


def make_views(con: "DuckDBPyConnection", import_: str) -> None:
    """Make the views that the tables' queries share: versions and runs with their identities."""
    con.execute(f"""
        CREATE VIEW known_versions AS
        SELECT i.entry_id, i.kind, v.* EXCLUDE (position, digest, files, bytes),
            coalesce(v.digest, m.manifest, {_URI_MANIFEST}) AS digest,
            coalesce(m.files, 0) AS files, coalesce(m.bytes, v.bytes, 0) AS bytes
        FROM given_versions v JOIN ids i USING (entry)
        LEFT JOIN manifests m USING (entry, version)
    """)
    con.execute(f"""
        CREATE VIEW known_runs AS
        SELECT i.entry_id, r.* EXCLUDE (run_id), r.run_id AS given_id,
            {quoted(f"x{import_[:_ID_DIGITS]}-")} || r.run_id AS run_id
        FROM given_eval_runs r JOIN ids i USING (entry)
    """)


def write_tables(store: Store, con: "DuckDBPyConnection", folder: Path) -> list[DataRef]:
    """Store the rows of every table but `entries`; return the references, in folding order.

    Raises:
        StorageError: a file cannot be written.
    """
    refs = []
    for table, query in _QUERIES.items():
        rows = _count(con, _COUNTED.get(table, f"given_{table}"))
        if rows:
            ref = write_relation(store, con, folder, table, query, rows=rows)
            if ref.rows:
                refs.append(ref)
    return refs


def _count(con: "DuckDBPyConnection", view: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {view}").fetchone()
    return int(row[0]) if row else 0


def _short(column: str) -> str:
    return f"CASE WHEN strlen({column}) <= {SHORT_TEXT} THEN {column} END AS {column}"


def _digest(column: str) -> str:
    return f"CASE WHEN strlen({column}) > {SHORT_TEXT} THEN sha256({column}) END AS {column}_digest"


_COUNTED = {"descriptions": "given_versions", "lineage": "given_versions"}
_QUERIES = {
    "versions": f"""
        SELECT entry_id, entry, kind, version::INTEGER AS version, digest, label, files, bytes,
            uri, run, code, params, {_short("card")}, {_digest("card")}, source
        FROM known_versions ORDER BY entry_id, version
    """,
    "files": """
        SELECT entry_id, entry, version::INTEGER AS version, path, size, sha256
        FROM given_files JOIN ids USING (entry) ORDER BY entry_id, version, path
    """,
    # a version's own run, code and uri are lineage too, as for one that is registered
    "lineage": """
        WITH given AS (
            SELECT entry, version, relation, target, 0 AS own, position FROM given_lineage
            UNION ALL
            SELECT entry, version, relation, target, 1 AS own, position FROM (
                UNPIVOT (SELECT entry, version, run, code, uri, position FROM given_versions)
                ON run, code, uri INTO NAME relation VALUE target
            )
        ), named AS (
            SELECT entry || '@' || version AS target, entry_id, version, digest FROM known_versions
        )
        SELECT i.entry_id, g.entry, g.version::INTEGER AS version, g.relation, g.target,
            t.entry_id AS target_entry_id, t.version::INTEGER AS target_version,
            t.digest AS target_digest
        FROM given g JOIN ids i USING (entry)
        LEFT JOIN named t ON t.target = g.target AND g.own = 0
        ORDER BY i.entry_id, g.version, g.own, g.position, g.relation
    """,
    "tags": """
        SELECT entry_id, entry, version::INTEGER AS version, key, value
        FROM given_tags JOIN ids USING (entry) ORDER BY entry_id, version, key
    """,
    "descriptions": f"""
        WITH given AS (
            SELECT entry, NULL::INTEGER AS version, description FROM given_entries
            UNION ALL SELECT entry, version::INTEGER, description FROM given_versions
        )
        SELECT entry_id, entry, version, {_short("description")}, {_digest("description")}
        FROM given JOIN ids USING (entry) WHERE given.description IS NOT NULL
        ORDER BY entry_id, version
    """,
    "aliases": """
        SELECT entry_id, entry, alias, version::INTEGER AS version
        FROM given_aliases JOIN ids USING (entry) ORDER BY entry_id, alias
    """,
    "eval_runs": """
        WITH named AS (
            SELECT entry || '@' || version AS target, entry_id, version, digest FROM known_versions
            WHERE kind = 'dataset'
        )
        SELECT r.entry_id, r.entry, r.version::INTEGER AS version, r.run_id, r.suite,
            coalesce(r.status, 'complete') AS status, r.dataset, d.entry_id AS dataset_entry_id,
            d.version::INTEGER AS dataset_version, d.digest AS dataset_digest, r.harness,
            r.harness_version, r.code, coalesce(s.scores, 0) AS scores,
            coalesce(p.samples, 0) AS samples, r.note
        FROM known_runs r
        LEFT JOIN (SELECT run_id, count(*) AS scores FROM given_eval_scores GROUP BY 1) s
            ON s.run_id = r.given_id
        LEFT JOIN (SELECT run_id, count(*) AS samples FROM given_eval_samples GROUP BY 1) p
            ON p.run_id = r.given_id
        LEFT JOIN named d ON d.target = r.dataset
        ORDER BY r.entry_id, r.version, r.suite, r.position
    """,
    "eval_scores": """
        SELECT r.entry_id, r.entry, r.version::INTEGER AS version, r.run_id, r.suite,
            coalesce(s.task, '') AS task, s.metric, coalesce(s.slice, '') AS slice, s.value,
            s.stderr, s.n, s.higher_is_better
        FROM given_eval_scores s JOIN known_runs r ON r.given_id = s.run_id
        ORDER BY r.entry_id, r.version, r.suite, r.position, coalesce(s.task, ''), s.metric,
            coalesce(s.slice, '')
    """,
    "eval_samples": f"""
        SELECT r.entry_id, r.entry, r.version::INTEGER AS version, r.run_id, r.suite,
            coalesce(s.task, '') AS task, s.sample_id, s.metric, s.value, s.passed,
            {sorted_object("s.slices")} AS slices,
            s.latency_s, s.cost_usd, s.tokens_in, s.tokens_out
        FROM given_eval_samples s JOIN known_runs r ON r.given_id = s.run_id
        ORDER BY r.entry_id, r.version, r.suite, r.position, s.task, s.metric, s.sample_id
    """,
    "placements": """
        SELECT entry_id, entry, stage, version::INTEGER AS to_version, 'imported' AS action, reason
        FROM given_placements JOIN ids USING (entry) ORDER BY entry_id, stage
    """,
    "statuses": f"""
        SELECT entry_id, entry, version::INTEGER AS version, {quoted(Status.ACTIVE)} AS from_status,
            status, reason
        FROM given_statuses JOIN ids USING (entry) ORDER BY entry_id, version
    """,
}
