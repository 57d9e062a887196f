"""Markdown of users as HTML that does nothing: CommonMark with tables, raw HTML shown as text.

What comes out goes through an allow-list (nh3), and addresses are http, https or mailto only:
a relative one would mean a page of ours, and `//host/` a host by whatever the page came by.
markdown-it-py takes linear time and bounded depth on texts that are made to be slow, which
Python-Markdown does not: 20,000 brackets keep that busy for a minute.
"""

from functools import cache
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MAX_LENGTH = 100_000
_TAGS = frozenset({
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol",
    "p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
})  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_LOWEST = 6


@cache
def _converter() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return (
        MarkdownIt("commonmark", {"html": False})
        .enable(["table", "strikethrough"])
        .disable("image")
    )


def to_html(text: str, below: int = 2) -> Markup:
    """Return Markdown as harmless HTML.

    A text of more than 100,000 characters is shown as it was written, and cut there.

    Args:
        text: what somebody wrote.
        below: level of the heading that it stands under; its own begin one lower.
    """
    import nh3

    if len(text) > MAX_LENGTH:
        return plain(text)
    tokens = _converter().parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(int(token.tag[1]) + below, _LOWEST)}"
    html = _converter().renderer.render(tokens, _converter().options, {})
    clean = nh3.clean(
        html,
        tags=set(_TAGS),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes=_SCHEMES,
        url_relative="deny",
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - it was sanitised just now


def plain(text: str) -> Markup:
    """Return a text as it was written, at most 100,000 characters of it."""
    cut = ""
    if len(text) > MAX_LENGTH:
        cut = f"\n… cut here; all {len(text):,} characters are in the registry"
    return Markup('<pre class="plain">{}{}</pre>').format(escape(text[:MAX_LENGTH]), cut)
