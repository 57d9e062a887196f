"""Checkpoints: the heads as of one commit, for reading a few keys without folding the log.

`checkpoints/<seq>-<head[:12]>/manifest.json` names runs (`regista.storage.runfile`), newest
first; a run may lie in an older checkpoint's folder. The manifest is written last and is canonical
JSON with a digest of itself. A checkpoint counts only when the log file of its number has the
digest that it names, so one that is torn, or stems from another history, is passed over and the
reader folds more of the log instead. What the keys mean is `regista.decide`'s business; making,
merging and removing checkpoints is `regista.storage.checkpointer`'s.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from regista.errors import IntegrityError, InvalidInputError
from regista.model import canonical
from regista.storage.log import Log
from regista.storage.runfile import BUCKET, RunInfo, RunReader, key_hash
from regista.storage.store import Store

CHECKPOINTS_PREFIX = "checkpoints/"
MANIFEST_NAME = "manifest.json"
RUN_SUFFIX = ".run"
# a checkpoint of another format is passed over as if it were not there
FORMAT = 3


ReadRange = Callable[[str, int, int], bytes | None]


class CheckpointGoneError(IntegrityError):
    """A run file is no longer there: a newer checkpoint's writer removed it.

    It is no user's business: load the latest checkpoint again.
    """

    def __init__(self, key: str) -> None:
        super().__init__(f"checkpoint file {key} is gone", hint="regista rebuild")


@dataclass(frozen=True, slots=True)
class RunRef:
    """A run that a checkpoint names: its key in the store, and how to look into it."""

    key: str
    info: RunInfo


class Checkpoint:
    """The heads as of commit `seq`, looked up in the store as they are asked for.

    Attributes:
        seq: number of the last commit whose rows are in the heads.
        head: sha256 of that commit's log file.
        runs: newest first; of a key's records the one in the newest run counts.
        time: recorded time of the commit; '' where an older Regista did not note it.
    """

    def __init__(
        self,
        store: Store,
        seq: int,
        head: str,
        runs: tuple[RunRef, ...],
        *,
        time: str = "",
    ) -> None:
        self.seq = seq
        self.head = head
        self.runs = runs
        self.time = time
        self._store = store
        self._readers = [self.reader(run) for run in runs]

    def look_up_through(self, read: ReadRange) -> None:
        """Look keys up with a `Store.get_range` that remembers, where each question takes time."""
        self._readers = [
            RunReader(_range_of(read, run.key), run.info, run.key) for run in self.runs
        ]

    @property
    def id(self) -> str:
        """The name of the checkpoint's folder."""
        return checkpoint_id(self.seq, self.head)

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return the value of a key; None when it has none, or no longer.

        Raises:
            CheckpointGoneError: a run file was removed meanwhile.
            IntegrityError: the part of a run that was read is damaged.
        """
        raw = key.encode()
        hash_ = key_hash(raw)
        for reader in self._readers:
            value = reader.find(raw, hash_)
            if value is not None:
                return json.loads(value)
        return None

    def items(self, prefix: str = "") -> Iterator[tuple[str, Any]]:
        """Yield the keys that start with `prefix` and their values, in the order of their hashes.

        Reads every run from end to end, whatever the prefix, in about a megabyte of memory each.

        Raises:
            CheckpointGoneError: a run file was removed meanwhile.
            IntegrityError: a run is damaged anywhere.
        """
        from regista.storage.runsort import merge

        sources = [reader.iterate(prefix.encode()) for reader in self._readers]
        for _hash, key, value in merge(sources, drop_tombstones=True):
            yield key.decode(), json.loads(value)

    def reader(self, run: RunRef) -> RunReader:
        """Return a reader of one of the runs that sees a removed file as CheckpointGoneError."""
        return RunReader(_range_of(self._store.get_range, run.key), run.info, run.key)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checkpoint found in the store.

    Attributes:
        id: name of its folder.
        checkpoint: what it holds; None when it cannot be used.
        problem: why it cannot be used; '' when it can.
    """

    id: str
    checkpoint: Checkpoint | None
    problem: str = ""


def checkpoint_id(seq: int, head: str) -> str:
    """Return the name of the folder of the checkpoint at a commit with this digest."""
    return f"{seq:012d}-{head[:12]}"


def manifest_key(id_: str) -> str:
    """Return the key of a checkpoint's manifest."""
    return f"{CHECKPOINTS_PREFIX}{id_}/{MANIFEST_NAME}"


