"""Small sites of one generation each, published and looked at."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from regista.site.output.publication import Publication, Published
from regista.site.output.site_manifest import MANIFEST, read_groups, read_header

PAGES = ("index.html", "css/a.css", "entries/m/index.html", "entries/m/v/1.html", "api/v1/m.json")


def publish(
    out: Path, pages: Mapping[str, bytes], head: str = "1", *, incremental: bool = False
) -> Published:
    """Build a site in which each page is a group of its own, with its bytes as fingerprint."""
    with Publication.open(out, incremental=incremental) as publication:
        for path, data in pages.items():
            if not publication.keep(path, hashlib.sha256(data).hexdigest()):
                publication.write(path, path, data)
        return publication.finish({"head": head})


def generation(number: int, *, files: int = 0) -> dict[str, bytes]:
    """Return the pages of one generation: each says which it is; some come and go with it."""
    pages = dict.fromkeys(PAGES, b"%d\n" % number)
    pages |= {f"entries/e{n % 7}/v/{n}.html": b"%d\n" % number for n in range(files)}
    return pages | {f"only/{number}.html": b"%d\n" % number}


def content(out: Path) -> dict[str, bytes]:
    """Return all that a site holds but its manifest."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name != MANIFEST
    }


def assert_whole(out: Path) -> int:
    """Be sure that a site is one generation and what its manifest says; return which one."""
    header = read_header(out)
    assert header is not None
    groups = read_groups(out, header)
    assert groups is not None
    recorded = {path: record for group in groups.values() for path, record in group.files.items()}
    found = content(out)
    actual = {
        path: f"{len(data)} {hashlib.sha256(data).hexdigest()}" for path, data in found.items()
    }
    assert actual == recorded, sorted(actual.items() ^ recorded.items())
    (number,) = {int(data) for data in found.values()}
    assert header.inputs == {"head": str(number)}
    return number
