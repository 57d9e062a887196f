"""Sites of registries in tests, built as the command line builds them."""

from pathlib import Path
from typing import Any

from regista.registry.reads import Reads
from regista.site.options import PUBLISHABLE, SiteOptions
from regista.site.output.publication import Published
from regista.site.output.site_manifest import MANIFEST
from regista.site.publishing import SiteBuilder
from support.site_crawl import contents

ALL = SiteOptions(publish=frozenset(PUBLISHABLE))
# the guide is the same in all, and making it takes as long as the rest
GUIDE = "guide/"


def build(
    reads: Reads,
    out: Path,
    options: SiteOptions = SiteOptions(),  # noqa: B008 - frozen
    *,
    incremental: bool = False,
    **more: Any,
) -> Published:
    """Build a site and return what was written."""
    return SiteBuilder(reads, options, out, incremental=incremental, **more).publish()[1]


def without(kind: str) -> SiteOptions:
    """Return options that publish everything but one kind of content."""
    return SiteOptions(publish=ALL.publish - {kind})


def pages_of(out: Path) -> dict[str, bytes]:
    """Return the files of a site without its manifest, which knows digests of its options."""
    return {path: data for path, data in contents(out).items() if path != MANIFEST}


def text_of(out: Path, path: str) -> str:
    """Return a page as text."""
    return (out / path).read_text("utf-8")
