"""Commits made by hand, and a log of them in memory, for tests of what follows the log."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from regista.model.canonical import sha256_hex
from regista.model.commit import FORMAT, Commit, DataRef, OpRecord, Row


def at_second(second: int) -> str:
    return f"2026-03-03T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.000000Z"


@dataclass
class SampleLog:
    """A growing list of commits, read as the log is."""

    commits: list[Commit] = field(default_factory=list)

    @property
    def head(self) -> int:
        return len(self.commits)

    def add(
        self, *rows: Row, data: tuple[DataRef, ...] = (), actor: str = "ann", op: str = "test"
    ) -> Commit:
        seq = self.head + 1
        parent = self.digest(seq - 1) if seq > 1 else "registry-id"
        commit = Commit(
            format=FORMAT,
            registry="registry-id",
            seq=seq,
            parent=parent,
            txid=f"tx{seq}",
            time=at_second(seq),
            clock=at_second(seq),
            actor=actor,
            ops=(OpRecord(op, {}, {}, {}),),
            rows=rows,
            data=data,
            policy="",
            engine="test 1",
        )
        self.commits.append(commit)
        return commit

    def digest(self, seq: int) -> str:
        return sha256_hex(self.commits[seq - 1].to_bytes())

    def read(self, seq: int) -> tuple[Commit, str]:
        return self.commits[seq - 1], self.digest(seq)

    def tail(self, after: int) -> Iterator[tuple[Commit, str]]:
        return (self.read(seq) for seq in range(after + 1, self.head + 1))


def entry_row(entry_id: str, name: str, kind: str = "model") -> Row:
    return {"table": "entries", "entry_id": entry_id, "entry": name, "kind": kind}


def version_row(entry_id: str, name: str, version: int, **more: str) -> Row:
    digest = sha256_hex(f"{entry_id}/{version}".encode())
    return {
        "table": "versions",
        "entry_id": entry_id,
        "entry": name,
        "kind": "model",
        "version": version,
        "digest": digest,
        "files": 1,
        "bytes": 10,
        **more,
    }


def placement_row(
    entry_id: str,
    name: str,
    stage: str,
    change: tuple[int | None, int | None],
    action: str = "promote",
) -> Row:
    row: Row = {
        "table": "placements",
        "entry_id": entry_id,
        "entry": name,
        "stage": stage,
        "from_version": change[0],
        "to_version": change[1],
        "action": action,
    }
    return {name: value for name, value in row.items() if value is not None}


def run_rows(
    entry_id: str,
    name: str,
    version: int,
    run_id: str,
    scores: dict[str, str],
    *,
    suite: str = "holdout",
    status: str = "complete",
    higher: bool | None = True,
) -> list[Row]:
    """An eval run with one score over all data, and one of a slice, per metric."""
    common = {
        "entry_id": entry_id,
        "entry": name,
        "version": version,
        "run_id": run_id,
        "suite": suite,
    }
    rows: list[Row] = [
        {
            "table": "eval_runs",
            **common,
            "status": status,
            "dataset": "digits@1",
            "scores": 2 * len(scores),
            "samples": 0,
        }
    ]
    for metric, value in scores.items():
        for slice_ in ("", "class=3"):
            row: Row = {
                "table": "eval_scores",
                **common,
                "task": "",
                "metric": metric,
                "slice": slice_,
                "value": value,
                "n": 360,
            }
            rows.append(row if higher is None else {**row, "higher_is_better": higher})
    return rows
