"""Names of the Parquet table files, and which of them to read.

A file holds a table's rows of a span of commits: `tables/<table>/<first>-<last>.parquet`. Spans
are aligned to powers of 64: one commit, or the commits m*64**k + 1 to (m + 1)*64**k. So two
spans either nest or are disjoint, and the longest ones that exist are a cover without overlap;
no manifest is needed. A table has no file for a span in which it got no rows: which commits the
tables cover is told by the files of `commits` alone.

Pure: names in, names out. Listing a store is `regista.storage.tablefiles`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

FANOUT = 64
MAX_LEVEL = 6
COMMITS = "commits"
_SPAN = re.compile(r"(\d{12})-(\d{12})")
_KEY = re.compile(r"tables/([a-z_]+)/(\d{12}-\d{12})\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The commits `first` to `last`, both included, aligned to a power of 64.

    `str` and `parse` are inverses.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if level_of(self.first, self.last) is None:
            raise ValueError(f"{self.first}-{self.last} is not an aligned span")

    def __str__(self) -> str:
        return f"{self.first:012d}-{self.last:012d}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` wrote; None for anything else, unaligned spans included."""
        match = _SPAN.fullmatch(text)
        if not match or level_of(int(match[1]), int(match[2])) is None:
            return None
        return cls(int(match[1]), int(match[2]))

    @property
    def commits(self) -> int:
        """How many commits the span holds."""
        return self.last - self.first + 1

    def holds(self, other: "Span") -> bool:
        """Say whether the other span lies within this one, or is the same."""
        return self.first <= other.first and other.last <= self.last


@dataclass(frozen=True, slots=True, order=True)
class TableFile:
    """One Parquet file of a table."""

    table: str
    span: Span

    @property
    def key(self) -> str:
        """Where the file lies in the store."""
        return f"tables/{self.table}/{self.span}.parquet"

    @classmethod
    def parse(cls, key: str) -> Self | None:
        """Read what `key` gave; None for any other key."""
        match = _KEY.fullmatch(key)
        span = Span.parse(match[2]) if match else None
        return cls(match[1], span) if match and span else None


@dataclass(frozen=True, slots=True)
class Cover:
    """What to read of a table, and what need not be there any more.

    Attributes:
        chosen: spans without overlap, in order; together they hold all that any span holds.
        superseded: spans that lie within a chosen one; reading them too would double rows.
    """

    chosen: tuple[Span, ...]
    superseded: tuple[Span, ...]


def schema_key(table: str) -> str:
    """Return the key of the table's file without rows, which makes a glob never fail."""
    return f"tables/{table}/schema.parquet"


def level_of(first: int, last: int) -> int | None:
    """Return the k of an aligned span of 64**k commits; None when it is not one."""
    length = last - first + 1
    for level in range(MAX_LEVEL + 1):
        if length == FANOUT**level:
            return level if first >= 1 and (first - 1) % length == 0 else None
    return None


def choose_cover(spans: Iterable[Span]) -> Cover:
    """Choose the longest spans; see `Cover`."""
    chosen: list[Span] = []
    superseded: list[Span] = []
    # of the spans that start together the longest comes first, so whatever follows and starts
    # within it nests in it
    for span in sorted(set(spans), key=lambda span: (span.first, -span.last)):
        if chosen and span.first <= chosen[-1].last:
            superseded.append(span)
        else:
            chosen.append(span)
    return Cover(tuple(chosen), tuple(superseded))


def covered_to(spans: Iterable[Span]) -> int:
    """Return the last commit N such that the spans hold 1 to N without a gap; 0 for none."""
    end = 0
    for span in choose_cover(spans).chosen:
        if span.first != end + 1:
            break
        end = span.last
    return end


def blocks(first: int, last: int) -> list[Span]:
    """Cut the commits first to last into the fewest aligned spans, in order."""
    result: list[Span] = []
    while first <= last:
        length = 1
        for _ in range(MAX_LEVEL):
            longer = length * FANOUT
            if (first - 1) % longer or first + longer - 1 > last:
                break
            length = longer
        result.append(Span(first, first + length - 1))
        first += length
    return result


def due_merges(commits: Iterable[Span]) -> list[Span]:
    """Return the complete spans that `commits` could have as one file, and has not."""
    have = set(commits)
    ideal = blocks(1, covered_to(have))
    return [span for span in ideal if span.commits > 1 and span not in have]


def longer_spans(span: Span) -> list[Span]:
    """Return the aligned spans that hold this one and are longer, the shortest first."""
    result = []
    length = span.commits
    while (length := length * FANOUT) <= FANOUT**MAX_LEVEL:
        start = (span.first - 1) // length * length + 1
        result.append(Span(start, start + length - 1))
    return result
