"""The facts of the site are what `show`, `resolve`, `log` and `entries` say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import regista
from regista.errors import NotFoundError, RefusedError
from regista.read.world import load_bundle
from regista.registry.core import Registry
from regista.registry.reads import Reads
from regista.site.facts import Knowledge, entry_facts, folded, safe_url
from regista.site.model import Entry, Version
from regista.site.options import PUBLISHABLE, SiteOptions
from regista.site.planning import plan
from regista.site.published import published
from support import everything, site_registries
from support.registries import OPEN, copy_of, new_registry, register, reopen

ALL = SiteOptions(publish=frozenset(PUBLISHABLE))
MAKERS: tuple[Callable[[Path], Path], ...] = (
    site_registries.demo, site_registries.hard, site_registries.waived, site_registries.empty,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """A registry, and what the site makes of it."""

    reads: Reads
    entries: dict[str, Entry]

    def versions(self) -> Iterator[tuple[Entry, Version]]:
        for entry in self.entries.values():
            # of very many versions, some of each age
            many = entry.versions
            for version in many if len(many) < 30 else (*many[:8], *many[8::60]):
                yield entry, version


def facts_of(reads: Reads, folder: Path, as_of: int | None = None) -> Told:
    planned = plan(reads, ALL, as_of=as_of)
    folder.mkdir(exist_ok=True)
    with published(reads, ALL, planned.state.seq, folder) as tables:
        names = dict(tables.query("SELECT entry_id, entry FROM entries"))
        policy = load_bundle(reads.replica.store, planned.state.policy_digest).policy
        know = Knowledge(tables.texts, names, policy, policy.stages[-1], ALL)
        made = [entry_facts(know, rows, folded(rows)) for rows in tables.entries()]
    return Told(reads, {entry.name: entry for entry in made})


@pytest.fixture(scope="module", params=[*MAKERS, everything.build], ids=lambda make: make.__name__)
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("facts")
    if request.param is everything.build:
        everything.build(folder=folder / "registry")
    else:
        request.param(folder / "registry")
    return facts_of(regista.open(str(folder / "registry")), folder / "tables")


def test_there_are_the_entries_that_are_there(told: Told) -> None:
    found = {row["name"]: row["kind"] for row in told.reads.entries()}
    assert {name: entry.kind for name, entry in told.entries.items()} == found


def test_every_stage_holds_what_resolve_says(told: Told) -> None:
    for entry in told.entries.values():
        stages = {slot.stage for slot in entry.slots} | {"prod", "staging", "nowhere"}
        for stage in stages:
            slot = entry.slot(stage)
            assert (slot.version if slot else None) == resolved(told.reads, f"{entry.name}@{stage}")


def resolved(reads: Reads, ref: str) -> int | None:
    try:
        return reads.resolve(ref).version
    except NotFoundError:
        return None


def test_every_alias_names_what_resolve_says(told: Told) -> None:
    for entry in told.entries.values():
        shown = told.reads.show(entry.name)
        assert {alias for alias, *_ in entry.aliases} == set(shown["aliases"])
        for alias, number, _time, _by in entry.aliases:
            assert told.reads.resolve(f"{entry.name}@{alias}").version == number


def test_every_rollback_target_is_what_show_says(told: Told) -> None:
    for entry in told.entries.values():
        stages = told.reads.show(entry.name)["stages"]
        for slot in entry.slots:
            if slot.gated:
                assert slot.target == stages[slot.stage]["rollback_target"], (entry.name, slot)
                assert bool(slot.rollback) == (slot.target is not None)


def test_a_rollback_restores_what_the_site_says(tmp_path: Path) -> None:
    everything.build(folder=tmp_path / "registry")
    told = facts_of(regista.open(str(tmp_path / "registry")), tmp_path / "tables")
    for entry in told.entries.values():
        for slot in entry.slots:
            if slot.gated:
                copy = reopen(copy_of(told.reads.replica.store))
                assert rolled_back(copy, entry.name, slot.stage) == slot.target


def rolled_back(registry: Registry, name: str, stage: str) -> int | None:
    try:
        registry.rollback(name, stage)
    except (NotFoundError, RefusedError):
        return None
    return registry.resolve(f"{name}@{stage}").version


def test_every_version_is_as_show_says(told: Told) -> None:
    for entry, version in told.versions():
        shown = told.reads.show(f"{entry.name}@{version.number}")
        mine: dict[str, Any] = {
            "version": version.number, "digest": version.digest, "status": version.status,
            "kind": version.kind, "params": version.params, "tags": version.tags,
        }  # fmt: skip
        for name, value in mine.items():
            assert shown[name] == value, (entry.name, version.number, name)
        assert sorted(version.stages) == sorted(shown["stages"])
        assert sorted(version.aliases) == sorted(shown["aliases"])
        assert (version.label or None) == shown["label"]
        assert len(version.artifacts) == version.files


def test_every_version_and_no_other_is_there(told: Told) -> None:
    for entry in told.entries.values():
        numbers = [version.number for version in entry.versions]
        assert numbers == sorted(numbers, reverse=True)
        assert len(set(numbers)) == len(numbers)
        there = [version.number for version in entry.versions if version.status != "deleted"]
        latest = entry.newest.number if entry.newest else None
        assert latest == max(there, default=None) == resolved(told.reads, f"{entry.name}@latest")


def test_links_go_both_ways(told: Told) -> None:
    down = {
        (f"{entry.name}@{version.number}", ref.text, ref.relation)
        for entry in told.entries.values()
        for version in entry.versions
        for ref in version.lineage
        if ref.page
    }
    up = {
        (ref.text, f"{entry.name}@{version.number}", ref.relation)
        for entry in told.entries.values()
        for version in entry.versions
        for ref in version.used_by
        if ref.relation != "eval"
    }
    assert down == up


def test_a_stage_holds_one_version_at_a_time(told: Told) -> None:
    for entry in told.entries.values():
        for slot in entry.slots:
            holds = [hold for hold in entry.holds if hold.stage == slot.stage]
            for before, after in pairwise(holds):
                assert before.until is not None
                assert before.until <= after.since
            open_ = [hold.version for hold in holds if hold.until is None]
            assert open_ == ([] if slot.version is None else [slot.version])


def test_the_past_is_folded_as_everywhere(tmp_path: Path) -> None:
    reads = regista.open(str(site_registries.demo(tmp_path / "registry")))
    for seq in range(1, reads.replica.refresh().seq, 5):
        told = facts_of(reads, tmp_path / f"tables-{seq}", seq)
        for entry in told.entries.values():
            for slot in entry.slots:
                try:
                    found = reads.resolve(f"{entry.name}@{slot.stage}", as_of=seq).version
                except NotFoundError:
                    found = None
                assert slot.version == found


def incumbents(registry: Registry, folder: Path) -> dict[int, int | None]:
    entry = facts_of(registry, folder).entries["m"]
    return {version.number: version.incumbent for version in entry.versions}


@pytest.fixture
def three() -> Registry:
    registry = new_registry(OPEN)
    for number in range(1, 4):
        register(registry, "m", str(number))
    registry.promote("m@1", "prod")
    return registry


def test_the_incumbent_is_what_was_there(three: Registry, tmp_path: Path) -> None:
    three.promote("m@2", "prod")
    three.log_eval("m@3", "s", {"a": "1"})
    assert incumbents(three, tmp_path / "a") == {1: None, 2: 1, 3: 2}


def test_what_is_in_the_stage_is_compared_with_what_it_replaced(
    three: Registry, tmp_path: Path
) -> None:
    three.promote("m@2", "prod")
    three.log_eval("m@2", "s", {"a": "1"})
    three.log_eval("m@1", "s", {"a": "1"})
    assert incumbents(three, tmp_path / "a") == {1: 2, 2: 1, 3: None}


def test_an_emptied_stage_has_no_incumbent(three: Registry, tmp_path: Path) -> None:
    three.demote("m", "prod")
    three.log_eval("m@3", "s", {"a": "1"})
    three.promote("m@2", "prod")
    three.log_eval("m@2", "s", {"a": "1"})
    assert incumbents(three, tmp_path / "a") == {1: None, 2: None, 3: None}


def test_two_decisions_of_one_commit_keep_their_verdicts(tmp_path: Path) -> None:
    everything.build(folder=tmp_path / "registry")
    told = facts_of(regista.open(str(tmp_path / "registry")), tmp_path / "tables")
    for entry in told.entries.values():
        for version in entry.versions:
            for decision in version.decisions:
                gates = [verdict.gate for verdict in decision.verdicts]
                assert len(gates) == len(set(gates))


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://e.example/a?b", "https://e.example/a?b"),
        ("http://e.example", "http://e.example"),
        ("HTTPS://e.example", "HTTPS://e.example"),
        *((text, "") for text in (
            "", "javascript:alert(1)", "data:text/html,x", "//e.example", "s3://b/key", "https:",
            "https:///x", "http://[", "file:///etc/passwd", "mailto:a@b.c", "e.example",
            "https:e.example",
            " javascript:alert(1)", "java\nscript:alert(1)",
        )),
    ],
)  # fmt: skip
def test_only_addresses_that_are_safe_are_linked_to(text: str, url: str) -> None:
    assert safe_url(text) == url
