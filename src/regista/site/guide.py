"""The prose of a site: a guide for its readers, or the owner's own pages, rendered by MkDocs."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.model.canonical import sha256_hex
from regista.site.options import SiteOptions
from regista.site.pages.navigation import GUIDE_BAR, bar_of
from regista.site.templates import shipped_templates, templates_digest

# what MkDocs writes beside pages: the site has its own, or none
_LEFT_OUT = frozenset({"404.html", "sitemap.xml", "sitemap.xml.gz"})


def guide_pages(options: SiteOptions) -> Iterator[tuple[str, bytes]]:
    """Render the prose; yield paths from the site's root, below `guide/`, with their bytes.

    Raises:
        InvalidInputError: the owner's configuration or pages are malformed.
    """
    from mkdocs.commands.build import build

    themes = [folder for folder in (options.templates, shipped_templates()) if folder]
    with tempfile.TemporaryDirectory(prefix="regista-guide-") as name:
        with _guarded():
            config = _config(options, name)
            config.plugins.on_startup(command="build", dirty=False)
            build(config)
        for path in sorted(Path(name).rglob("*")):
            relative = path.relative_to(name).as_posix()
            # the files of our theme lie at the top of the site
            ours = relative in _LEFT_OUT or any((theme / relative).is_file() for theme in themes)
            if path.is_file() and not ours:
                yield f"guide/{relative}", path.read_bytes()


def prose_sources(options: SiteOptions) -> list[Path]:
    """Return the files and folders that the owner's prose is made from: none for our guide.

    Raises:
        InvalidInputError: the owner's configuration is malformed.
    """
    if options.mkdocs is None:
        return []
    with _guarded():
        # nothing is written there, but it has to be a place that could be
        config = _config(options, str(Path(tempfile.gettempdir()) / "regista-guide"))
    return [options.mkdocs, *map(Path, filter(None, (config.docs_dir, config.theme.custom_dir)))]


def prose_digest(options: SiteOptions) -> str:
    """Return a digest of the owner's prose; what MkDocs' plugins may read elsewhere is not in it.

    Raises:
        InvalidInputError: the owner's configuration is malformed.
    """
    sources = prose_sources(options)
    files = [sha256_hex(path.read_bytes()) for path in sources if path.is_file()]
    folders = templates_digest(*(path for path in sources if path.is_dir()))
    return " ".join((*files, folders)) if sources else ""


@contextmanager
def _guarded() -> Iterator[None]:
    """Keep MkDocs quiet, and turn its errors into ours."""
    from jinja2 import TemplateError
    from mkdocs.exceptions import Abort, MkDocsException
    from yaml import YAMLError

    logger, told = logging.getLogger("mkdocs"), _Errors()
    before = logger.propagate
    # not by its level: a strict build counts the warnings that come through
    logger.propagate = False
    logger.addHandler(told)
    try:
        yield
    except (MkDocsException, Abort, TemplateError, YAMLError) as error:
        # what MkDocs raises says only that it stopped
        what = f"the prose cannot be built: {told.first or error}".partition("\n")[0]
        raise InvalidInputError(what, hint="mkdocs build --strict tells more") from error
    finally:
        logger.propagate = before
        logger.removeHandler(told)


class _Errors(logging.Handler):
    """Keeps the first message of those that are as bad as any."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.first, self._level = "", 0

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno > self._level:
            self.first, self._level = record.getMessage(), record.levelno


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
    if options.templates:
        config.theme.dirs.insert(0, str(options.templates))
    return config
