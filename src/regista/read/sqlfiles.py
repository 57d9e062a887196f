"""The SQL that ships with Regista: views and fixed queries, one statement per file.

Each file in `regista/sql` starts with a comment: what it answers, then `grain:`, `columns:` and,
where it takes any, `parameters:`. A test holds every file to its columns. Running them is
`regista.read.views` and `regista.read.sql`.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import takewhile

# in an order in which each uses only those before it
VIEWS = (
    "current_stages",
    "stage_history",
    "latest_scores",
    "score_history",
    "leaderboard",
    "events",
)
QUERIES = (
    "list_entries",
    "entry_versions",
    "entry_history",
    "registry_history",
    "version_scores",
    "metric_history",
    "entry_ranking",
    "run_samples",
    "run_texts",
)
_FIELD = re.compile(r"-- (grain|columns|parameters): (.*)")
_PARAMETER = re.compile(r"(\w+) \(([^)]*)\)")
_READS = re.compile(r"\b(?:FROM|JOIN) (\w+)")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One statement and what its header says of it.

    Attributes:
        name: name of the view or query.
        summary: what it answers.
        grain: what one row stands for.
        columns: names of the columns, in order.
        parameters: by name, what a value means.
        reads: names of the tables and views that it reads.
        text: the statement.
    """

    name: str
    summary: str
    grain: str
    columns: tuple[str, ...]
    parameters: dict[str, str]
    reads: frozenset[str]
    text: str


@cache
def load(name: str) -> SqlFile:
    """Return one of `VIEWS` or `QUERIES`."""
    source = resources.files("regista").joinpath("sql", f"{name}.sql").read_text("utf-8")
    lines = source.splitlines()
    header = list(takewhile(lambda line: line.startswith("--"), lines))
    fields = dict(_FIELD.findall("\n".join(header)))
    summary = takewhile(lambda line: not _FIELD.match(line), header)
    text = "\n".join(lines[len(header) :])
    return SqlFile(
        name,
        " ".join(line.removeprefix("--").strip() for line in summary),
        fields["grain"],
        tuple(fields["columns"].split(", ")),
        dict(_PARAMETER.findall(fields.get("parameters", ""))),
        frozenset(_READS.findall(text)),
        text,
    )
