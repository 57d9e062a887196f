"""What leads from page to page: the bar of sections, and pagers."""

from collections.abc import Iterable
from typing import NamedTuple

from regista.site.options import SiteOptions


class BarItem(NamedTuple):
    """A section of the site, as the bar on every page shows it."""

    title: str
    path: str


class PagerLink(NamedTuple):
    """A link of a pager: a page, the page that one is on (`here`), or a gap between."""

    text: str
    path: str
    here: bool = False
    gap: bool = False


KIND_PAGES = {"model": "models", "prompt": "prompts", "dataset": "datasets", "bundle": "bundles"}
SQL_PAGE = "sql.html"
BAR = (
    BarItem("Overview", "index.html"),
    BarItem("Models", "models.html"),
    BarItem("Prompts", "prompts.html"),
    BarItem("Datasets", "datasets.html"),
    BarItem("As of", "as-of/index.html"),
    BarItem("Drills", "drills.html"),
    BarItem("Gates", "gates.html"),
    BarItem("Audit log", "audit/index.html"),
    BarItem("SQL", SQL_PAGE),
)
GUIDE_BAR = (BarItem("Guide", "guide/index.html"),)
# ends, neighbours, and a gap between them
_NEAR = 2


def bar_of(options: SiteOptions, docs: Iterable[BarItem]) -> tuple[BarItem, ...]:
    """Return the sections of a site: those of the registry that are published, then its prose."""
    shown = (item for item in BAR if item.path != SQL_PAGE or options.publishes("data"))
    return (*shown, *docs)


def pager(paths: list[tuple[str, str]], here: int) -> list[PagerLink]:
    """Return the links of a pager.

    Args:
        paths: text and path of each page, in order.
        here: index of the page that the pager is on.
    """
    shown = {0, len(paths) - 1, *range(here - _NEAR, here + _NEAR + 1)}
    links: list[PagerLink] = []
    for index, (text, path) in enumerate(paths):
        if index in shown:
            links.append(PagerLink(text, path, here=index == here))
        elif links and not links[-1].gap:
            links.append(PagerLink("", "", gap=True))
    return links
