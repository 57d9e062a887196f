"""The documents of the JSON API say what the commands say, field by field."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import regista
from regista.errors import NotFoundError
from regista.registry.core import Registry
from regista.site.api import addresses
from support import site_registries
from support.cli import Cli
from support.registries import OPEN, new_registry, register
from support.site_files import API, Files, documents, site_of, target_of

Json = dict[str, Any]
DEMO = str(site_registries.DEMO)
# the newest commit of the registry, which would change every document with each commit
NOT_IN_ENTRIES = {"seq"}
LINKS = {"$schema", "links"}


def load(files: Files, path: str) -> Json:
    value: Json = json.loads(files[path])
    return value


def differences(said: Any, document: Any, where: str = "") -> Iterator[str]:
    """Yield where a document lacks, or says otherwise, what a command says."""
    if isinstance(said, dict):
        for name, value in said.items():
            if name not in document:
                yield f"{where}.{name} is missing"
            else:
                yield from differences(value, document[name], f"{where}.{name}")
    elif isinstance(said, list) and isinstance(document, list) and len(said) == len(document):
        for index, (one, other) in enumerate(zip(said, document, strict=True)):
            yield from differences(one, other, f"{where}[{index}]")
    elif said != document:
        yield f"{where}: {said!r} is {document!r}"


def said_differently(registry: Registry, files: Files) -> Iterator[str]:
    """Yield where any document of any entry differs from what `show` and `resolve` say."""
    for name in [entry["name"] for entry in registry.entries()]:
        # a tuple is a list in JSON
        said = json.loads(json.dumps(registry.show(name)))
        kept = {field: said[field] for field in said if field not in NOT_IN_ENTRIES}
        yield from differences(kept, load(files, addresses.entry(name)), name)
        for number in range(1, said["versions"] + 1):
            told = json.loads(json.dumps(registry.show(f"{name}@{number}")))
            if told["purged"]:
                # its manifest may lie in the store for a while, but it is gone for good
                told["artifacts"] = []
            version = load(files, addresses.version(name, number))
            yield from differences(told, version, f"{name}@{number}")
        for how, path_of in (("stage", addresses.stage_of), ("alias", addresses.alias_of)):
            for pointer in said["stages" if how == "stage" else "aliases"]:
                ref = f"{name}@{how}:{pointer}"
                try:
                    told = registry.resolve(ref).to_json()
                except NotFoundError:
                    told = {"version": None, "digest": None, "status": None, "stages": []}
                yield from differences(told, load(files, path_of(name, pointer)), ref)


def test_documents_of_the_demo_say_what_show_and_resolve_say(demo_site: Files) -> None:
    assert list(said_differently(regista.open(DEMO), demo_site)) == []


def test_documents_say_what_show_and_resolve_say_whatever_happened(
    everything_root: Path, everything_site: Files
) -> None:
    registry = regista.open(str(everything_root))
    assert list(said_differently(registry, everything_site)) == []


def test_a_stage_has_exactly_the_fields_of_the_command_and_what_is_said_beside(
    tmp_path: Path, demo_site: Files
) -> None:
    said = Cli(tmp_path)("--registry", DEMO, "--json", "resolve", "digits/classifier@prod").json
    document = load(demo_site, addresses.stage_of("digits/classifier", "prod"))
    assert document.keys() - said.keys() == {*LINKS, "uri", "files"}
    assert {name: document[name] for name in said} == said
    artifacts = regista.open(DEMO).show("digits/classifier@prod")["artifacts"]
    assert document["files"] == artifacts


def test_a_stage_that_holds_nothing_any_more_says_so(everything_site: Files) -> None:
    document = load(everything_site, addresses.stage_of("m", "staging"))
    assert (document["version"], document["digest"], document["status"]) == (None, None, None)
    assert (document["stages"], document["files"], document["stage"]) == ([], [], "staging")
    assert document["links"]["version"] is None


def test_a_stage_that_never_held_anything_has_no_document(demo_site: Files) -> None:
    assert addresses.stage_of("digits", "prod") not in demo_site


def test_scores_are_numbers_that_read_back_as_the_same_double(demo_site: Files) -> None:
    version = load(demo_site, addresses.version("digits/classifier", 2))
    run = version["evals"]["holdout"]
    assert run["values"][0] == {
        "task": "", "metric": "accuracy", "slice": "", "value": 0.9483, "stderr": 0.009,
        "n": 600, "higher_is_better": True,
    }  # fmt: skip
    assert run["scores"] == len(run["values"]) == 12
    assert b'"value":0.9483,' in demo_site[addresses.version("digits/classifier", 2)]


def test_scores_over_all_of_the_data_come_first_and_others_are_capped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = new_registry(OPEN, folder=tmp_path)
    register(registry, "m", "one")
    sliced = [{"metric": "a", "value": "0.5", "slice": f"s={k}"} for k in range(5)]
    registry.log_eval("m@1", "s", [*sliced, {"metric": "z", "value": "0.25"}])
    monkeypatch.setattr("regista.site.api.entries.MAX_VALUES", 3)
    run = load(site_of(str(tmp_path)), addresses.version("m", 1))["evals"]["s"]
    assert [score["value"] for score in run["values"]] == [0.25, 0.5, 0.5]
    assert run["scores"] == 6


def test_decisions_have_the_verdicts_as_promote_tells_them(demo_site: Files) -> None:
    version = load(demo_site, addresses.version("digits/classifier", 5))
    (refused,) = [item for item in version["decisions"] if item["outcome"] == "refused"]
    assert (refused["stage"], refused["op"]) == ("prod", "promote")
    assert refused["gates"][0]["id"] == "rolled-back"
    assert refused["gates"][0]["status"] == "failed"
    assert version["decisions_total"] == len(version["decisions"])


def test_the_index_leads_to_every_entry(demo_site: Files) -> None:
    index = load(demo_site, addresses.INDEX)
    registry = regista.open(DEMO)
    commit, digest = registry.log(limit=1)[0]
    assert (index["seq"], index["head"], index["time"]) == (commit.seq, digest, commit.time)
    assert (index["stages"], index["final_stage"]) == (["dev", "staging", "prod"], "prod")
    names = [entry["name"] for entry in index["entries"]]
    assert names == sorted(entry["name"] for entry in registry.entries())
    for entry in index["entries"]:
        assert load(demo_site, API + entry["url"])["name"] == entry["name"]
    assert (index["page"], index["pages"], index["next"]) == (1, 1, None)


def test_the_index_is_paged(everything_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regista.site.api.registry.ENTRIES_A_PAGE", 1)
    files = site_of(str(everything_root))
    names, path = [], "index.json"
    while path:
        page = load(files, API + path)
        names += [entry["name"] for entry in page["entries"]]
        path = page["next"]
    assert len(names) == page["entries_total"] == page["pages"] > 1
    assert names == sorted(set(names))


def test_a_stage_lists_all_that_it_holds(demo_site: Files) -> None:
    prod = load(demo_site, addresses.stage("prod"))
    held = {entry["name"]: entry["version"] for entry in prod["entries"]}
    listed = regista.open(DEMO).entries()
    assert held == {e["name"]: e["stages"]["prod"] for e in listed if "prod" in e["stages"]}
    for entry in prod["entries"]:
        document = load(demo_site, target_of(addresses.stage("prod"), entry["url"]))
        assert list(differences({k: v for k, v in entry.items() if k != "url"}, document)) == []


def test_events_policy_and_drills_say_what_the_commands_say(
    tmp_path: Path, demo_site: Files
) -> None:
    events = load(demo_site, addresses.EVENTS)["events"]
    said = Cli(tmp_path)("--registry", DEMO, "--json", "history", "--limit", "200").json
    assert list(differences(said, events)) == []
    policy = regista.open(DEMO).policy()
    assert list(differences(policy, load(demo_site, addresses.POLICY))) == []
    (drill,) = load(demo_site, addresses.DRILLS)["drills"]
    assert (drill["name"], drill["ok"], drill["stage"]) == ("digits/classifier", True, "prod")


def test_links_lead_to_files_of_the_site(demo_site: Files) -> None:
    for path, document in documents(demo_site).items():
        for address in [document["$schema"], *addresses_in(document)]:
            assert target_of(API + path, address) in demo_site, (path, address)


def addresses_in(value: Any) -> Iterator[str]:
    """Yield the addresses in a document, without the templates of addresses."""
    if isinstance(value, dict):
        for name, item in value.items():
            if name in {"url", "badge", "page", "next"} and isinstance(item, str):
                yield item
            elif name == "links":
                yield from (link for link in item.values() if link and "{" not in link)
            else:
                yield from addresses_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from addresses_in(item)


def test_a_commit_changes_no_document_that_it_does_not_concern(tmp_path: Path) -> None:
    registry = new_registry(OPEN, folder=tmp_path)
    register(registry, "one", "1")
    register(registry, "other", "1")
    register(registry, "other", "2")
    before = site_of(str(tmp_path))
    registry.promote("other@2", "prod")
    after = site_of(str(tmp_path))
    changed = {path for path in after if path.startswith(API) and before.get(path) != after[path]}
    assert changed == {
        addresses.INDEX,
        addresses.EVENTS,
        addresses.stage("prod"),
        addresses.entry("other"),
        addresses.version("other", 2),
        addresses.stage_of("other", "prod"),
        # the list of stages that the version holds
        addresses.stage_of("other", "dev"),
    }


def test_names_that_differ_only_by_case_or_end_in_json_lie_apart(tmp_path: Path) -> None:
    policy = {**OPEN, "stages": ["dev", "Dev", "con"]}
    registry = new_registry(policy, folder=tmp_path)
    for name in ("m", "M", "m.json", "index.json"):
        register(registry, name, "1")
        registry.promote(f"{name}@1", "Dev")
        registry.promote(f"{name}@1", "con")
        registry.alias(f"{name}@1", "best")
        registry.alias(f"{name}@1", "Best")
    # the sink refuses a path twice, whatever its case
    files = site_of(str(tmp_path))
    for name in ("m", "M", "m.json", "index.json"):
        assert load(files, addresses.stage_of(name, "Dev"))["stage"] == "Dev"
        assert load(files, addresses.alias_of(name, "Best"))["name"] == name
    paths = [path for path in files if path.startswith(API)]
    folders = {path.rpartition("/")[0] for path in paths}
    assert not folders & set(paths)


def test_documents_are_one_line_of_utf8_with_a_newline_at_the_end(demo_site: Files) -> None:
    for path, data in demo_site.items():
        if path.startswith(API) and "/schemas/" not in path:
            assert data.endswith(b"}\n")
            assert data.count(b"\n") == 1
    card = demo_site[addresses.version("digits/classifier", 2)]
    assert "0.948 ± 0.009".encode() in card


def test_two_builds_are_the_same_to_the_byte(demo_site: Files) -> None:
    again = site_of(DEMO)
    assert again == demo_site
