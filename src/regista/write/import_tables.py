"""What a folder to import holds: its files, their columns, and the rules of each value.

One Parquet file per table, named as the table; `entries` and `versions` must be there. An entry
goes by its name, a run by an id that need be unique in the folder only. This is the one place
that says so; checking is `regista.write.import_checks`, making rows `regista.write.import_rows`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from regista.decide.heads import Status
from regista.decide.operations.evaluating import RUN_STATUSES
from regista.decide.operations.registering import ENTRY_RELATIONS
from regista.model.canonical import MAX_INT
from regista.model.names import KINDS, MAX_NAME, MAX_TEXT
from regista.read.duck import quoted
from regista.write import rules
from regista.write.rules import NAMEABLE
from regista.write.sample_rules import MAX_SLICES

MAX_VERSION = 2**31 - 1
NOT_ACTIVE = tuple(str(status) for status in Status if status != Status.ACTIVE)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value must be.

    Attributes:
        broken: from a column to the SQL condition that is true where it is not that.
        message: what it must be, to follow `is not`.
        normal: whether the text is brought into NFC.
    """

    broken: Callable[[str], str]
    message: str
    normal: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a file.

    Attributes:
        name: its name.
        type: DuckDB type that its values are cast to.
        rule: what a value that is given must be.
        needed: whether each row must give one.
    """

    name: str
    type: str
    rule: Rule
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """What the rows of a file belong to.

    Attributes:
        parent: the file that must hold what a row names.
        columns: the columns that name it, in both files. Where the last is null, as in a tag of
            an entry, the entry must be there.
    """

    parent: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportTable:
    """A file of the folder.

    Attributes:
        name: the table; the file is `<name>.parquet`.
        fields: its columns.
        grain: columns of which each row has another combination.
        link: what the rows belong to, if anything.
    """

    name: str
    fields: tuple[Field, ...]
    grain: tuple[str, ...]
    link: Link | None = None

    @property
    def file(self) -> str:
        """Name of the file."""
        return f"{self.name}.parquet"


def _one_of(values: tuple[str, ...]) -> Rule:
    listed = ", ".join(map(quoted, values))
    return Rule(lambda column: f"({column} NOT IN ({listed}))", f"one of {', '.join(values)}")


def _between(low: int, high: int, message: str) -> Rule:
    return Rule(lambda column: f"({column} NOT BETWEEN {low} AND {high})", message)


_WORD = Rule(rules.no_identifier, NAMEABLE, normal=True)
# names are looked at one by one in Python; see `import_checks`
_NAME = Rule(lambda column: f"(length({column}) > {MAX_NAME})", "a name", normal=True)
_ANY = Rule(lambda _column: "false", "")
_TEXT = Rule(rules.no_plain_text, "plain text of at most 10,000 characters")
_LONG = Rule(lambda column: rules.no_plain_text(column, MAX_TEXT), "plain text of at most 1 MB")
_SHORT = Rule(
    lambda column: rules.no_plain_text(column, MAX_NAME), "plain text of at most 255 characters"
)
_SHA256 = Rule(rules.no_sha256, "a SHA-256 of 64 hexadecimal digits in lower case")
_PAIRS = Rule(rules.no_pairs, "a JSON object of text to text")
_SLICES = Rule(
    lambda column: f"(length({column}) > {MAX_SLICES} OR {rules.no_pairs(column)})",
    f"a JSON object of text to text, of at most {MAX_SLICES:,} characters",
)
_COUNT = _between(0, MAX_INT, "a count")
_NUMBER = Rule(lambda column: f"(NOT isfinite({column}))", "a finite number")
_POSITIVE = Rule(
    lambda column: f"(NOT isfinite({column}) OR {column} < 0)", "a finite number from 0"
)

_ENTRY = Field("entry", "VARCHAR", _NAME, needed=True)
_VERSION = Field("version", "BIGINT", _between(1, MAX_VERSION, "a version number"), needed=True)
_OF_VERSION = (_ENTRY, _VERSION)
_RUN = Field("run_id", "VARCHAR", _WORD, needed=True)
_TO_VERSION = Link("versions", ("entry", "version"))
_TO_RUN = Link("eval_runs", ("run_id",))


def _text(name: str, rule: Rule, *, needed: bool = False) -> Field:
    return Field(name, "VARCHAR", rule, needed)


_ALL = (
    ImportTable("entries", (
        _ENTRY, _text("kind", _one_of(KINDS), needed=True), _text("description", _LONG),
    ), ("entry",)),
    ImportTable("versions", (
        *_OF_VERSION, _text("digest", _SHA256), _text("label", Rule(rules.no_label, "a label")),
        Field("files", "BIGINT", _COUNT), Field("bytes", "BIGINT", _COUNT),
        _text("uri", Rule(rules.no_uri, "a URI of at most 10,000 characters on one line")),
        _text("run", _WORD), _text("code", _WORD), _text("params", _PAIRS), _text("card", _LONG),
        _text("description", _LONG), _text("source", _PAIRS),
    ), ("entry", "version"), Link("entries", ("entry",))),
    ImportTable("files", (
        *_OF_VERSION, _text("path", _ANY, needed=True),
        Field("size", "BIGINT", _COUNT, needed=True), _text("sha256", _SHA256, needed=True),
    ), ("entry", "version", "path"), _TO_VERSION),
    ImportTable("lineage", (
        *_OF_VERSION, _text("relation", _one_of(ENTRY_RELATIONS), needed=True),
        _text("target", _SHORT, needed=True),
    ), ("entry", "version", "relation", "target"), _TO_VERSION),
    ImportTable("tags", (
        _ENTRY, Field("version", "BIGINT", _VERSION.rule),
        _text("key", Rule(rules.no_tag_key, "1 to 250 characters on one line", normal=True),
              needed=True),
        _text("value", Rule(rules.no_tag_value, "plain text of at most 100,000 characters"),
              needed=True),
    ), ("entry", "version", "key"), _TO_VERSION),
    ImportTable("aliases", (
        _ENTRY, _text("alias", _SHORT, needed=True), _VERSION,
    ), ("entry", "alias"), _TO_VERSION),
    ImportTable("eval_runs", (
        _RUN, *_OF_VERSION, _text("suite", _WORD, needed=True),
        _text("status", _one_of(RUN_STATUSES)), _text("dataset", _SHORT), _text("harness", _TEXT),
        _text("harness_version", _TEXT), _text("code", _TEXT), _text("note", _TEXT),
    ), ("run_id",), _TO_VERSION),
    ImportTable("eval_scores", (
        _RUN, _text("task", _WORD), _text("metric", _WORD, needed=True), _text("slice", _WORD),
        Field("value", "DOUBLE", _NUMBER, needed=True), Field("stderr", "DOUBLE", _POSITIVE),
        Field("n", "BIGINT", _COUNT), Field("higher_is_better", "BOOLEAN", _ANY),
    ), ("run_id", "task", "metric", "slice"), _TO_RUN),
    ImportTable("eval_samples", (
        _RUN, _text("task", _WORD), _text("sample_id", _WORD, needed=True),
        _text("metric", _WORD, needed=True), Field("value", "DOUBLE", _NUMBER, needed=True),
        Field("passed", "BOOLEAN", _ANY), _text("slices", _SLICES),
        Field("latency_s", "DOUBLE", _POSITIVE), Field("cost_usd", "DOUBLE", _POSITIVE),
        Field("tokens_in", "BIGINT", _COUNT), Field("tokens_out", "BIGINT", _COUNT),
    ), ("run_id", "task", "metric", "sample_id"), _TO_RUN),
    ImportTable("placements", (
        _ENTRY, _text("stage", _SHORT, needed=True), _VERSION, _text("reason", _TEXT),
    ), ("entry", "stage"), _TO_VERSION),
    ImportTable("statuses", (
        *_OF_VERSION, _text("status", _one_of(NOT_ACTIVE), needed=True), _text("reason", _TEXT),
    ), ("entry", "version"), _TO_VERSION),
)  # fmt: skip

IMPORT_TABLES: dict[str, ImportTable] = {table.name: table for table in _ALL}
NEEDED = ("entries", "versions")
