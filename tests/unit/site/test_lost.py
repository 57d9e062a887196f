"""The page for what is not found: it has its style wherever it is served."""

import re
from pathlib import Path

import pytest

from regista.site.lost import style_of
from regista.site.options import SiteOptions
from regista.site.templates import shipped_templates
from support.registries import new_registry
from support.site_build import build, text_of
from support.site_html import read_page, source_of


def lost_page(tmp_path: Path, **options: object) -> str:
    build(new_registry(), tmp_path / "site", SiteOptions(**options))  # type: ignore[arg-type]
    return text_of(tmp_path / "site", "404.html")


def test_without_a_base_url_the_style_is_within_and_allowed_by_its_digest(tmp_path: Path) -> None:
    page = lost_page(tmp_path)
    (style,) = re.findall("<style>(.*?)</style>", page, re.DOTALL)
    assert (shipped_templates() / "css" / "regista.css").read_text("utf-8") in style
    facts = read_page(page)
    assert f"style-src {source_of(style)};" in facts.policy
    assert facts.found == []
    assert "stylesheet" not in page


def test_with_a_base_url_the_links_hold_at_any_depth(tmp_path: Path) -> None:
    page = lost_page(tmp_path, base_url="https://example.org/m/")
    assert "<style" not in page
    assert 'href="/m/css/regista.css"' in page
    assert "style-src 'self'" in page


def test_the_style_is_the_owners_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "regista.css").write_text("b { color: red }")
    style = style_of(SiteOptions(templates=tmp_path))
    assert style is not None
    assert style.text.startswith("b { color: red }")


@pytest.mark.parametrize("text", ["a { content: '</style>' }", "a {\r\n}"])
def test_a_style_that_would_be_another_within_a_page_stays_outside(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "regista.css").write_bytes(text.encode())
    assert style_of(SiteOptions(templates=tmp_path)) is None