def id_of_key(key: str) -> str:
    """Return the folder of a key below `checkpoints/`."""
    return key.removeprefix(CHECKPOINTS_PREFIX).partition("/")[0]


def manifest_bytes(checkpoint: Checkpoint) -> bytes:
    """Return the manifest of a checkpoint."""
    body = {
        "format": FORMAT,
        "seq": checkpoint.seq,
        "head": checkpoint.head,
        "time": checkpoint.time,
        "runs": [_run_json(run) for run in checkpoint.runs],
    }
    return sealed(body)


def sealed(body: dict[str, Any]) -> bytes:
    """Return an object as canonical JSON with a digest of itself, and a newline."""
    return canonical.encode({**body, "digest": canonical.digest(body)}) + b"\n"


def unsealed(data: bytes, what: str) -> dict[str, Any]:
    """Read what `sealed` wrote; `what` names it in messages.

    Raises:
        IntegrityError: it is not as it was written.
    """
    try:
        body: dict[str, Any] = canonical.decode(data)
        digest = body.pop("digest")
    except (InvalidInputError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"the {what} is damaged") from error
    if canonical.digest(body) != digest:
        raise IntegrityError(f"the {what} is not as it was written")
    return body


def parse_manifest(store: Store, id_: str, data: bytes) -> Checkpoint | None:
    """Read a manifest that lies in the folder `id_`; None when it has another format.

    Raises:
        IntegrityError: it is not as it was written, or not of that folder.
    """
    body = unsealed(data, "manifest")
    try:
        if body["format"] != FORMAT:
            return None
        runs = tuple(_parse_run(run) for run in body["runs"])
        seq, head, time = int(body["seq"]), str(body["head"]), str(body["time"])
    except (KeyError, TypeError, ValueError) as error:
        raise IntegrityError("the manifest is damaged") from error
    if checkpoint_id(seq, head) != id_:
        raise IntegrityError("the manifest belongs to another folder")
    return Checkpoint(store, seq, head, runs, time=time)


def scan(store: Store, log: Log) -> Iterator[Candidate]:
    """Yield the checkpoints that have a manifest, newest first, each judged against the log."""
    keys = set(store.list_after(CHECKPOINTS_PREFIX))
    for key in sorted(keys, reverse=True):
        data = store.get(key) if key.endswith("/" + MANIFEST_NAME) else None
        if data is None:
            continue
        id_ = id_of_key(key)
        try:
            checkpoint = parse_manifest(store, id_, data)
        except IntegrityError as error:
            yield Candidate(id_, None, error.message)
            continue
        if checkpoint is None:
            continue
        problem = _problem(checkpoint, keys, log)
        yield Candidate(id_, None if problem else checkpoint, problem)


def load_latest(store: Store, log: Log) -> Checkpoint | None:
    """Return the newest checkpoint that fits the log and is whole; None when there is none."""
    for candidate in scan(store, log):
        if candidate.checkpoint is not None:
            return candidate.checkpoint
    return None


def _range_of(read: ReadRange, key: str) -> Callable[[int, int], bytes]:
    def read_range(start: int, length: int) -> bytes:
        data = read(key, start, length)
        if data is None:
            raise CheckpointGoneError(key)
        return data

    return read_range


def _problem(checkpoint: Checkpoint, keys: AbstractSet[str], log: Log) -> str:
    for run in checkpoint.runs:
        if run.key not in keys:
            return f"its file {run.key} is missing"
    digest = log.digest(checkpoint.seq)
    if digest is None:
        return f"the log has no commit {checkpoint.seq}"
    if digest != checkpoint.head:
        return f"commit {checkpoint.seq} has another digest in the log"
    return ""


def _run_json(run: RunRef) -> dict[str, Any]:
    info = run.info
    return {
        "key": run.key,
        "sha256": info.sha256,
        "size": info.size,
        "records": info.records,
        "index": b64encode(info.index).decode(),
        "filter": b64encode(info.filter).decode(),
    }


def _parse_run(value: dict[str, Any]) -> RunRef:
    index = b64decode(value["index"], validate=True)
    buckets, rest = divmod(len(index), BUCKET.size)
    if rest or buckets < 1 or buckets & (buckets - 1):
        raise ValueError("the number of buckets is not a power of two")
    filter_ = b64decode(value["filter"], validate=True)
    info = RunInfo(str(value["sha256"]), int(value["size"]), int(value["records"]), index, filter_)
    return RunRef(str(value["key"]), info)
