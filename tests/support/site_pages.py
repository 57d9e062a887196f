"""The kinds of pages that a site has, and which pages of a site to look at."""

import re
from pathlib import Path

from support.site_crawl import files_of

KINDS = {
    "home": r"index\.html",
    "entry": r"entries/[^/]+/index\.html",
    "version": r"entries/[^/]+/v/\d+\.html",
    "versions": r"entries/[^/]+/versions/\d+\.html",
    "compare": r"entries/[^/]+/compare\.html",
    "list": r"(models|prompts|datasets|bundles)\.html",
    "as-of": r"as-of/index\.html",
    "month": r"as-of/\d{4}-\d{2}\.html",
    "audit": r"audit/index\.html",
    "audit-page": r"audit/\d+\.html",
    "gates": r"gates\.html",
    "drills": r"drills\.html",
    "search": r"search\.html",
    "sql": r"sql\.html",
    "not-found": r"404\.html",
    "prose": r"guide/.*\.html",
}


def kind_of(path: str) -> str:
    """Return the kind of a page by its path; '' when it is of none."""
    return next((kind for kind, form in KINDS.items() if re.fullmatch(form, path)), "")


def pages_by_kind(site: Path) -> dict[str, list[str]]:
    """Return the pages of each kind that a site has, the largest first."""
    found: dict[str, list[str]] = {}
    for path in sorted(files_of(site), key=lambda name: (-(site / name).stat().st_size, name)):
        if kind := kind_of(path):
            found.setdefault(kind, []).append(path)
    return found


def sample(site: Path, of_each: int = 2) -> list[str]:
    """Return pages of every kind: the largest ones, and the smallest."""
    chosen = []
    for paths in pages_by_kind(site).values():
        chosen += [*paths[:of_each], paths[-1]]
    return list(dict.fromkeys(chosen))
