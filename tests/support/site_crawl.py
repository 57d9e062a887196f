"""Reading a built site without a browser: every page, link, fragment and file that goes with it.

`crawl` returns what is wrong, one sentence each, so that a test shows all of it at once. What only
a browser knows (layout, contrast, scripts) is `support.browser` with the tests in `tests/browser`.
"""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import duckdb

from support.site_html import PageFacts, read_page

# what a link of ours or of a user's text may begin with
SCHEMES = frozenset({"", "http", "https", "mailto"})
# what pages, scripts and data tell a reader; files of these kinds are searched for leaks
TEXTS = frozenset({".html", ".json", ".xml", ".svg", ".js", ".css", ".txt", ".sql"})
RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"com{k}" for k in range(10)),
                      *(f"lpt{k}" for k in range(10))})  # fmt: skip
MAX_SEGMENT_BYTES = 255
SVG = "{http://www.w3.org/2000/svg}"


def crawl(site: Path) -> list[str]:
    """Return what is wrong with the pages and files of a site, sorted by page."""
    pages = read_pages(site)
    files = files_of(site)
    problems = [
        *_page_problems(pages),
        *_link_problems(pages, files),
        *_file_name_problems(files),
        *_data_problems(site, files),
    ]
    return sorted(set(problems))


def read_pages(site: Path) -> dict[str, PageFacts]:
    """Return the facts of each page by its path within the site."""
    return {
        str(path.relative_to(site).as_posix()): read_page(path.read_text("utf-8"))
        for path in sorted(site.rglob("*.html"))
        if path.is_file()
    }


def files_of(site: Path) -> set[str]:
    """Return the paths of all files within a site."""
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def contents(site: Path) -> dict[str, bytes]:
    """Return the files of a site, to compare two builds."""
    return {name: (site / name).read_bytes() for name in sorted(files_of(site))}


def differing(one: Path, other: Path) -> list[str]:
    """Return the files in which two sites differ."""
    first, second = contents(one), contents(other)
    return sorted(name for name in first.keys() | second if first.get(name) != second.get(name))


def largest_page(site: Path) -> tuple[int, str]:
    """Return size in bytes and path of the largest page."""
    pages = (path for path in site.rglob("*.html") if path.is_file())
    return max((path.stat().st_size, str(path.relative_to(site))) for path in pages)


def leaks(site: Path, words: Iterable[str]) -> list[str]:
    """Return where any of these words stands in a text file or a published table."""
    wanted = list(words)
    found = []
    for name in sorted(files_of(site)):
        path = site / name
        if path.suffix in TEXTS:
            # as JSON and HTML would spell it
            text = path.read_text("utf-8").replace("\\/", "/").replace("&#64;", "@")
            found += [f"{name} holds {word[:40]!r}" for word in wanted if word in text]
        elif path.suffix == ".parquet":
            text = "\n".join(_values(path))
            found += [f"{name} holds {word[:40]!r}" for word in wanted if word in text]
    return found


def _values(parquet: Path) -> Iterator[str]:
    with duckdb.connect() as con:
        for row in con.execute("FROM read_parquet(?)", [str(parquet)]).fetchall():
            yield from map(str, row)


def _page_problems(pages: Mapping[str, PageFacts]) -> Iterator[str]:
    for name, page in pages.items():
        for problem in page.problems():
            yield f"{name}: {problem}"


def _link_problems(pages: Mapping[str, PageFacts], files: set[str]) -> Iterator[str]:
    for name, page in pages.items():
        for link in page.links:
            problem = link_problem(name, link.url, pages, files, resource=link.is_resource)
            if problem:
                yield f"{name}: {link.tag} {link.url[:120]!r} {problem}"


def link_problem(
    page: str, url: str, pages: Mapping[str, PageFacts], files: set[str], *, resource: bool
) -> str:
    """Return what is wrong with a link of a page; '' when nothing is."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "is not a URL"
    if parts.scheme or parts.netloc:
        if resource:
            return "is from elsewhere"
        return "" if parts.scheme in SCHEMES - {""} else f"has the scheme {parts.scheme!r}"
    target = resolve(page, parts.path)
    if target is None:
        return "leads out of the site"
    if target not in files:
        return "leads nowhere"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].ids:
        return "names a place that the page does not have"
    return ""


def resolve(page: str, path: str) -> str | None:
    """Return the file of the site that a relative path on a page means; None outside of it."""
    if not path:
        return page
    if path.startswith("/"):
        return None
    parts = list(PurePosixPath(page).parent.parts)
    for part in unquote(path).split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part != ".":
            # an empty last part is a folder, which a browser does not open from a disk
            parts.append(part)
    return "/".join(parts)


def _file_name_problems(files: set[str]) -> Iterator[str]:
    folded = defaultdict(set)
    for name in files:
        parts = PurePosixPath(name).parts
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            folded[unicodedata.normalize("NFC", path).casefold()].add(path)
        for part in parts:
            if problem := _segment_problem(part):
                yield f"{name[:120]}: {problem}"
    for paths in folded.values():
        if len(paths) > 1:
            yield f"the same where case does not count: {', '.join(sorted(paths))[:200]}"


def _segment_problem(part: str) -> str:
    if part.partition(".")[0].rstrip(" ").lower() in RESERVED:
        return f"{part!r} is reserved on Windows"
    if part.endswith((".", " ")):
        return f"{part!r} ends in what Windows drops"
    if len(part.encode()) > MAX_SEGMENT_BYTES:
        return f"a part of {len(part.encode())} bytes is more than file systems take"
    if not part.isascii() or any(char in '<>:"|?*\\' or ord(char) < 32 for char in part):
        return f"{part!r} has a character that some file systems refuse"
    return ""


def _data_problems(site: Path, files: set[str]) -> Iterator[str]:
    for name in sorted(files):
        path = site / name
        if name.startswith("."):
            # the manifest is ours to read, and no reader's
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text("utf-8"), parse_constant=_no_constant)
            elif path.suffix in {".xml", ".svg"}:
                root = ET.fromstring(path.read_bytes())  # noqa: S314 - we have made it
                yield from (f"{name}: {problem}" for problem in _svg_problems(root))
        except (ValueError, ET.ParseError) as error:
            yield f"{name}: {error}"


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _svg_problems(root: ET.Element) -> Iterator[str]:
    if root.tag != f"{SVG}svg":
        return
    named = root.get("aria-label") or root.find(f"{SVG}title") is not None
    if root.get("role") == "img" and not named:
        yield "an image without a title"
    for element in root.iter():
        if element.tag in {f"{SVG}script", f"{SVG}foreignObject", f"{SVG}image"}:
            yield f"has {element.tag}"
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2]
            if plain.startswith("on") or (plain == "href" and not value.startswith("#")):
                yield f"has the attribute {plain}"
