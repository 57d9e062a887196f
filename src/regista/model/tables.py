"""The tables of a registry: their columns, types, grain and sort order.

This is the one place that says what a row of each table holds. The log carries rows as JSON
objects without the four common columns; the tabler adds these. Types are DuckDB's names. A
DOUBLE travels through the log as a decimal string. TIMESTAMP is UTC.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, its DuckDB type, and what it means."""

    name: str
    type: str
    doc: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: one row per `grain`; merged files are sorted by `order`."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    order: tuple[str, ...] = ("seq", "i")

    @property
    def column_names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)


def _columns(text: str) -> tuple[Column, ...]:
    result = []
    for line in text.strip().splitlines():
        name, type_, doc = line.strip().split(maxsplit=2)
        result.append(Column(name, type_, doc))
    return tuple(result)


_COMMON = _columns("""
    seq BIGINT number of the commit that added the row
    i BIGINT position of the row within its commit
    time TIMESTAMP recorded time of the commit, UTC
    actor VARCHAR who made the commit
""")
_ENTRY = _columns("""
    entry_id VARCHAR identity of the entry, kept through renames
    entry VARCHAR name of the entry when the row was written
""")
_VERSION = (*_ENTRY, Column("version", "INTEGER", "version number, from 1"))

ENTRY_ORDER = ("entry_id", "seq", "i")
VERSION_ORDER = ("entry_id", "version", "seq", "i")


def _table(
    name: str,
    grain: str,
    lead: tuple[Column, ...],
    text: str,
    order: tuple[str, ...] = ENTRY_ORDER,
) -> Table:
    return Table(name, grain, (*_COMMON, *lead, *_columns(text)), order)


