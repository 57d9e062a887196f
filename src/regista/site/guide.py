"""The prose of a site: a guide for its readers, or the owner's own pages, rendered by MkDocs."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.site.options import SiteOptions
from regista.site.pages.navigation import BarItem, bar_of
from regista.site.render import shipped_templates

GUIDE_BAR = (BarItem("Guide", "guide/index.html"),)
# what MkDocs writes beside pages: the site has its own, or none
_LEFT_OUT = ("css/", "js/", "img/", "vendor/", "404.html", "sitemap.xml", "sitemap.xml.gz")


def guide_pages(options: SiteOptions) -> Iterator[tuple[str, bytes]]:
    """Render the prose; yield paths from the site's root, below `guide/`, with their bytes.

    Raises:
        InvalidInputError: the owner's configuration or pages are malformed.
    """
    from mkdocs.commands.build import build
    from mkdocs.exceptions import Abort, MkDocsException

    logging.getLogger("mkdocs").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="regista-guide-") as name:
        try:
            config = _config(options, name)
            config.plugins.on_startup(command="build", dirty=False)
            build(config)
        except (MkDocsException, Abort) as error:
            what = f"the prose cannot be built: {error}".partition("\n")[0]
            raise InvalidInputError(what, hint="mkdocs build --strict tells more") from error
        for path in sorted(Path(name).rglob("*")):
            relative = path.relative_to(name).as_posix()
            if path.is_file() and not relative.startswith(_LEFT_OUT):
                yield f"guide/{relative}", path.read_bytes()


def _config(options: SiteOptions, out: str) -> Any:  # noqa: ANN401 - MkDocs' configuration
    from mkdocs.config import load_config
    from mkdocs.config.defaults import MkDocsConfig

    bar = [{"title": item.title, "path": item.path} for item in bar_of(options, GUIDE_BAR)]
    shared = {"regista_bar": bar, "regista_root": "../"}
    if options.mkdocs is not None:
        config = load_config(str(options.mkdocs), site_dir=out, use_directory_urls=False)
        config.extra.update(shared)
        return config
    config = MkDocsConfig()
    config.load_dict(
        {
            "site_name": options.title,
            "site_description": "How to read this site",
            "docs_dir": str(shipped_templates() / "guide"),
            "site_dir": out,
            "use_directory_urls": False,
            "theme": {"name": None, "custom_dir": str(shipped_templates())},
            "plugins": [],
            "markdown_extensions": ["tables", {"toc": {"permalink": "#"}}],
            # what the pages link to outside their folder is not MkDocs' to check
            "validation": {"links": {"not_found": "ignore"}},
            "extra": shared,
        }
    )
    config.validate()
    return config
