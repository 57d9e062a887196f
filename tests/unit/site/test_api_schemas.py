"""Every document is as its schema says, and its schema says everything that a document has."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from regista.site.options import PUBLISHABLE, SiteOptions
from support import site_registries
from support.site_files import Files, documents, schemas, site_of

KINDS = {"index", "entry", "version", "pointer", "stage", "events", "policy", "drills"}


def strict(schema: Any) -> Any:
    """Return a schema that allows no field that it does not name."""
    if isinstance(schema, dict):
        closed = {name: strict(value) for name, value in schema.items()}
        if "properties" in schema and "additionalProperties" not in schema:
            closed["additionalProperties"] = False
        return closed
    return [strict(item) for item in schema] if isinstance(schema, list) else schema


def problems(files: Files) -> Iterator[str]:
    validators = {
        path.removeprefix("schemas/"): Draft202012Validator(
            strict(schema), format_checker=FormatChecker()
        )
        for path, schema in schemas(files).items()
    }
    for path, document in documents(files).items():
        validator = validators[document["$schema"].rpartition("schemas/")[2]]
        for error in validator.iter_errors(document):
            yield f"{path} {error.json_path}: {error.message[:200]}"


def test_documents_of_the_demo_fit_their_schemas(demo_site: Files) -> None:
    assert list(problems(demo_site)) == []


def test_documents_fit_their_schemas_whatever_happened(everything_site: Files) -> None:
    assert list(problems(everything_site)) == []


def test_documents_of_odd_registries_fit_their_schemas(
    tmp_path: Path, waived_site: Files, hostile_site: Files
) -> None:
    empty = site_of(str(site_registries.empty(tmp_path / "registry")))
    for site in (empty, waived_site, hostile_site):
        assert list(problems(site)) == []


def test_the_schemas_are_schemas_and_are_called_as_they_are_found(demo_site: Files) -> None:
    found = schemas(demo_site)
    assert set(found) == {f"schemas/{kind}.json" for kind in KINDS}
    for path, schema in found.items():
        Draft202012Validator.check_schema(schema)
        assert path == f"schemas/{schema['$id']}"
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_schemas_would_notice(demo_site: Files) -> None:
    broken = copy.deepcopy(dict(demo_site))
    path = "api/v1/entries/digits~-classifier/stages/prod.json"
    document = json.loads(broken[path])
    document["since"] = "yesterday"
    del document["seq"]
    broken[path] = json.dumps(document).encode()
    assert len(list(problems(broken))) == 2


def test_what_is_not_published_is_in_no_document() -> None:
    files = site_of(str(site_registries.DEMO), SiteOptions(publish=frozenset()))
    assert list(problems(files)) == []
    version = documents(files)["entries/digits~-classifier/versions/2.json"]
    hidden = {
        "card", "card_digest", "description", "description_digest", "params", "tags", "source",
        "artifacts",
    }  # fmt: skip
    assert not hidden & version.keys()
    assert "files" not in documents(files)["entries/digits~-classifier/stages/prod.json"]
    index = documents(files)["index.json"]
    assert index["published"] == []
    assert "table" not in index["links"]
    texts = b"".join(data for path, data in files.items() if path.startswith("api/"))
    for word in (b"Logistic regression", b"vision", b"logistic", b"model.joblib", b"git_branch"):
        assert word not in texts


def test_all_that_can_be_published_is_named_in_the_index() -> None:
    options = SiteOptions(publish=frozenset(PUBLISHABLE))
    index = documents(site_of(str(site_registries.DEMO), options))["index.json"]
    assert index["published"] == sorted(PUBLISHABLE)


def test_addresses_of_people_are_in_no_document(hostile_site: Files) -> None:
    for path, data in hostile_site.items():
        if path.startswith(("api/", "badges/")) or path.endswith("feed.xml"):
            assert b"mallory@evil.example" not in data, path
