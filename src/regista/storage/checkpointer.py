"""Making and removing checkpoints.

A checkpoint adds one run with the keys that changed. Runs are merged by size: the new one takes
in the one before it while that is less than a factor times as large as what has gathered. So sizes
grow geometrically towards the oldest. The factor follows from how many keys there are (`_factor`),
so that there are at most `LEVELS` runs beside the oldest, which each question may have to ask.

Run files are named by their content and the manifest is put last, if absent, so that writers may
race and a kill at any point leaves files that nobody names; `prune` removes these. Reading is in
`regista.storage.checkpoint`; when a checkpoint is due is `regista.write`'s business.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regista.errors import IntegrityError
from regista.model import canonical
from regista.storage.checkpoint import (
    CHECKPOINTS_PREFIX,
    MANIFEST_NAME,
    RUN_SUFFIX,
    Checkpoint,
    CheckpointGoneError,
    RunRef,
    checkpoint_id,
    id_of_key,
    manifest_bytes,
    manifest_key,
    parse_manifest,
    scan,
)
from regista.storage.log import Log
from regista.storage.oserrors import storage_error
from regista.storage.runfile import Record, write_run
from regista.storage.runsort import external_sort, merge, sort_records
from regista.storage.several import delete_all
from regista.storage.store import PutOutcome, Store
from regista.storage.tip import TIP_KEY

MERGE_FACTOR = 4
LEVELS = 3


def write_checkpoint(
    store: Store,
    base: Checkpoint | None,
    seq: int,
    head: str,
    changed: Mapping[str, Any],
    *,
    time: str = "",
) -> Checkpoint:
    """Write the checkpoint of commit `seq`.

    Args:
        store: where the registry lies.
        base: an earlier checkpoint; None when `changed` holds all keys.
        seq: number of the commit.
        head: sha256 of its log file.
        changed: keys that changed since `base`, with their values now; None removes a key.
        time: recorded time of the commit, so that a reader need not look it up.

    Raises:
        CheckpointGoneError: `base` was removed meanwhile; load the latest and try again.
        IntegrityError: a run of `base` that had to be merged is damaged.
    """
    pairs = ((key.encode(), canonical.encode(value)) for key, value in changed.items())
    records, start = sort_records(pairs), base or Checkpoint(store, 0, "", ())
    with _scratch(store) as folder:
        path = folder / "run"
        older = _with_run(store, start, seq, head, records=records, count=len(records), path=path)
    return _publish(store, Checkpoint(store, seq, head, older, time=time))


def write_bulk_checkpoint(
    store: Store,
    base: Checkpoint | None,
    seq: int,
    head: str,
    records: Iterable[tuple[str, bytes]],
    *,
    time: str = "",
) -> Checkpoint:
    """Write the checkpoint of commit `seq` when millions of keys changed, in bounded memory.

    Args:
        store: where the registry lies.
        base: as for `write_checkpoint`.
        seq: number of the commit.
        head: sha256 of its log file.
        records: keys that changed and their values as compact JSON, in any order; `null` removes
            a key, and of a repeated key the last value counts. The store's scratch folder needs
            room for all of them twice.
        time: as for `write_checkpoint`.

    Raises:
        CheckpointGoneError, IntegrityError: as for `write_checkpoint`.
    """
    pairs = ((key.encode(), value) for key, value in records)
    start = base or Checkpoint(store, 0, "", ())
    with _scratch(store) as folder:
        count, ordered = external_sort(pairs, folder)
        path = folder / "run"
        older = _with_run(store, start, seq, head, records=ordered, count=count, path=path)
    return _publish(store, Checkpoint(store, seq, head, older, time=time))


def prune(store: Store, keep: int = 3, *, spare_s: float = 0.0) -> None:
    """Remove superseded checkpoints, and run files nobody names; see `stale_files`.

    With `keep=0` all checkpoints are removed, and the tip, so that they can be built anew.
    """
    stale = stale_files(store, keep, spare_s=spare_s)
    # in that order, though each kind at once
    delete_all(store, [key for key in stale if not key.endswith(RUN_SUFFIX)])
    delete_all(store, [key for key in stale if key.endswith(RUN_SUFFIX)])


def stale_files(store: Store, keep: int = 3, *, spare_s: float = 0.0) -> list[str]:
    """Return the files of checkpoints that need not be kept, in the order to remove them.

    What is newer than the newest usable checkpoint may be a writer at work and is left out.

    Args:
        store: where the registry lies.
        keep: how many of the newest usable checkpoints to keep.
        spare_s: keep also those that were made within so many seconds, for who still reads them.
    """
    kept = _newest_usable(store, keep, spare_s)
    if keep and not kept:
        return []
    named = {run.key for checkpoint in kept for run in checkpoint.runs}
    named |= {manifest_key(checkpoint.id) for checkpoint in kept}
    stale = [
        key
        for key in store.list_after(CHECKPOINTS_PREFIX)
        if key.endswith((RUN_SUFFIX, "/" + MANIFEST_NAME))
        and key not in named
        and (not kept or id_of_key(key) <= kept[0].id)
    ]
    if not keep:
        stale.append(TIP_KEY)
    # manifests first: a kill in between must not leave one that names missing files
    return sorted(stale, key=lambda key: key.endswith(RUN_SUFFIX))


@contextmanager
def _scratch(store: Store) -> Iterator[Path]:
    with store.scratch() as folder:
        try:
            yield folder
        except OSError as error:
            raise storage_error(error, "write in", folder) from error


def _newest_usable(store: Store, count: int, spare_s: float) -> list[Checkpoint]:
    usable: list[Checkpoint] = []
    if count:
        for candidate in scan(store, Log(store)):
            if candidate.checkpoint is None:
                continue
            if len(usable) >= count and not _is_younger(store, candidate.id, spare_s):
                break
            usable.append(candidate.checkpoint)
    return usable


def _is_younger(store: Store, id_: str, seconds: float) -> bool:
    # no look at the store where nothing is to be spared
    return seconds > 0 and (store.age_s(manifest_key(id_)) or 0.0) < seconds


def _with_run(
    store: Store,
    start: Checkpoint,
    seq: int,
    head: str,
    *,
    records: Iterable[Record],
    count: int,
    path: Path,
) -> tuple[RunRef, ...]:
    """Store the records as a run, merged with those before that are due; return all runs."""
    older = start.runs
    if count:
        taken = _runs_to_merge(older, count)
        older = older[len(taken) :]
        sources = [records, *(start.reader(run).iterate() for run in taken)]
        hint = count + sum(run.info.records for run in taken)
        # with no older run left, nothing remains for a tombstone to hide
        merged = merge(sources, drop_tombstones=not older)
        info = write_run(path, merged, hint, filtered=bool(older))
        if info.records:
            name = f"{info.sha256[:16]}{RUN_SUFFIX}"
            key = f"{CHECKPOINTS_PREFIX}{checkpoint_id(seq, head)}/{name}"
            store.put(key, path)
            older = (RunRef(key, info), *older)
    return older


def _runs_to_merge(runs: tuple[RunRef, ...], count: int) -> tuple[RunRef, ...]:
    gathered, taken = count, 0
    factor = _factor(count + sum(run.info.records for run in runs), count)
    while taken < len(runs) and runs[taken].info.records < factor * gathered:
        gathered += runs[taken].info.records
        taken += 1
    return runs[:taken]


def _factor(total: int, new: int) -> float:
    """Return by how much each run must at least be larger than all newer ones.

    The `LEVELS`-th root of how much larger all is than what is new: with 4,000,000 keys and 300 of
    them new, 24. A record is then written anew about 12 times on each level.
    """
    return max(float(MERGE_FACTOR), math.pow(total / new, 1 / LEVELS))


def _publish(store: Store, checkpoint: Checkpoint) -> Checkpoint:
    missing = _missing_run(store, checkpoint)
    if missing:
        raise CheckpointGoneError(missing)
    key = manifest_key(checkpoint.id)
    data = manifest_bytes(checkpoint)
    if store.put_if_absent(key, data) is not PutOutcome.CREATED:
        other = _published(store, checkpoint.id)
        if other is not None:
            # another writer was here first: the same commit, so the same heads
            return other
        store.put(key, data)
    return checkpoint


def _published(store: Store, id_: str) -> Checkpoint | None:
    data = store.get(manifest_key(id_))
    if data is None:
        return None
    try:
        checkpoint = parse_manifest(store, id_, data)
    except IntegrityError:
        return None
    return None if checkpoint is None or _missing_run(store, checkpoint) else checkpoint


def _missing_run(store: Store, checkpoint: Checkpoint) -> str:
    """Return the key of a run that is not there whole; '' when all are."""
    for run in checkpoint.runs:
        if store.size(run.key) != run.info.size:
            return run.key
    return ""
