"""What the documents of one entry are made of, and what lists keep of it."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from regista.decide.heads import MAX_MAIN_SCORES
from regista.decide.state import State
from regista.errors import NotFoundError
from regista.model.numbers import double_text
from regista.model.selectors import Selector, VersionRef
from regista.registry.views import resolved
from regista.site.model import Entry
from regista.site.published import Row, Rows


@dataclass(frozen=True, slots=True)
class Record:
    """An entry as commands tell it, and as pages do.

    Attributes:
        entry: its facts, whose texts are as they are published.
        state: what its published rows fold to, so that documents say what commands say.
        scores: published rows of its scores.
    """

    entry: Entry
    state: State
    scores: Sequence[Row]

    @classmethod
    def of(cls, entry: Entry, state: State, rows: Rows) -> "Record":
        """Return the record of an entry whose rows were folded to a state."""
        return cls(entry, state, rows["eval_scores"])

    def main_scores(self) -> Mapping[str, list[dict[str, Any]]]:
        """Return the first scores over all of the data of each run, as `show` tells them."""
        found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for row in sorted(self.scores, key=lambda row: (row.seq, row.i)):
            if not row.slice and len(found[row.run_id]) < MAX_MAIN_SCORES:
                found[row.run_id].append(_main_score(row))
        return found


def _main_score(row: Row) -> dict[str, Any]:
    return {
        "task": row.task or "",
        "metric": row.metric,
        "value": double_text(row.value),
        "stderr": None if row.stderr is None else double_text(row.stderr),
        "n": row.n,
        "higher_is_better": row.higher_is_better,
    }


class Held(NamedTuple):
    """What a stage of an entry holds, in a list of many."""

    stage: str
    version: int
    digest: str
    status: str
    since: str
    by: str
    seq: int


class Listed(NamedTuple):
    """What lists keep of an entry; kept for all entries, so it is small."""

    name: str
    kind: str
    last_version: int
    updated: str
    held: tuple[Held, ...]


def listed(record: Record) -> Listed:
    """Return what lists keep of an entry."""
    entry = record.entry
    last = entry.versions[0].number if entry.versions else 0
    return Listed(entry.name, entry.kind, last, entry.updated, tuple(_held(record)))


def _held(record: Record) -> Iterator[Held]:
    head = record.state.entry(record.entry.name)
    for slot in record.entry.slots:
        if slot.version is None:
            continue
        version = record.state.version(head, slot.version)
        yield Held(
            slot.stage, slot.version, version.digest, version.status, slot.since, slot.by, slot.seq
        )


def pointed(record: Record, how: str, name: str) -> dict[str, Any] | None:
    """Return what `resolve --json` says of a stage or an alias; None where it finds nothing."""
    try:
        ref = VersionRef(record.entry.name, Selector(how, name))
        return resolved(record.state, ref).to_json()
    except NotFoundError:
        return None