_ALL = (
    _table(
        "entries",
        "entry",
        _ENTRY,
        """
        kind VARCHAR model, prompt, dataset or bundle
    """,
    ),
    _table(
        "versions",
        "entry, version",
        _ENTRY,
        """
        kind VARCHAR kind of the entry
        version INTEGER version number, from 1
        digest VARCHAR sha256 of the manifest
        label VARCHAR optional unique label such as 1.4.2
        files BIGINT number of files in the manifest
        bytes BIGINT total size of the files
        uri VARCHAR where artifacts kept elsewhere lie
        run VARCHAR identity of the training run
        code VARCHAR code revision
        params VARCHAR JSON object of parameters, text to text
        card VARCHAR model card, when at most 1 kB
        card_digest VARCHAR sha256 of the card blob, when longer
        source VARCHAR JSON object of facts found by themselves (git, CI)
    """,
        VERSION_ORDER,
    ),
    _table(
        "files",
        "entry, version, path",
        _VERSION,
        """
        path VARCHAR path within the artifact tree, NFC, with /
        size BIGINT bytes
        sha256 VARCHAR digest of the content
    """,
        ("entry_id", "version", "path"),
    ),
    _table(
        "lineage",
        "entry, version, relation, target",
        _VERSION,
        """
        relation VARCHAR dataset, base, member, run, code or uri
        target VARCHAR what it points at, such as digits@1
        target_entry_id VARCHAR identity of the target entry, when it is one of ours
        target_version INTEGER version number of the target
        target_digest VARCHAR digest of the target version
    """,
        VERSION_ORDER,
    ),
    _table(
        "placements",
        "seq",
        _ENTRY,
        """
        stage VARCHAR the slot that changed
        from_version INTEGER what it held before
        to_version INTEGER what it holds now; null when emptied
        action VARCHAR register, promote, rollback, demote or imported
        reason VARCHAR why
    """,
    ),
    _table(
        "aliases",
        "seq",
        _ENTRY,
        """
        alias VARCHAR the movable name
        from_version INTEGER what it named before
        version INTEGER what it names now; null when removed
    """,
    ),
    _table(
        "tags",
        "seq",
        _VERSION,
        """
        key VARCHAR tag key; the version is null for a tag of the entry
        value VARCHAR tag value; null when removed
    """,
    ),
    _table(
        "statuses",
        "seq",
        _VERSION,
        """
        from_status VARCHAR status before
        status VARCHAR active, deprecated, archived or deleted
        reason VARCHAR why
        purge BOOLEAN whether its blobs may be removed
    """,
        VERSION_ORDER,
    ),
    _table(
        "names",
        "seq",
        _ENTRY,
        """
        from_name VARCHAR name before the rename
    """,
    ),
    _table(
        "descriptions",
        "seq",
        _VERSION,
        """
        description VARCHAR text, when at most 1 kB; the version is null for the entry's own
        description_digest VARCHAR sha256 of the text blob, when longer
    """,
    ),
    _table(
        "eval_runs",
        "run_id",
        _VERSION,
        """
        run_id VARCHAR identity of the run
        suite VARCHAR name of the evaluation suite
        status VARCHAR complete, partial or failed
        dataset VARCHAR dataset evaluated on, as given
        dataset_entry_id VARCHAR identity of the dataset entry, when it is one of ours
        dataset_version INTEGER its version number
        dataset_digest VARCHAR digest of the dataset version
        harness VARCHAR program that made the scores
        harness_version VARCHAR its version
        code VARCHAR code revision of the evaluation
        scores BIGINT number of scores
        samples BIGINT number of per-example results
        source_digest VARCHAR sha256 of the scores and samples as given
        note VARCHAR free text
        evaluated_at TIMESTAMP when it was run, as its file says, UTC
        texts_digest VARCHAR sha256 of the blob with inputs and outputs of the examples, if kept
        import_digest VARCHAR sha256 of all that is said of a run imported from a file
    """,
        ("entry_id", "version", "suite", "seq", "i"),
    ),
    _table(
        "eval_scores",
        "run_id, task, metric, slice",
        _VERSION,
        """
        run_id VARCHAR identity of the run
        suite VARCHAR name of the evaluation suite
        task VARCHAR task within the suite; '' by default
        metric VARCHAR name of the metric
        slice VARCHAR slice of the data; '' for all of it
        value DOUBLE the score
        stderr DOUBLE standard error of the score
        n BIGINT number of examples behind it
        higher_is_better BOOLEAN direction; null when not known
    """,
        ("entry_id", "version", "suite", "seq", "task", "metric", "slice"),
    ),
    _table(
        "eval_samples",
        "run_id, sample_id, metric",
        _VERSION,
        """
        run_id VARCHAR identity of the run
        suite VARCHAR name of the evaluation suite
        task VARCHAR task within the suite; '' by default
        sample_id VARCHAR identity of the example
        metric VARCHAR name of the metric
        value DOUBLE result on this example
        passed BOOLEAN whether it counts as passed
        slices VARCHAR JSON object of the slices that the example is in, text to text
        latency_s DOUBLE seconds that the answer took
        cost_usd DOUBLE what it cost, in US dollars
        tokens_in BIGINT tokens of the input
        tokens_out BIGINT tokens of the output
    """,
        ("entry_id", "version", "suite", "seq", "metric", "sample_id"),
    ),
    _table(
        "decisions",
        "seq",
        _VERSION,
        """
        stage VARCHAR stage asked for
        op VARCHAR promote or rollback
        outcome VARCHAR passed, refused or waived
        ungated BOOLEAN true when no rule matched
        policy VARCHAR digest of the policy in force
        state VARCHAR sha256 of the commit that the decision was made on
    """,
        VERSION_ORDER,
    ),
    _table(
        "verdicts",
        "seq, gate",
        _VERSION,
        """
        stage VARCHAR stage asked for
        gate VARCHAR identity of the gate
        kind VARCHAR kind of the gate
        revision INTEGER revision of the kind's rule
        status VARCHAR passed, failed, undecidable or waived
        observed VARCHAR what was seen
        required VARCHAR what the policy asks
        reason VARCHAR why, in a sentence
        remedy VARCHAR what to do about it
        evidence VARCHAR JSON array of what was used
    """,
        VERSION_ORDER,
    ),
    _table(
        "approvals",
        "seq",
        _VERSION,
        """
        stage VARCHAR stage or gated alias approved for; null, as entry and version, for a policy
        meaning VARCHAR what the yes stands for
        version_digest VARCHAR digest of the version, or of the policy
        rules_digest VARCHAR digest of the matching rules, or of the policy_change gates
        evidence_digest VARCHAR digest of the evidence rows, or of the policy in force
        until TIMESTAMP end of validity, UTC
    """,
        VERSION_ORDER,
    ),
    _table(
        "waivers",
        "seq",
        _VERSION,
        """
        stage VARCHAR stage or gated alias waived for
        gate VARCHAR identity of the gate
        reason VARCHAR why
        until TIMESTAMP end of validity, UTC
    """,
        VERSION_ORDER,
    ),
    _table(
        "drills",
        "seq",
        _ENTRY,
        """
        stage VARCHAR stage rehearsed
        from_version INTEGER what the stage held
        to_version INTEGER what a rollback would have restored
        ok BOOLEAN whether it would have worked
        duration_s DOUBLE seconds that it took
        files BIGINT files fetched and checked
        bytes BIGINT bytes fetched and checked
        smoke VARCHAR smoke command; empty when none
        detail VARCHAR what went wrong
    """,
    ),
    _table(
        "policies",
        "seq",
        (),
        """
        digest VARCHAR digest of the policy bundle
        reason VARCHAR why
    """,
        ("seq", "i"),
    ),
    _table(
        "commits",
        "seq",
        (),
        """
        clock TIMESTAMP raw clock of the writer, UTC
        sha256 VARCHAR digest of the log file
        parent VARCHAR digest of the log file before
        txid VARCHAR transaction id
        ops VARCHAR JSON array of the operations' names
        rows VARCHAR JSON object: number of rows per table
        policy VARCHAR digest of the policy in force
        engine VARCHAR writer's name and version
    """,
        ("seq", "i"),
    ),
)

# columns that files of an older Regista lack; they are null there until a writer rewrites the files
ADDED: dict[str, frozenset[str]] = {
    "eval_runs": frozenset({"evaluated_at", "texts_digest", "import_digest"}),
    "eval_samples": frozenset({"slices", "latency_s", "cost_usd", "tokens_in", "tokens_out"}),
}
TABLES: dict[str, Table] = {table.name: table for table in _ALL}
COMMON_COLUMNS: tuple[str, ...] = tuple(column.name for column in _COMMON)
