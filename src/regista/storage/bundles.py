"""Bundles: the exact bytes of many consecutive log files in one file, to be read at once.

`checkpoints/log/<first>-<last>.jsonl` holds the log files of an aligned span of 64 or 4,096
commits. Its first line is canonical JSON, `{"first":1,"format":1,"last":64,"sizes":[…]}`, with
the bytes of each file; behind it stand the files, as they are, with nothing between or after.

Invariant: nothing is believed because a bundle says it. A bundle is sound when its last file is
the log's own and each file names the digest of the one before it as its parent, so it holds what
the log led to its last commit. Any other counts as not there, and the log files are read instead.
Making and removing bundles is `regista.storage.bundling`'s business; see also ADR 15.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from regista.errors import IntegrityError, InvalidInputError
from regista.model import canonical
from regista.model.canonical import sha256_hex
from regista.model.commit import FIRST_SEQ, log_key, seq_of_key
from regista.storage.cover import FANOUT, Span
from regista.storage.several import get_all
from regista.storage.store import Store

BUNDLES_PREFIX = "checkpoints/log/"
FORMAT = 1
SMALL = FANOUT
LARGE = FANOUT**2
_SUFFIX = ".jsonl"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle in memory.

    Attributes:
        span: the commits whose files it holds.
        data: its bytes.
        bounds: where in `data` each file begins, and where the last one ends.
    """

    span: Span
    data: bytes
    bounds: tuple[int, ...]

    def file(self, seq: int) -> bytes:
        """Return the bytes of the log file of one of its commits."""
        i = seq - self.span.first
        return self.data[self.bounds[i] : self.bounds[i + 1]]

    def is_chained(self) -> bool:
        """Say whether each file has the digest of the one before it as a parent.

        That it stands in the right place of the commit is seen when that is parsed.
        """
        return all(
            b'"parent":"%s"' % sha256_hex(self.file(seq - 1)).encode() in self.file(seq)
            for seq in range(self.span.first + 1, self.span.last + 1)
        )


def span_of(seq: int, commits: int) -> Span:
    """Return the span of that many commits which holds one of them."""
    first = (seq - 1) // commits * commits + 1
    return Span(first, first + commits - 1)


def bundle_key(span: Span) -> str:
    """Return where the bundle of a span lies."""
    return f"{BUNDLES_PREFIX}{span}{_SUFFIX}"


def span_of_key(key: str) -> Span | None:
    """Return the span of a bundle's key; None for any other key."""
    span = Span.parse(key.removeprefix(BUNDLES_PREFIX).removesuffix(_SUFFIX))
    known = span is not None and span.commits in {SMALL, LARGE} and bundle_key(span) == key
    return span if known else None


def bundle_bytes(span: Span, files: Sequence[bytes]) -> bytes:
    """Return a bundle of the log files of a span."""
    return _header(span, [len(data) for data in files]) + b"".join(files)


def parse_bundle(span: Span, data: bytes) -> Bundle:
    """Read a bundle.

    Args:
        span: the commits that it is to hold.
        data: its bytes.

    Raises:
        IntegrityError: it is not as it was written, of another span, or of a newer format.
    """
    line, newline, _files = data.partition(b"\n")
    try:
        sizes = canonical.decode(line)["sizes"]
        whole = all(type(size) is int and size > 0 for size in sizes) and len(sizes) == span.commits
        bounds = tuple(accumulate(sizes, initial=len(line) + 1)) if whole else ()
    except (InvalidInputError, KeyError, TypeError) as error:
        raise IntegrityError("its first line is damaged") from error
    if not whole or line + newline != _header(span, sizes):
        raise IntegrityError(f"its first line is not that of commits {span.first} to {span.last}")
    if bounds[-1] != len(data):
        raise IntegrityError(f"it has {len(data)} bytes, not {bounds[-1]}")
    return Bundle(span, data, bounds)


def list_bundles(store: Store) -> set[Span]:
    """Return the spans of the bundles that a store has, by their names."""
    return {span for key in store.list_after(BUNDLES_PREFIX) if (span := span_of_key(key))}


def load_sound(store: Store, span: Span) -> Bundle | None:
    """Return the bundle of a span; None where there is none that is sound.

    Raises:
        StorageError: the store cannot be read.
    """
    data, last = get_all(store, [bundle_key(span), log_key(span.last)])
    try:
        bundle = parse_bundle(span, data or b"")
    except IntegrityError:
        return None
    return bundle if bundle.file(span.last) == last and bundle.is_chained() else None


class BundleReader:
    """Reads log files by way of bundles, in any order; best is one after another.

    One bundle is in memory at a time. Files that are in none are read some at a time.

    Args:
        store: where the registry lies.
        last: number of the last commit that will be asked for, which is there.
        listed: the bundles that there are, where they were just listed.
    """

    def __init__(self, store: Store, last: int, listed: Iterable[Span] | None = None) -> None:
        self._store = store
        self._last = last
        self._listed = None if listed is None else set(listed)
        self._bundle: Bundle | None = None
        self._loose: dict[int, bytes | None] = {}

    def get(self, key: str) -> bytes | None:
        """Return a log file, as `Store.get`."""
        seq = seq_of_key(key) or 0
        if not FIRST_SEQ <= seq <= self._last:
            return self._store.get(key)
        bundle = self._bundle
        if bundle is None or not bundle.span.first <= seq <= bundle.span.last:
            if seq in self._loose:
                return self._loose[seq]
            # let go first: two of them need not be in memory
            bundle = self._bundle = None
            bundle = self._bundle = self._load(seq)
        return bundle.file(seq) if bundle else self._read_loose(seq)

    def _load(self, seq: int) -> Bundle | None:
        """Return the longest sound bundle with a commit."""
        if self._listed is None:
            self._listed = list_bundles(self._store)
        for span in (span_of(seq, LARGE), span_of(seq, SMALL)):
            if span in self._listed:
                if bundle := load_sound(self._store, span):
                    return bundle
                self._listed.discard(span)
        return None

    def _read_loose(self, seq: int) -> bytes | None:
        span = span_of(seq, SMALL)
        seqs = range(span.first, min(span.last, self._last) + 1)
        found = get_all(self._store, [log_key(one) for one in seqs])
        self._loose = dict(zip(seqs, found, strict=True))
        return self._loose[seq]


def _header(span: Span, sizes: Sequence[int]) -> bytes:
    value = {"first": span.first, "format": FORMAT, "last": span.last, "sizes": list(sizes)}
    return canonical.encode(value) + b"\n"
