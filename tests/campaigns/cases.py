"""The commands that the campaign tries, each on a small registry made for it.

A prepared registry is made once and copied for every run. Each command has a transaction id, so
that running it again must come to the same commit.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import regista
from regista.registry.core import Registry
from support.cli import Cli, Ran
from support.registries import STAGES, new_registry

DATA = "registry_data"
TXID = "the-command-under-test"
PEOPLE = {**STAGES, "groups": {"risk": ["rita"]}}
POLICY: dict[str, Any] = {
    **PEOPLE,
    "ungated": "refuse",
    "rules": [
        {
            "match": {},
            "stage": "staging",
            "gates": [{"threshold": {"suite": "holdout", "metric": "acc", "min": "0.8"}}],
        },
        {
            "match": {},
            "stage": "prod",
            "from": "staging",
            "gates": [
                {"baseline": {"suite": "holdout", "metric": "acc", "max_regression": "0.05"}},
                {"approvals": {"count": 1, "from": ["risk"]}},
            ],
        },
    ],
}
SAMPLES = 200


@dataclass(frozen=True, slots=True)
class Case:
    """One command.

    Attributes:
        name: short, unique.
        base: which prepared registry it runs on.
        arguments: the command line.
        writes: whether it makes a commit; maintenance makes none.
        stages: of `m`, which are looked up before and after.
    """

    name: str
    base: str
    arguments: tuple[str, ...]
    writes: bool = True

    def command(self) -> tuple[str, ...]:
        """Return the whole command line."""
        named = ("--txid", TXID) if self.writes and self.name != "init" else ()
        return (*self.arguments, *named, "--json", "--actor", "rita")


CASES = (
    Case("init", "nothing", ("init",)),
    Case(
        "register",
        "small",
        ("register", "m", "model", "--card", "card.md", "--param", "lr=0.1", "--tag", "a=b"),
    ),
    Case(
        "eval log",
        "small",
        ("eval", "log", "m@3", "--suite", "big", "--metric", "acc=0.9", "--samples", "s.jsonl"),
    ),
    Case("approve", "small", ("approve", "n@1", "--to", "prod")),
    Case("promote", "small", ("promote", "m@3", "--to", "prod")),
    Case("rollback", "small", ("rollback", "m", "--stage", "prod", "--reason", "slow")),
    Case("merge", "before a merge", ("tag", "m", "owner=risk")),
    Case("compact", "behind", ("compact",), writes=False),
    Case("rebuild", "merged", ("rebuild",), writes=False),
    Case("gc", "purged", ("gc",), writes=False),
)


def case_named(name: str) -> Case:
    """Return a case by its name."""
    return next(case for case in CASES if case.name == name)


def prepare(base: str, folder: Path) -> None:
    """Make a prepared registry, with the files that its commands take, in a new folder."""
    folder.mkdir(parents=True)
    _write_inputs(folder)
    _BASES[base](folder)


def run(folder: Path, *arguments: str) -> Ran:
    """Run a command line in this process, in a folder."""
    return Cli(folder).inside(*arguments)


def _write_inputs(folder: Path) -> None:
    (folder / "model").mkdir()
    (folder / "model" / "weights.bin").write_bytes(b"weights" * 1000)
    (folder / "model" / "config.json").write_text('{"layers": 3}')
    (folder / "card.md").write_text("# A model\n" + "What it does. " * 200)
    rows = [
        {"sample_id": str(number), "metric": "acc", "value": number % 3 / 2}
        for number in range(SAMPLES)
    ]
    (folder / "s.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _version(registry: Registry, name: str, text: str, folder: Path) -> str:
    (folder / "artifact").mkdir(exist_ok=True)
    (folder / "artifact" / "weights.bin").write_text(text)
    made = registry.register(name, folder / "artifact", kind="model")
    ref = f"{name}@{made.version}"
    registry.log_eval(ref, "holdout", {"acc": "0.9"})
    assert registry.promote(ref, "staging").outcome == "passed"
    return ref


def _small(folder: Path) -> Registry:
    registry = new_registry(POLICY, folder=folder / DATA, actor="rita")
    for text in ("one", "two", "three"):
        ref = _version(registry, "m", text, folder)
        registry.approve(ref, "prod")
        if text != "three":
            assert registry.promote(ref, "prod").outcome == "passed"
    _version(registry, "n", "other", folder)
    shutil.rmtree(folder / "artifact")
    return registry


def _nothing(_folder: Path) -> None:
    pass


def _to_commit(registry: Registry, seq: int) -> None:
    registry.create("filler", kind="model")
    while (head := registry.replica.refresh().seq) < seq:
        registry.tag("filler", {"number": str(head)})


def _before_a_merge(folder: Path) -> None:
    _to_commit(_small(folder), 63)


def _merged(folder: Path) -> None:
    _to_commit(_small(folder), 66)


def _behind(folder: Path) -> None:
    """Make a registry whose last commits are not in the tables, as after a killed writer."""
    registry = _small(folder)
    _to_commit(registry, 63)
    kept = {path for path in (folder / DATA / "tables").rglob("*") if path.is_file()}
    for number in range(2):
        registry.tag("filler", {"late": str(number)})
    tables, checkpoints = folder / DATA / "tables", folder / DATA / "checkpoints"
    shutil.rmtree(checkpoints, ignore_errors=True)
    late = [path for path in tables.rglob("*.parquet") if path not in kept]
    for path in late:
        path.unlink()


def _purged(folder: Path) -> None:
    registry = _small(folder)
    made = _version(registry, "old", "to be forgotten", folder)
    registry.demote("old", "staging")
    registry.demote("old", "dev")
    registry.delete(made, purge=True)
    shutil.rmtree(folder / "artifact")


_BASES: dict[str, Callable[[Path], object]] = {
    "nothing": _nothing,
    "small": _small,
    "before a merge": _before_a_merge,
    "behind": _behind,
    "merged": _merged,
    "purged": _purged,
}


def opened(folder: Path) -> Registry:
    """Open the registry of a folder."""
    return regista.open(str(folder / DATA), actor="judge")
