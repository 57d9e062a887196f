"""Bundles: each holds the very bytes of the log files of its commits.

They are compared as the log is walked, with at most one of each size in memory. The log files
are the truth: a missing bundle is no problem, for readers do without.
"""

from dataclasses import dataclass, field

from regista.errors import IntegrityError
from regista.model.commit import log_key
from regista.storage.bundles import (
    BUNDLES_PREFIX,
    Bundle,
    bundle_key,
    parse_bundle,
    span_of_key,
)
from regista.storage.cover import Span
from regista.storage.store import Store
from regista.verify.problems import Problem, ProblemKind

_REBUILD = "regista rebuild"


@dataclass(slots=True)
class BundleCheck:
    """Compares the bundles with the log as it is walked.

    Attributes:
        store: where the registry lies.
        problems: what was found so far.
    """

    store: Store
    problems: list[Problem] = field(default_factory=list)
    _listed: list[Span] = field(default_factory=list)
    _ahead: list[Span] = field(default_factory=list)
    _open: list[Bundle] = field(default_factory=list)

    def __post_init__(self) -> None:
        for key in self.store.list_after(BUNDLES_PREFIX):
            if span := span_of_key(key):
                self._listed.append(span)
            else:
                self._report(0, key, "is no bundle of log files")
        # the next one to open is the last
        self._ahead = sorted(self._listed, reverse=True)

    def add(self, seq: int, data: bytes) -> None:
        """Compare a log file with what bundles hold of its commit.

        Args:
            seq: number of the commit; larger than the one before.
            data: the file's bytes.
        """
        while self._ahead and self._ahead[-1].first <= seq:
            self._load(self._ahead.pop())
        if self._open:
            self._open = [bundle for bundle in self._open if self._holds(bundle, seq, data)]

    def finish(self, head: int) -> None:
        """Report what reaches beyond the log's last commit."""
        for span in self._listed:
            if span.last > head:
                what = f"reaches beyond the log's head {head}"
                self._report(max(span.first, head + 1), bundle_key(span), what)

    def _load(self, span: Span) -> None:
        key = bundle_key(span)
        data = self.store.get(key)
        if data is None:
            # a longer one has taken its place since
            return
        try:
            self._open.append(parse_bundle(span, data))
        except IntegrityError as error:
            self._report(span.first, key, f"is damaged: {error.message}")

    def _holds(self, bundle: Bundle, seq: int, data: bytes) -> bool:
        """Say whether to go on with a bundle after a commit; report the first difference."""
        if seq > bundle.span.last:
            return False
        if bundle.file(seq) != data:
            self._report(seq, bundle_key(bundle.span), f"differs from {log_key(seq)}")
            return False
        return True

    def _report(self, seq: int, key: str, what: str) -> None:
        self.problems.append(Problem(seq, ProblemKind.BUNDLE, f"{key} {what}; {_REBUILD}"))
