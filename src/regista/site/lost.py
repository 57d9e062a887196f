"""The page for what is not found, which a host serves at any depth.

Relative links lead nowhere there. With `base_url` they are absolute; without it nobody knows where
the site begins, so the page carries its style within, allowed by its digest and no other.
"""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from markupsafe import Markup

from regista.site.listing import Site
from regista.site.options import SiteOptions
from regista.site.render import Renderer
from regista.site.templates import shipped_templates

PATH = "404.html"
_SHEETS = ("css/regista.css", "css/registry.css")


class Style(NamedTuple):
    """A style sheet within a page, and the source expression by which the page allows it."""

    text: Markup
    source: str


def lost(renderer: Renderer, site: Site, options: SiteOptions) -> tuple[str, bytes]:
    """Return the path and the bytes of the page."""
    top = f"{urlsplit(site.base_url).path.rstrip('/')}/" if site.base_url else ""
    style = None if site.base_url else style_of(options)
    made = renderer.page("registry/404.html", PATH, here="", site=site, root=top, style=style)
    return PATH, made


def style_of(options: SiteOptions) -> Style | None:
    """Return the style of a site's pages; None where it cannot stand within a page."""
    folders = [folder for folder in (options.templates, shipped_templates()) if folder]
    text = "".join(_text(folders, name) for name in _SHEETS)
    if "</" in text or "\r" in text:
        # it could end the element, or be read as another text than the digest is of
        return None
    digest = b64encode(sha256(text.encode()).digest()).decode()
    # it is the owner's or ours, and cannot end the element
    return Style(Markup(text), f"'sha256-{digest}'")  # noqa: S704


def _text(folders: list[Path], name: str) -> str:
    found = next(path for folder in folders if (path := folder / name).is_file())
    return found.read_bytes().decode("utf-8", "replace")
