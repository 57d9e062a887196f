"""What is checked of one page of HTML, found by the standard library's parser."""

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta",
                  "source", "track", "wbr"})  # fmt: skip
FORBIDDEN = frozenset({"iframe", "object", "embed", "applet", "base", "frame", "frameset",
                       "portal", "foreignobject", "math", "marquee"})  # fmt: skip
# attributes with a URL, and whether the browser fetches it by itself
URLS = {
    ("a", "href"): False,
    ("area", "href"): False,
    ("link", "href"): True,
    ("img", "src"): True,
    ("script", "src"): True,
    ("source", "src"): True,
    ("use", "href"): True,
    ("image", "href"): True,
    ("form", "action"): True,
}
POLICY = ("default-src 'none'", "base-uri 'none'", "form-action 'none'", "script-src 'self'")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True, slots=True)
class Link:
    """A URL on a page: of which element, and whether it is fetched without being clicked."""

    tag: str
    url: str
    is_resource: bool


@dataclass(slots=True)
class Element:
    """An element that is open while the page is read."""

    tag: str
    attributes: dict[str, str]
    has: set[str] = field(default_factory=set)


@dataclass(slots=True)
class PageFacts:
    """What one page says of itself.

    Attributes:
        links: all URLs.
        ids: every id.
        headings: levels, in order, each with its text.
        text: the text, without markup.
    """

    links: list[Link] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    headings: list[tuple[int, str]] = field(default_factory=list)
    title: str = ""
    lang: str = ""
    policy: str = ""
    text: str = ""
    found: list[str] = field(default_factory=list)

    def problems(self) -> list[str]:
        """Return what is wrong with the page by itself."""
        levels = [level for level, _text in self.headings]
        problems = list(self.found)
        if not self.lang:
            problems.append("has no language")
        if not self.title.strip():
            problems.append("has no title")
        if levels.count(1) != 1:
            problems.append(f"has {levels.count(1)} h1")
        problems += [
            f"h{below} follows h{above}: {self.headings[k + 1][1][:40]!r}"
            for k, (above, below) in enumerate(pairwise(levels))
            if below > above + 1
        ]
        problems += [f"h{level} is empty" for level, text in self.headings if not text.strip()]
        problems += [f"its policy lacks {part}" for part in POLICY if part not in self.policy]
        if "unsafe-inline" in self.policy or "'unsafe-eval'" in self.policy:
            problems.append(f"its policy allows too much: {self.policy}")
        return problems


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.facts = PageFacts()
        self.open: list[Element] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        facts = self.facts
        self._check_attributes(tag, attributes)
        if tag in FORBIDDEN:
            facts.found.append(f"has <{tag}>")
        if tag == "script" and not attributes.get("src"):
            facts.found.append("has an inline script")
        if tag == "html":
            facts.lang = attributes.get("lang", "")
        if tag == "meta" and attributes.get("http-equiv", "").lower() == "content-security-policy":
            facts.policy = attributes.get("content", "")
        elif tag == "meta" and "http-equiv" in attributes:
            facts.found.append(f"has <meta http-equiv={attributes['http-equiv']}>")
        if tag in {"script", "link", "img"} and not facts.policy:
            facts.found.append(f"has <{tag}> before its policy")
        if tag == "img" and "alt" not in attributes:
            facts.found.append(f"has an image without alt: {attributes.get('src', '')[:60]}")
        for element in self.open:
            element.has.add(tag)
        if tag in HEADINGS:
            facts.headings.append((int(tag[1]), ""))
        if tag not in VOID:
            self.open.append(Element(tag, attributes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open[-1].tag != tag:
            inner = self.open[-1].tag if self.open else "nothing"
            self.facts.found.append(f"</{tag}> closes {inner}")
            if all(element.tag != tag for element in self.open):
                return
        while self.open:
            element = self.open.pop()
            self._check_closed(element)
            if element.tag == tag:
                break

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1].tag == "style":
            if source_of(data) not in self.facts.policy:
                self.facts.found.append("has a style that its policy does not name by its digest")
            return
        self.texts.append(data)
        if any(element.tag == "title" for element in self.open) and not any(
            element.tag == "svg" for element in self.open
        ):
            self.facts.title += data
        if any(element.tag in HEADINGS for element in self.open):
            level, text = self.facts.headings[-1]
            self.facts.headings[-1] = (level, text + data)

    def _check_attributes(self, tag: str, attributes: dict[str, str]) -> None:
        facts = self.facts
        for name, value in attributes.items():
            if name.startswith("on") or name in {"style", "srcdoc", "formaction", "ping"}:
                facts.found.append(f"has {name}= on <{tag}>")
            key = (tag, name.removeprefix("xlink:"))
            if key in URLS:
                facts.links.append(Link(tag, value, _fetched(tag, attributes, of=key)))
            if name == "id":
                if value in facts.ids:
                    facts.found.append(f"has the id {value[:60]!r} twice")
                facts.ids.add(value)

    def _check_closed(self, element: Element) -> None:
        attributes = element.attributes
        if element.tag == "table" and "th" not in element.has:
            self.facts.found.append("has a table without headers")
        hidden = attributes.get("aria-hidden") == "true"
        # a drawing with links around a picture has its role and title inside
        if element.tag == "svg" and not hidden and "svg" not in element.has:
            if "role" not in attributes:
                self.facts.found.append("has a picture without a role")
            if "title" not in element.has and "aria-labelledby" not in attributes:
                self.facts.found.append("has a picture without a title")


def source_of(text: str) -> str:
    """Return the source expression that allows a script or style within a page."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _fetched(tag: str, attributes: dict[str, str], *, of: tuple[str, str]) -> bool:
    """Say whether the browser fetches a URL by itself."""
    if tag == "link" and not {"stylesheet", "icon", "preload", "modulepreload"} & set(
        attributes.get("rel", "").lower().split()
    ):
        return False
    return URLS[of]


def read_page(text: str) -> PageFacts:
    """Return the facts of a page."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    facts = reader.facts
    facts.text = " ".join("".join(reader.texts).split())
    facts.found += [f"<{element.tag}> is never closed" for element in reader.open]
    if not text.lstrip().lower().startswith("<!doctype html>"):
        facts.found.append("does not begin with the doctype")
    return facts
