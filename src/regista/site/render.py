"""From facts to HTML: our Jinja environment, and what templates may call.

Every text is escaped (autoescape), a name that is not there is an error (StrictUndefined), and
Markdown of users goes through `regista.site.markdown`. Templates of a user's folder stand before
ours, one by one.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from traceback import extract_tb
from typing import Any

from jinja2 import (
    ChoiceLoader,
    FileSystemBytecodeCache,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)
from markupsafe import Markup, escape

from regista.errors import InvalidInputError
from regista.model.numbers import double_text
from regista.site import paths
from regista.site.escaping import EscapingEnvironment
from regista.site.markdown import to_html
from regista.site.templates import shipped_templates

MACROS = "registry/macros.html"
# macros that are asked for the same again and again, as filters
CACHED = ("pill", "ref", "version_link", "commit")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KILO = 1000
_BREAKS = re.compile(r"[/_.-]")
LONG = 200
MAX_SHOWN = 10_000
_UNREADABLE = (TemplateError, UnicodeDecodeError)


class Renderer:
    """Renders the site's templates.

    Args:
        overrides: folder of templates that stand before ours; None for none.
        scratch: folder that keeps compiled templates for other processes; '' for none.
        shared: what every template may use.
    """

    def __init__(self, overrides: Path | None, scratch: str = "", **shared: Any) -> None:  # noqa: ANN401
        self._overrides = overrides
        folders = [folder for folder in (overrides, shipped_templates()) if folder]
        self._environment = EscapingEnvironment(
            loader=ChoiceLoader([FileSystemLoader(folder) for folder in folders]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=FileSystemBytecodeCache(scratch) if scratch else None,
        )
        self._environment.filters.update(FILTERS)
        self._environment.filters.update({name: self._cached(name) for name in CACHED})
        masthead = lru_cache(maxsize=None)(self._masthead)
        self._environment.globals.update(paths=paths, masthead=masthead, **shared)

    def _cached(self, name: str) -> Callable[..., Markup]:
        """Return a macro as a filter that makes the same only once."""

        # typed, since a text and the same as Markup are equal, but not as HTML
        @lru_cache(maxsize=8192, typed=True)
        def made(*values: object) -> Markup:
            macro = getattr(self._environment.get_template(MACROS).module, name)
            return macro(*values)  # type: ignore[no-any-return]

        return made

    def _masthead(self, root: str, here: str) -> Markup:
        """Return what stands above a page."""
        template = self._environment.get_template("masthead.html")
        # it is the template's own escaping that makes it safe
        return Markup(template.render(root=root, here=here, home=f"{root}index.html"))  # noqa: S704

    def page(self, template: str, path: str, **values: Any) -> bytes:  # noqa: ANN401
        """Return a page as UTF-8.

        Args:
            template: name of the template.
            path: where the page will lie, for its relative links.
            values: what it is made of; `root` says where links lead from, if not from `path`.

        Raises:
            InvalidInputError: a template of the user's is malformed.
        """
        try:
            made = self._environment.get_template(template)
            return made.render({"root": paths.root_of(path), "path": path, **values}).encode()
        except Exception as error:
            where = _place(error, self._overrides) or _place(error, shipped_templates())
            if self._overrides is None or not (where or isinstance(error, _UNREADABLE)):
                # no template of a user's had a part in it, so it is a bug
                raise
            raise InvalidInputError(
                f"template {where or template}: {error}", hint="mend it in site.templates"
            ) from error


def _place(error: Exception, folder: Path | None) -> str:
    """Return the innermost template of a folder that an error went through, and its line."""
    if isinstance(error, TemplateSyntaxError):
        places = [(error.filename or "", error.lineno)]
    else:
        # Jinja has each template's own name and lines in its tracebacks
        places = [(frame.filename, frame.lineno or 0) for frame in extract_tb(error.__traceback__)]
    for name, line in reversed(places):
        if folder and Path(name).is_relative_to(folder):
            return f"{Path(name).relative_to(folder).as_posix()} line {line}"
    return ""


@lru_cache(maxsize=8192)
def when(time: str) -> Markup:
    """Return a time for people, to the minute, with the exact one for machines."""
    if not time:
        return Markup()
    day = _day(time)
    return Markup('<time datetime="{}">{}, {} UTC</time>').format(time, day, time[11:16])


@lru_cache(maxsize=8192)
def day(time: str) -> Markup:
    """Return a time for people, to the day."""
    return Markup('<time datetime="{}">{}</time>').format(time, _day(time)) if time else Markup()


def _day(time: str) -> str:
    # a non-breaking space, so that dates in narrow columns stay in one line
    return f"{int(time[8:10])}\u00a0{_MONTHS[int(time[5:7]) - 1]}\u00a0{time[:4]}"


@lru_cache(maxsize=8192)
def number(value: float | None) -> str:
    """Return a score as the shortest text that reads back as the same double."""
    return "" if value is None else double_text(float(value))


def signed(value: float | None, digits: int = 6) -> str:
    """Return a difference with its sign, to some significant digits."""
    if value is None:
        return ""
    text = f"{value:+.{digits}g}"
    return "0" if float(text) == 0 else text.replace("-", "\u2212")


@lru_cache(maxsize=8192)
def size(count: int) -> str:
    """Return a number of bytes for people, in decimal units."""
    if count < _KILO:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        value /= _KILO
        # as it is shown: 999,999 bytes are 1.0 MB, not 1000.0 kB
        if round(value, 1) < _KILO or unit == "PB":
            break
    return f"{value:.1f} {unit}"


def short(digest: str) -> str:
    """Return the first 12 digits of a digest."""
    return digest[:12]


@lru_cache(maxsize=8192)
def count(number_: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 file`, `1,200 files`."""
    return f"{number_:,} {noun if number_ == 1 else plural or noun + 's'}"


@lru_cache(maxsize=8192)
def thousands(number_: int) -> str:
    """Return a whole number with its thousands apart: `1,200`."""
    return f"{number_:,}"


def long(text: str) -> Markup:
    """Return a text, folded where it is long."""
    if len(text) <= LONG:
        return escape(text)
    cut = "" if len(text) <= MAX_SHOWN else f" … cut here, of {len(text):,} characters"
    return Markup("<details><summary>{}…</summary>{}{}</details>").format(
        text[:LONG], text[:MAX_SHOWN], cut
    )


@lru_cache(maxsize=8192)
def breakable(text: str) -> Markup:
    """Return a name that may break after `/`, `_`, `-` and `.`, with all of its spaces."""
    # escaping makes none of the four, so what is escaped may be taken apart
    name = Markup(_BREAKS.sub(r"\g<0><wbr>", str(escape(text))))  # noqa: S704
    return Markup('<span class="exact">{}</span>').format(name) if "  " in text else name


FILTERS = {
    "when": when,
    "day": day,
    "number": number,
    "signed": signed,
    "size": size,
    "short": short,
    "count": count,
    "thousands": thousands,
    "breakable": breakable,
    "long": long,
    "markdown": to_html,
}
