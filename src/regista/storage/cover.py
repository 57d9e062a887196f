"""Names of the Parquet table files, and which of them to read.

A file holds a table's rows of a span of commits: `tables/<table>/<first>-<last>.parquet`. A span
of n commits begins behind a multiple of n, and n is 1, 2, 4, … 32 or a power of 64. So two
spans either nest or are disjoint, and the longest ones that exist are a cover without overlap;
no manifest is needed. Merges make powers of 64; the others are commits that came so fast that
they were tabled together. A table has no file for a span in which it got no rows: which commits
the tables cover is told by the files of `commits` alone.

Pure: names in, names out. Listing a store is `regista.storage.tablefiles`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Self

FANOUT = 64
MAX_LEVEL = 6
COMMITS = "commits"
_SPAN = re.compile(r"(\d{12})-(\d{12})")
_KEY = re.compile(r"tables/([a-z_]+)/(\d{12}-\d{12})\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The commits `first` to `last`, both included, aligned to a multiple of how many they are.

    `str` and `parse` are inverses.
    """

    first: int
    last: int

    def __post_init__(self) -> None:
        if not is_aligned(self.first, self.last):
            raise ValueError(f"{self.first}-{self.last} is not an aligned span")

    def __str__(self) -> str:
        return f"{self.first:012d}-{self.last:012d}"

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` wrote; None for anything else, unaligned spans included."""
        match = _SPAN.fullmatch(text)
        if not match or not is_aligned(int(match[1]), int(match[2])):
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


def is_aligned(first: int, last: int) -> bool:
    """Say whether the commits `first` to `last` are a span that files may have."""
    length = last - first + 1
    return first >= 1 and length in _lengths(FANOUT) and (first - 1) % length == 0


@cache
def _lengths(fanout: int) -> tuple[int, ...]:
    """Return how many commits a span may have, ascending; each number divides the next."""
    halves = (1 << k for k in range(fanout.bit_length()))
    short = (length for length in halves if length < fanout and fanout % length == 0)
    return (*short, *(fanout**level for level in range(1, MAX_LEVEL + 1)))


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
        length = max(
            length
            for length in _lengths(FANOUT)
            if (first - 1) % length == 0 and first + length - 1 <= last
        )
        result.append(Span(first, first + length - 1))
        first += length
    return result


def due_merges(commits: Iterable[Span]) -> list[Span]:
    """Return the complete spans that `commits` could have as one merged file, and has not."""
    have = set(commits)
    ideal = blocks(1, covered_to(have))
    return [span for span in ideal if span.commits >= FANOUT and span not in have]
