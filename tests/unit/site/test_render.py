"""Templates: ours and those of a user, whose mistakes are told with the name of the file."""

from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

from regista.errors import InvalidInputError
from regista.site import render
from regista.site.options import SiteOptions
from regista.site.render import Renderer
from regista.site.templates import shipped_templates, templates_digest
from support.registries import new_registry, register
from support.site_build import build, pages_of, text_of


def renderer(folder: Path, **templates: str) -> Renderer:
    for name, text in templates.items():
        (folder / f"{name}.html").write_text(text)
    return Renderer(folder, site_title="T", bar=())


def page(folder: Path, text: str, **values: Any) -> str:
    return renderer(folder, mine=text).page("mine.html", "a/b/c.html", **values).decode()


def test_a_page_knows_where_it_lies(tmp_path: Path) -> None:
    assert page(tmp_path, "{{ root }} {{ path }}") == "../../ a/b/c.html"
    assert page(tmp_path, "{{ root }}", root="/top/") == "/top/"


@pytest.mark.parametrize("name", ["mine.html", "mine.xml", "mine.js", "mine", "mine.txt"])
def test_every_template_escapes_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{{ text }}")
    made = Renderer(tmp_path).page(name, name, text="<b>'\"&")
    assert made == b"&lt;b&gt;&#39;&#34;&amp;"


@pytest.mark.parametrize(
    "text",
    [
        "{{ nowhere }}", "{{ nowhere.x }}", "{% if nowhere %}{% endif %}", "{{ site_title.x }}",
        "{% for x in nowhere %}{% endfor %}", "{{ paths.nowhere() }}", "{{ 'a'|nofilter }}",
        "{% if %}", "{{ 'a' + }}", "{% include 'none.html' %}", "{% extends 'none.html' %}",
        "{{ 1 / 0 }}", "{{ 1 + 'a' }}", "{{ site_title[1][2] }}", "{{ site_title() }}",
        "{{ 'x'|count }}", "{% macro m() %}{% endmacro %}{{ m(1, 2) }}", "{{ range(-1, 'a') }}",
        "{{ '%d'|format('a') }}", "{{ paths.encode(1) }}", "{{ 'x'.encode('nowhere') }}",
    ],
)  # fmt: skip
def test_a_mistake_in_a_template_is_told_with_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"template mine\.html"):
        page(tmp_path, text)


def test_a_mistake_in_a_part_is_told_with_the_name_of_the_part(tmp_path: Path) -> None:
    made = renderer(tmp_path, whole="x\n{% include 'part.html' %}", part="\n\n{{ nowhere }}")
    with pytest.raises(InvalidInputError, match=r"template part\.html line 3.*nowhere"):
        made.page("whole.html", "x.html")


def test_a_template_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.html").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInputError, match=r"mine\.html"):
        Renderer(tmp_path).page("mine.html", "x.html")


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    (folder / "registry").mkdir(parents=True)
    (folder / "css").mkdir()
    return folder


def site(folder: Path, theirs: Path) -> Path:
    registry = new_registry()
    register(registry, "m", "1")
    build(registry, folder / "site", SiteOptions(templates=theirs))
    return folder / "site"


def test_one_template_and_one_style_sheet_of_a_user_stand_before_ours(
    tmp_path: Path, theirs: Path
) -> None:
    (theirs / "registry" / "404.html").write_text("<p>Lost in {{ site.title }}</p>")
    (theirs / "css" / "regista.css").write_text("body { color: hotpink }")
    (theirs / "css" / "more.css").write_text("/* more */")
    made = site(tmp_path, theirs)
    assert text_of(made, "404.html") == "<p>Lost in Regista</p>"
    assert text_of(made, "css/regista.css") == "body { color: hotpink }"
    assert text_of(made, "css/more.css") == "/* more */"
    ours = (shipped_templates() / "css" / "registry.css").read_text("utf-8")
    assert text_of(made, "css/registry.css") == ours
    assert "<h1>" in text_of(made, "entries/m/v/1.html")


def test_the_frame_of_a_user_is_the_frame_of_every_page(tmp_path: Path, theirs: Path) -> None:
    base = (shipped_templates() / "base.html").read_text("utf-8")
    (theirs / "base.html").write_text(base.replace("<body>", "<body>\n<p>Ours alone</p>"))
    pages = {name: data for name, data in pages_of(site(tmp_path, theirs)).items()
             if name.endswith(".html")}  # fmt: skip
    assert [name for name, data in pages.items() if b"Ours alone" not in data] == []


def test_a_mistake_of_a_user_leaves_no_site(tmp_path: Path, theirs: Path) -> None:
    (theirs / "registry" / "version.html").write_text("{{ version.nowhere }}")
    with pytest.raises(InvalidInputError, match=r"registry/version\.html.*nowhere"):
        site(tmp_path, theirs)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]


def test_a_digest_changes_with_every_file_and_name(theirs: Path) -> None:
    digests = [templates_digest(theirs), templates_digest(None), templates_digest(theirs, None)]
    (theirs / "a.html").write_text("1")
    digests.append(templates_digest(theirs))
    (theirs / "a.html").write_text("2")
    digests.append(templates_digest(theirs))
    (theirs / "a.html").rename(theirs / "b.html")
    digests.append(templates_digest(theirs))
    assert digests[0] == digests[1] == digests[2]
    assert len(set(digests)) == 4


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (render.size(0), "0 B"),
        (render.size(999), "999 B"),
        (render.size(1000), "1.0 kB"),
        (render.size(999_949), "999.9 kB"),
        (render.size(999_999), "1.0 MB"),
        (render.size(10**15), "1.0 PB"),
        (render.size(10**19), "10000.0 PB"),
        (render.count(1, "file"), "1 file"),
        (render.count(0, "file"), "0 files"),
        (render.count(1200, "entry", "entries"), "1,200 entries"),
        (render.number(0.1), "0.1"),
        (render.number(None), ""),
        (render.number(1e21), "1e21"),
        (render.signed(None), ""),
        (render.signed(0.25), "+0.25"),
        (render.signed(-0.25), "\u22120.25"),
        (render.signed(-0.0), "0"),
        (render.signed(1e-9), "+1e\u221209"),
        (render.when(""), ""),
        (render.day(""), ""),
        (render.day("2026-03-01T00:00:00.000000Z"),
         '<time datetime="2026-03-01T00:00:00.000000Z">1\u00a0Mar\u00a02026</time>'),
        (render.short("ab" * 32), "abababababab"),
        (render.breakable("a/b_<c>.d"), "a/<wbr>b_<wbr>&lt;c&gt;.<wbr>d"),
        (render.breakable("a&'\"-b"), "a&amp;&#39;&#34;-<wbr>b"),
        (render.breakable("two  spaces/<b>"),
         '<span class="exact">two  spaces/<wbr>&lt;b&gt;</span>'),
        (render.long("<b>"), "&lt;b&gt;"),
    ],
)  # fmt: skip
def test_a_filter_writes_for_people(made: str, text: str) -> None:
    assert made == text


def test_a_long_value_is_folded_and_a_longer_one_cut() -> None:
    folded = render.long("<" * 201)
    assert isinstance(folded, Markup)
    assert folded == f"<details><summary>{'&lt;' * 200}…</summary>{'&lt;' * 201}</details>"
    cut = render.long("x" * 100_000)
    assert cut.endswith(" … cut here, of 100,000 characters</details>")
    assert len(cut) < 10_500
