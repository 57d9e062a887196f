"""What is kept back is nowhere in the whole site: not in a page, not in a table, not in a name."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from regista.decide.operations.context import Payload
from regista.model.tables import TABLES
from regista.registry import requests
from regista.registry.core import Registry
from regista.site.options import PUBLISHABLE, SiteOptions
from regista.site.texts import HIDDEN
from regista.storage.blobs import blob_key
from support.registries import STAGES, new_registry, register
from support.scripted import put_files
from support.site_build import ALL, build, pages_of, text_of, without
from support.site_crawl import crawl, files_of, leaks
from support.site_secrets import BY_NAME, DOMAINS, LONG, PARTS, secret_registry

# a word for each kind of content, in each place where it is kept
MARKS = {
    "cards": ("card-mark", "card-of-blob-mark", "told-mark", "told-of-blob-mark",
              "entry-told-mark"),
    "params": ("param-key-mark", "param-value-mark"),
    "tags": ("tag-key-mark", "tag-value-mark", "entry-tag-mark", "gone-tag-mark", "gated-tag-mark"),
    "source": ("source-key-mark", "source-value-mark"),
    "files": ("file-mark.bin", "prompt-file-mark.txt", "damaged-mark.bin"),
    "prompts": ("prompt-mark",),
    "samples": ("sample-mark",),
    "emails": ("@email-mark.example",),
}  # fmt: skip
EVERY_MARK = [mark for marks in MARKS.values() for mark in marks]
GATES = [{"metadata": {"tags": [{"owner": "risk"}]}}, "integrity"]


def marked_registry() -> Registry:
    rule = {"match": {"name": "gated"}, "stage": "prod", "gates": GATES}
    registry = new_registry({**STAGES, "ungated": "allow", "rules": [rule]})
    options: dict[str, Any] = {
        "params": {"param-key-mark": "param-value-mark"},
        "tags": {"tag-key-mark": "tag-value-mark"},
        "source": {"source-key-mark": "source-value-mark"},
    }
    _versions(registry, "model", {"file-mark.bin": "1"}, card="card-mark", **options)
    _versions(registry, "model", {"file-mark.bin": "2"}, card=f"card-of-blob-mark {'x' * 1200}")
    _versions(registry, "prompt", {"prompt-file-mark.txt": "Say prompt-mark"}, kind="prompt")
    _versions(registry, "prompt", {"prompt-file-mark.txt": "Tell prompt-mark"}, kind="prompt")
    registry.describe("model", f"entry-told-mark {'x' * 1200}")
    registry.describe("model@1", "told-mark")
    registry.describe("model@2", f"told-of-blob-mark {'x' * 1200}")
    registry.tag("model", {"a": "entry-tag-mark", "gone-tag-mark": "b"})
    registry.tag("model", remove=["gone-tag-mark"])
    samples = [{"sample_id": "sample-mark", "metric": "acc", "value": 1}]
    note = "ask bob@email-mark.example"
    registry.log_eval("model@1", "s", {"acc": "0.5"}, note=note, samples=samples)
    _gated(registry)
    return registry


def _versions(registry: Registry, name: str, contents: dict[str, str], **given: Any) -> None:
    store = registry.replica.store
    manifest, rows = put_files(store, contents)
    usual: dict[str, Any] = {"params": {}, "tags": {}, "source": {}, "kind": None}
    chosen = {**usual, **given, "card": registry.preparing.text("card", given.get("card", ""))}
    registry.submit(
        requests.register(
            name, manifest, label=None, run=None, code=None, relations={}, force_new=True,
            payload=Payload({"files": rows}), **chosen,
        )
    )  # fmt: skip


def _gated(registry: Registry) -> None:
    """Have a version refused by gates whose reasons quote its tags and its files."""
    _versions(registry, "gated", {"damaged-mark.bin": "weights"}, tags={"owner": "gated-tag-mark"})
    store = registry.replica.store
    _manifest, rows = put_files(store, {"damaged-mark.bin": "weights"})
    store.delete(blob_key(rows[0]["sha256"]))
    result = registry.promote("gated@1", "prod")
    assert [gate["status"] for gate in result.gates] == ["failed", "failed"]


@pytest.fixture(scope="module")
def marked() -> Registry:
    return marked_registry()


@pytest.fixture(scope="module")
def whole(marked: Registry, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "site"
    build(marked, out, ALL)
    return out


@pytest.fixture(scope="module")
def secret_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("secret") / "site"
    build(secret_registry(), out, without("emails"))
    return out


@pytest.mark.parametrize("mark", EVERY_MARK)
def test_what_is_published_can_be_found(whole: Path, mark: str) -> None:
    """Else the tests below would find nothing whatever they looked at."""
    assert leaks(whole, [mark]) != []


@pytest.mark.parametrize("kind", MARKS)
def test_what_is_off_is_nowhere(marked: Registry, tmp_path: Path, kind: str) -> None:
    build(marked, tmp_path / "site", without(kind))
    assert leaks(tmp_path / "site", MARKS[kind]) == []
    assert raw_leaks(tmp_path / "site", MARKS[kind]) == []
    assert crawl(tmp_path / "site") == []


def test_nothing_is_published_of_what_is_not_asked_for(marked: Registry, tmp_path: Path) -> None:
    build(marked, tmp_path / "site", SiteOptions(publish=frozenset()))
    assert leaks(tmp_path / "site", EVERY_MARK) == []
    assert crawl(tmp_path / "site") == []


def test_by_default_samples_and_addresses_are_off(marked: Registry, tmp_path: Path) -> None:
    build(marked, tmp_path / "site")
    assert leaks(tmp_path / "site", [*MARKS["samples"], *MARKS["emails"]]) == []
    kept = [mark for mark in EVERY_MARK if mark not in {*MARKS["samples"], *MARKS["emails"]}]
    assert [mark for mark in kept if not leaks(tmp_path / "site", [mark])] == []


def test_without_data_there_is_no_table_and_no_console(marked: Registry, tmp_path: Path) -> None:
    build(marked, tmp_path / "site", without("data"))
    names = files_of(tmp_path / "site")
    assert [name for name in names if name.startswith("data/") or name == "sql.html"] == []
    assert [name for name in names if name.endswith((".parquet", ".parquet.js"))] == []
    assert "sql.html" not in text_of(tmp_path / "site", "index.html")
    assert crawl(tmp_path / "site") == []


def raw_leaks(site: Path, words: tuple[str, ...]) -> list[str]:
    """Look into every file as bytes, whatever it is called."""
    return [
        f"{name}: {word}"
        for name, data in pages_of(site).items()
        for word in words
        if word.encode() in data or word in name
    ]


@pytest.mark.parametrize("part", [*PARTS, *BY_NAME.values()])
def test_a_secret_is_nowhere(secret_site: Path, part: str) -> None:
    assert leaks(secret_site, [part]) == []
    assert raw_leaks(secret_site, (part,)) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_an_address_is_nowhere_unless_asked_for(secret_site: Path, domain: str) -> None:
    assert leaks(secret_site, [domain]) == []
    assert raw_leaks(secret_site, (domain,)) == []


def test_a_site_of_secrets_is_whole(secret_site: Path) -> None:
    assert crawl(secret_site) == []
    page = text_of(secret_site, "entries/model/v/1.html")
    assert page.count(HIDDEN) > 20
    assert "first line\n" in page


def test_secrets_are_hidden_even_where_all_is_published(tmp_path: Path) -> None:
    build(secret_registry(), tmp_path / "site", ALL)
    assert leaks(tmp_path / "site", [*PARTS, *BY_NAME.values()]) == []
    assert leaks(tmp_path / "site", [DOMAINS[0]]) != []


def test_the_registry_has_what_the_site_has_not() -> None:
    store = secret_registry().replica.store
    stored = b"".join(store.get(key) or b"" for key in store.list_after(""))
    assert [part for part in PARTS if part.encode() not in stored] == []


@pytest.mark.parametrize(
    ("params", "shown"),
    [
        ({"http://host": "bob@example.org"}, {"http://host": "bob@…"}),
        ({"a": "http://x", "email": "bob@e.org"}, {"a": "http://x", "email": "bob@…"}),
        ({"a": '-----BEGIN PRIVATE KEY-----"x'}, {"a": f'{HIDDEN}"x'}),
        ({"a": "x\nAKIAIOSFODNN7EXAMPLE"}, {"a": f"x\n{HIDDEN}"}),
        ({"password": "x", "passwords": "y"}, {"password": HIDDEN, "passwords": "y"}),
        ({"a@b.de": "1", "a@c.de": "2"}, {"a@…": "2"}),
        ({"q": "a\"b\\c\n\u2028\U0001f600 '/<"}, {"q": "a\"b\\c\n\u2028\U0001f600 '/<"}),
        ({}, {}),
    ],
)
def test_a_pattern_never_runs_from_one_value_into_another(
    tmp_path: Path, params: dict[str, str], shown: dict[str, str]
) -> None:
    registry = new_registry()
    register(registry, "m", "1", params=params, allow_secrets=True)
    build(registry, tmp_path / "site")
    table = tmp_path / "site" / "data" / "versions.parquet"
    with duckdb.connect() as con:
        ((text,),) = con.execute("SELECT params FROM read_parquet(?)", [str(table)]).fetchall()
    assert json.loads(text or "{}") == shown


def test_columns_stay_what_the_tables_say(whole: Path) -> None:
    with duckdb.connect() as con:
        for table in TABLES.values():
            file = str(whole / "data" / f"{table.name}.parquet")
            found = con.execute("DESCRIBE FROM read_parquet(?)", [file]).fetchall()
            assert [(row[0], row[1]) for row in found] == [(c.name, c.type) for c in table.columns]


def test_each_kind_that_can_be_published_is_tested() -> None:
    assert {*MARKS, "data"} == set(PUBLISHABLE)
    assert len(LONG) > 1000
