"""The pages: generated parts are what the code says, links lead somewhere, the site is sound."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from urllib.parse import unquote, urlsplit

import duckdb
import pytest

import regista
from regista.errors import InvalidInputError
from regista.registry.core import Registry

# one worker runs all of them, and what they stand on is made once
pytestmark = pytest.mark.xdist_group("docs")
ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
POLICY = """
format: 1
stages: [dev, staging, prod]
on_register: dev
rules:
  - stage: prod
    gates:
      - coverage: {suite: holdout}
"""


def test_the_generated_parts_are_what_the_code_says(capsys: pytest.CaptureFixture[str]) -> None:
    spec = spec_from_file_location("generate_docs", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.main(["--check"]) == 0, capsys.readouterr().err


def links(page: Path) -> Iterator[str]:
    """Give the targets of a Markdown page's links, code left out."""
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", *sorted(DOCS.glob("**/*.md"))],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    local = [urlsplit(link).path for link in links(page) if not urlsplit(link).scheme]
    lost = [path for path in local if path and not (page.parent / unquote(path)).exists()]
    assert lost == []


class Page(HTMLParser):
    """What a built page refers to, and what a strict content security policy would stop."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.refs: list[str] = []
        self.ids: set[str] = set()
        self.forbidden: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"href", "src"}:
                self.refs.append(value or "")
            if name == "id":
                self.ids.add(value or "")
            if name == "style" or name.startswith("on"):
                self.forbidden.append(f"<{tag} {name}>")
        if tag in {"script", "style", "iframe", "object", "form"}:
            self.forbidden.append(f"<{tag}>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, any warning being an error."""
    folder = tmp_path_factory.mktemp("built") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Parse the built pages of prose; those of the registry have tests of their own."""
    registry = site / "registry"
    prose = [path for path in sorted(site.rglob("*.html")) if registry not in path.parents]
    return {path: Page(path.read_text("utf-8")) for path in prose}


def test_built_pages_need_nothing_that_a_strict_policy_forbids(pages: dict[Path, Page]) -> None:
    assert {path.name: page.forbidden for path, page in pages.items() if page.forbidden} == {}
    for path in pages:
        assert "default-src 'none'" in path.read_text("utf-8")


def test_links_of_built_pages_lead_to_files_and_sections(
    site: Path, pages: dict[Path, Page]
) -> None:
    lost = []
    for path, page in pages.items():
        for ref in page.refs:
            parts = urlsplit(ref)
            if parts.scheme:
                continue
            # the page for what is not found is served at any depth, so its links are absolute
            base = site if path.name == "404.html" else path.parent
            target = (base / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            known = pages[target].ids if target in pages else {parts.fragment}
            if not target.is_file() or (parts.fragment and parts.fragment not in known):
                lost.append(f"{path.name}: {ref}")
    assert lost == []


def test_pages_ask_no_other_host_for_anything(site: Path, pages: dict[Path, Page]) -> None:
    styles = (site / "css" / "regista.css").read_text("utf-8")
    assert "@import" not in styles
    assert "url(" not in styles
    for path in pages:
        loaded = re.findall(
            r'<(?:link|img|script)[^>]*(?:href|src)="([^"]*)"', path.read_text("utf-8")
        )
        assert [ref for ref in loaded if urlsplit(ref).netloc] == []


def sql_examples(page: str) -> list[str]:
    """Return the SQL of a page."""
    return re.findall(r"```sql\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """A registry in which every example has an answer."""
    folder = tmp_path_factory.mktemp("sql")
    (folder / "policy.yaml").write_text(POLICY)
    reg = regista.init(
        str(folder / "registry"), policy=str(folder / "policy.yaml"), actor="ada"
    ).registry
    (folder / "digits.csv").write_text("0,1\n")
    reg.register("digits", folder / "digits.csv", kind="dataset")
    for number, right in ((1, True), (2, False), (3, False)):
        (folder / "model.bin").write_text(f"weights {number}")
        reg.register("digits/classifier", folder / "model.bin", dataset=["digits@1"])
        if number < 3:
            scores: list[dict[str, object]] = [
                {"metric": "accuracy", "value": "0.9", "stderr": "0.01", "n": 100},
                {"metric": "accuracy", "value": "0.8", "slice": "digit=8"},
            ]
            sample = {"sample_id": "a", "metric": "accuracy", "passed": right}
            reg.log_eval(
                f"digits/classifier@{number}",
                "holdout",
                scores,
                samples=[sample],
                dataset="digits@1",
            )
        reg.promote(f"digits/classifier@{number}", "prod")
    reg.drill("digits/classifier", "prod")
    return reg


@pytest.mark.parametrize("query", sql_examples("sql.md"))
def test_each_sql_example_answers_its_question(query: str, registry: Registry) -> None:
    assert registry.sql(query).fetchall()


def test_the_import_example_makes_a_folder_that_can_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "models.csv").write_text(
        "name,number,artifact_uri,in_use\nfraud/card,2,s3://bucket/2,true\n"
        "fraud/card,1,s3://bucket/1,false\n"
    )
    folder = tmp_path / "folder"
    folder.mkdir()
    [example] = sql_examples("import.md")
    with duckdb.connect() as connection:
        connection.execute(example)
    reg = regista.init(str(tmp_path / "registry"), actor="ada").registry
    reg.import_bulk(folder)
    assert reg.resolve("fraud/card@prod").version == 2
    assert reg.verify().ok
    with duckdb.connect() as connection:
        connection.execute(
            "COPY (SELECT 'fraud/new' AS entry, 'model' AS kind, 1 AS colour)"
            " TO 'folder/entries.parquet'"
        )
    with pytest.raises(InvalidInputError, match="colour"):
        reg.import_bulk(folder)


def test_the_python_examples_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REGISTA_ACTOR", "ada")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "weights.bin").write_bytes(b"weights")
    text = (DOCS / "python.md").read_text("utf-8")
    python_examples = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    for example in python_examples:
        exec(compile(example, "docs/python.md", "exec"), names)  # noqa: S102 - our own page
    assert len(python_examples) == 2
    assert capsys.readouterr().out == "passed\n"
