"""What every figure is made of: escaped text, estimated text widths, the outer `<svg>`.

No font is at hand when a site is built, so widths are estimates, meant to be a little too wide.
"""

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

FONT = 13.0
"""Size of figure text, in units of the view box; `charts.css` sets the same."""
BOLD = 1.1
"""How much wider bold text is."""
SMALL = 12.0
"""Size of secondary figure text; `charts.css` sets the same."""

# what XML forbids, other controls, and marks that would turn the direction of the text around them
_UNSAFE = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"
    "\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
)
_REPLACED = re.compile(f"[{_UNSAFE}]")
_SPECIAL = re.compile(f"[&<>\"'{_UNSAFE}]")
# no scheme, no other host, not from the root: pages of the site are never addressed so
_RELATIVE = re.compile(r"(?![/\\])[^:/?#]*(?:[/?#].*)?", re.DOTALL)
_NARROW = frozenset("iIjlftr.,:;'|!()[]/ -")
_WIDE = frozenset("mwMW@%&<>=+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table behind a figure.

    Attributes:
        cells: texts, one per column; not escaped.
        href: relative address of the page of what the row is about; empty when there is none.
    """

    cells: tuple[str, ...]
    href: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """The facts of a figure as text.

    Attributes:
        header: names of the columns.
        rows: all facts, also those that the figure leaves out.
    """

    header: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle that something takes up."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, others: Iterable["Box"]) -> int:
        """Count the others that it overlaps."""
        return sum(
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
            for other in others
        )


def escape(text: str) -> str:
    """Return the text as it may stand in SVG, between tags or in a quoted attribute."""
    # most texts have nothing special, and there are many
    if not _SPECIAL.search(text):
        return text
    return html.escape(_REPLACED.sub("\N{REPLACEMENT CHARACTER}", text))


def identifier(text: str) -> str:
    """Return an id made from any text: no spaces, which separate ids, and nothing to escape."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda match: f".{ord(match[0]):x}", text)


def link(href: str, words: str, shape: str) -> str:
    """Return a shape that is a link, with a tooltip; an address that is not relative makes none."""
    href = href.strip()
    content = f"<title>{escape(words)}</title>{shape}"
    if not href or not _RELATIVE.fullmatch(href):
        return f"<g>{content}</g>"
    return f'<a href="{escape(href)}" tabindex="-1">{content}</a>'


def text_at(x: float, y: float, text: str, *, style: str = "", anchor: str = "start") -> str:
    """Return a text element; x and y are its anchor and baseline, style its classes."""
    styled = f' class="{style}"' if style else ""
    anchored = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{styled}{anchored}>{escape(text)}</text>'


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = FONT) -> float:
    """Estimate the width of a text in the same units as the size of its font."""
    return size * sum(map(_em, text))


@lru_cache(maxsize=1024)
def _em(char: str) -> float:
    if char in _NARROW:
        return 0.36
    if char in _WIDE or unicodedata.east_asian_width(char) in ("W", "F"):
        return 1.0
    if unicodedata.combining(char):
        return 0.0
    return 0.72 if char.isupper() else 0.63


def fitted(text: str, width: float, size: float = FONT) -> str:
    """Return the text, cut with an ellipsis where it is wider; empty where not even that fits."""
    if text_width(text, size) <= width:
        return text
    left = width - text_width("…", size)
    kept = 0
    for char in text:
        left -= size * _em(char)
        if left < 0:
            break
        kept += 1
    return text[:kept].rstrip() + "…" if kept else ""


def figure(
    body: Iterable[str],
    *,
    id_: str,
    kind: str,
    size: tuple[float, float],
    title: str,
    desc: str = "",
    links: Iterable[str] = (),
) -> str:
    """Return a whole figure: an image that says in words what it shows.

    Links lie over the image, not inside: what is inside an image is nothing to a screen reader, and
    must not take the focus. They are for pointers only, and hidden from all else.

    Args:
        body: elements in painting order.
        id_: makes the ids of this figure unique on its page.
        kind: class of the figure, beside `chart`.
        size: width and height of the view box.
        title: name of the figure.
        desc: what somebody sees who sees it; may be empty where the title says all.
        links: from `link`.
    """
    name = identifier(id_)
    frame = 'viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}"'.format(*size)
    described = f'<desc id="{name}-d">{escape(desc)}</desc>' if desc else ""
    labels = f"{name}-t {name}-d" if desc else f"{name}-t"
    image = f'role="img" aria-labelledby="{labels}"'
    drawn = f'<title id="{name}-t">{escape(title)}</title>{described}{"".join(body)}</svg>'
    over = "".join(links)
    if not over:
        return f'<svg class="chart {kind}" {image} {frame}>{drawn}'
    return (
        f'<svg class="chart {kind}" {frame}><svg {image}>{drawn}'
        f'<g class="over" aria-hidden="true">{over}</g></svg>'
    )
