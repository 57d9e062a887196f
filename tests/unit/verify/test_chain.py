"""The chain: each log file as a file, and that one bad file hides none behind it."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from regista.errors import InvalidInputError
from regista.model.canonical import sha256_hex
from regista.model.commit import Commit, log_key
from regista.storage.memory import MemoryStore
from regista.verify.chain import Chain
from regista.verify.problems import ProblemKind
from support.commit_samples import SampleLog, at_second
from support.registries import new_registry

ID = "registry-id"


def chain_of(commits: int = 5) -> tuple[MemoryStore, SampleLog]:
    log = SampleLog()
    store = MemoryStore("test")
    for _ in range(commits):
        log.add()
    for commit in log.commits:
        store.put(log_key(commit.seq), commit.to_bytes())
    return store, log


def problems(store: MemoryStore, anchors: dict[int, str] | None = None) -> list[tuple[int, str]]:
    walk = Chain(store, ID)
    list(walk.walk(anchors or {}))
    return [(problem.seq, str(problem.kind)) for problem in walk.problems]


def rewrite(
    store: MemoryStore, log: SampleLog, seq: int, change: Callable[[Commit], Commit]
) -> None:
    """Change one commit, and the parents of those behind it."""
    data = change(log.commits[seq - 1]).to_bytes()
    store.put(log_key(seq), data)
    for later in log.commits[seq:]:
        data = replace(later, parent=sha256_hex(data)).to_bytes()
        store.put(log_key(later.seq), data)


def test_a_sound_chain_is_walked_to_its_head() -> None:
    store, log = chain_of()
    walk = Chain(store, ID)
    assert [commit.seq for commit, _digest in walk.walk({})] == [1, 2, 3, 4, 5]
    assert walk.problems == []
    assert (walk.commits, walk.last, walk.head) == (5, 5, log.digest(5))


def test_an_empty_log_has_no_problem_of_its_own() -> None:
    assert problems(MemoryStore("test")) == []


def test_what_cannot_be_read_is_passed_over_and_what_is_behind_it_looked_at() -> None:
    store, _log = chain_of()
    store.put(log_key(2), b"{")
    store.put(log_key(4), b"")
    walk = Chain(store, ID)
    assert [commit.seq for commit, _digest in walk.walk({})] == [1, 3, 5]
    assert [(item.seq, item.kind) for item in walk.problems] == [
        (2, ProblemKind.COMMIT),
        (3, ProblemKind.PARENT),
        (4, ProblemKind.COMMIT),
        (5, ProblemKind.PARENT),
    ]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda commit: replace(commit, registry="other"), "registry"),
        (lambda commit: replace(commit, parent="0" * 64), "parent"),
        (lambda commit: replace(commit, seq=9), "commit"),
        (lambda commit: replace(commit, time=at_second(1)), "time"),
        (lambda commit: replace(commit, time=at_second(50)), "time"),
        (lambda commit: replace(commit, clock=at_second(50)), "time"),
    ],
)
def test_a_commit_that_does_not_fit_is_named(change: Callable[[Commit], Commit], kind: str) -> None:
    store, log = chain_of(3)
    rewrite(store, log, 3, change)
    assert problems(store) == [(3, kind)]


def test_time_stands_still_while_a_clock_is_behind_and_that_is_no_problem() -> None:
    store, log = chain_of(3)
    rewrite(store, log, 3, lambda commit: replace(commit, clock=at_second(0), time=at_second(2)))
    assert problems(store) == []


def test_the_first_commits_time_is_its_clock() -> None:
    store, log = chain_of(1)
    rewrite(store, log, 1, lambda commit: replace(commit, time=at_second(9)))
    assert problems(store) == [(1, "time")]


def test_after_a_file_that_cannot_be_read_its_time_may_have_been_anything() -> None:
    store, log = chain_of(3)
    late = at_second(90)
    rewrite(store, log, 2, lambda commit: replace(commit, clock=late, time=late))
    parent = sha256_hex(store.get(log_key(2)) or b"")
    store.put(log_key(3), replace(log.commits[2], parent=parent, time=late).to_bytes())
    assert problems(store) == []
    store.put(log_key(2), b"{")
    assert problems(store) == [(2, "commit"), (3, "parent")]


def test_gaps_are_named_by_their_first_number_and_do_not_count_as_wrong_parents() -> None:
    store, _log = chain_of(7)
    for seq in (2, 5, 6):
        store.delete(log_key(seq))
    assert problems(store) == [(2, "gap"), (5, "gap")]


def test_a_first_file_that_is_missing_is_a_gap() -> None:
    store, _log = chain_of(3)
    store.delete(log_key(1))
    assert problems(store) == [(1, "gap")]


def test_anchors_are_compared_by_as_many_digits_as_they_have() -> None:
    store, log = chain_of(3)
    assert problems(store, {2: log.digest(2), 3: log.digest(3)[:12]}) == []
    assert problems(store, {2: log.digest(3), 9: log.digest(3)}) == [(2, "anchor"), (9, "anchor")]


@pytest.mark.parametrize(
    "anchor", [(0, "a" * 64), (1, "a" * 11), (1, "x" * 64), (1, "A" * 64), (1, "")]
)
def test_what_is_no_anchor_is_refused(anchor: tuple[int, str]) -> None:
    with pytest.raises(InvalidInputError, match="is not an anchor"):
        new_registry().verify(anchors=dict([anchor]))
