"""Checkpoints of very many heads, folded a version at a time in bounded memory.

After a bulk import, and when all heads are made anew from the log, they are too many to fold in
memory. The rows come sorted by `regista.write.state_rows`; the rules are those of
`regista.decide.fold`. Heads of an entry are complete, and written, when the next entry begins.
Keys that entries share need care, since entries are not folded in the log's order:

- `g`, `h/` and `a/` hold counts, which come out the same in any order; they stay in memory.
- a name that one entry gave up may be another's now, so the name's removal is not written.
- `d/` and `p/` would gather all versions of an entry, so they are made in a second pass.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any

from regista.decide import equals, fold, keys
from regista.decide.state import Overlay, State
from regista.model.commit import Commit
from regista.read import duck
from regista.read.replica import Replica, is_bulk
from regista.storage.checkpoint import Checkpoint
from regista.storage.checkpointer import prune, write_bulk_checkpoint
from regista.storage.store import Store
from regista.write.state_rows import DigestEvent, Group, StateRows
from regista.write.tabling import tabling_connection

Records = Iterator[tuple[str, bytes]]

_VERIFY = "regista verify"
_SHARED = frozenset("gha")
_OF_VERSION = frozenset("vrlu")
_MADE_OTHERWISE = frozenset("dp")
_ENTRY = _SEQ = itemgetter(0)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def rebuild_checkpoint(replica: Replica) -> Checkpoint | None:
    """Write a checkpoint of the log's head, folding the whole log; None when it is empty.

    Raises:
        IntegrityError: the log has a gap, or a data file is missing or damaged.
        StorageError: a file cannot be written.
    """
    store, head = replica.store, replica.log.head()
    if not head:
        return None
    last, digest = replica.log.read(head)
    commits = (commit for commit, _digest in replica.log.iterate(1, head))
    with _lent_rows(store) as rows, duck.guarded("fold the log", mend=_VERIFY):
        records = _folded(commits, rows, Overlay(lambda _key: None))
        checkpoint = write_bulk_checkpoint(store, None, head, digest, records, time=last.time)
    prune(store)
    return checkpoint


def checkpoint_import(replica: Replica, commit: Commit, digest: str) -> Checkpoint | None:
    """Write a checkpoint of an import, whose entries are all new.

    Args:
        replica: where the registry lies; its own state is not used.
        commit: the import.
        digest: sha256 of its log file.

    Raises:
        IntegrityError: the log has a gap, or a data file is missing or damaged.
        StorageError: a file cannot be written.
    """
    before = Replica(replica.store, replica.registry_id)
    state = before.reload()
    for earlier, sha256 in before.log.iterate(state.seq + 1, commit.seq - 1, parent=state.digest):
        if is_bulk(earlier):
            # another import is without a checkpoint too, and must not be folded in memory
            return rebuild_checkpoint(replica)
        state = before.advance(earlier, sha256)
    if state.seq >= commit.seq:
        return before.checkpoint
    checkpoint = extend_checkpoint(
        replica.store, before.checkpoint, state, commit=commit, digest=digest, source=replica.store
    )
    prune(replica.store)
    return checkpoint


def extend_checkpoint(
    target: Store,
    base: Checkpoint | None,
    state: State,
    *,
    commit: Commit,
    digest: str,
    source: Store,
) -> Checkpoint:
    """Write the checkpoint after an import on top of one before it.

    Args:
        target: where `base` lies and the new checkpoint is to lie.
        base: the checkpoint that `state` looks heads up in; None for none.
        state: the state before the import.
        commit: the import.
        digest: sha256 of its log file.
        source: where the import's data files lie.

    Raises:
        IntegrityError: a data file is missing or damaged.
        StorageError: a file cannot be written.
    """
    doing = f"fold commit {commit.seq}"
    with _lent_rows(source) as rows, duck.guarded(doing, mend=_VERIFY):
        records = _extended(state, commit, rows)
        return write_bulk_checkpoint(target, base, commit.seq, digest, records, time=commit.time)


@contextmanager
def _lent_rows(store: Store) -> Iterator[StateRows]:
    with (
        tabling_connection(store) as con,
        store.scratch() as folder,
        closing(StateRows(store, con, folder)) as rows,
    ):
        yield rows


def _extended(state: State, commit: Commit, rows: StateRows) -> Records:
    for key, value in state.heads.changed.items():
        yield _record(key, value)
    yield from _folded([commit], rows, Overlay(state.heads.get))


def _folded(commits: Iterable[Commit], rows: StateRows, shared: Overlay) -> Records:
    """Fold whole commits; yield every key that they change with its value after the last."""
    for commit in commits:
        rows.add(commit)
        asked = Overlay(lambda _key: None)
        stamp = fold.Stamp(commit.seq, commit.time, commit.actor)
        fold.apply_transaction(asked, stamp, commit.txid, commit.ops)
        yield from _taken(asked.changed)
    heads = _EntryHeads(shared)
    for _entry_id, groups in groupby(rows.groups(), _ENTRY):
        yield from _fold_entry(heads, groups)
    for entry_id, events in rows.digests():
        yield from _fold_equals(entry_id, events)
    yield from _taken(shared.changed)


def _fold_entry(heads: "_EntryHeads", groups: Iterable[Group]) -> Records:
    for _entry_id, _version, placed in groups:
        for _seq, items in groupby(placed, _SEQ):
            commit = list(items)
            fold.apply_rows(heads, commit[0][2], [item[3] for item in commit])
        yield from _taken(heads.of_version)
    for former in [key for key, head in heads.of_entry.items() if head is None]:
        del heads.of_entry[former]
    yield from _taken(heads.of_entry)


def _fold_equals(entry_id: str, events: Iterable[DigestEvent]) -> Records:
    heads = Overlay(lambda _key: None)
    deleted: set[int] = set()
    for digest, version, is_deletion in events:
        if is_deletion:
            deleted.add(version)
            equals.delete(heads, entry_id, digest, version, deleted.__contains__)
        else:
            equals.add(heads, entry_id, digest, version, deleted.__contains__)
    yield from _taken(heads.changed)


class _EntryHeads:
    """Heads of one entry at a time; implements `keys.Heads`."""

    def __init__(self, shared: Overlay) -> None:
        self.shared = shared
        self.of_entry: dict[str, Any] = {}
        self.of_version: dict[str, Any] = {}

    def get(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        """Return the head, or None."""
        return self._part(key).get(key)

    def put(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Set the head; keys that are made otherwise are left alone."""
        if key[0] in _SHARED:
            self.shared.put(key, value)
        elif key[0] not in _MADE_OTHERWISE:
            self._part(key)[key] = value

    def _part(self, key: str) -> Any:  # noqa: ANN401 - both have `get`
        if key[0] in _OF_VERSION:
            return self.of_version
        return self.shared if key[0] in _SHARED else self.of_entry


def _taken(heads: dict[str, Any]) -> Records:
    """Yield heads as records and forget them."""
    for key, value in heads.items():
        yield _record(key, value)
    heads.clear()


def _record(key: str, value: Any) -> tuple[str, bytes]:  # noqa: ANN401
    return key, _encode(keys.encode_head(value)).encode()
