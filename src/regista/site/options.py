"""What the owner of a site may choose: the `[site]` table of `regista.toml`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.registry.locating import read_config

# what may be published; the last two are not unless asked for
PUBLISHABLE = (
    "cards", "params", "tags", "source", "files", "prompts", "data", "samples", "emails",
)  # fmt: skip
NOT_BY_DEFAULT = frozenset({"samples", "emails"})
_TEXTS = ("title", "base_url", "rollback_url", "templates", "mkdocs")


@dataclass(frozen=True, slots=True)
class SiteOptions:
    """How a site is to be.

    Attributes:
        title: name of the site.
        base_url: where it will be served, for feeds and the site map; '' when not known.
        rollback_url: address of the CI job that rolls back, with `{entry}`, `{stage}` and
            `{version}` in it; '' for none.
        publish: which kinds of content are published, of `PUBLISHABLE`.
        templates: folder with templates that stand before ours; None for none.
        mkdocs: configuration of the prose; None for the guide that Regista ships.
    """

    title: str = "Regista"
    base_url: str = ""
    rollback_url: str = ""
    publish: frozenset[str] = frozenset(PUBLISHABLE) - NOT_BY_DEFAULT
    templates: Path | None = None
    mkdocs: Path | None = None

    def publishes(self, what: str) -> bool:
        """Say whether a kind of content is published."""
        return what in self.publish

    def with_base_url(self, url: str) -> "SiteOptions":
        """Return the options with another address of the site.

        Raises:
            InvalidInputError: it is not an http or https address.
        """
        return replace(self, base_url=_base(url, "--base-url"))


def read_options(config: Path | None) -> SiteOptions:
    """Read the `[site]` table of a `regista.toml`; what it does not say stays as usual.

    Raises:
        InvalidInputError: the file, or a value in it, is malformed.
    """
    if config is None:
        return SiteOptions()
    return options_of(read_config(config).get("site", {}), config.parent, "site")


def options_of(table: object, folder: Path, where: str) -> SiteOptions:
    """Return the options that a table asks for.

    Args:
        table: names and values as read.
        folder: what its paths are relative to.
        where: what to call the table in messages.

    Raises:
        InvalidInputError: a name is not known, or a value is malformed.
    """
    if not isinstance(table, Mapping):
        raise InvalidInputError(f"{where} is not a table", hint="write [site] and lines below it")
    known = (*_TEXTS, "publish")
    for name in table:
        if name not in known:
            raise InvalidInputError(
                f"{where} has no setting {shown(str(name))}", hint=f"it takes {', '.join(known)}"
            )
    texts = {name: _text(table, name, where) for name in _TEXTS if name in table}
    given = {name: texts.pop(name) for name in ("templates", "mkdocs") if name in texts}
    paths = {name: folder / text for name, text in given.items() if text}
    for name, path in paths.items():
        if not (path.is_dir() if name == "templates" else path.is_file()):
            what = "folder" if name == "templates" else "file"
            raise InvalidInputError(f"{where}.{name}: there is no {what} {shown(str(path), 200)}")
    if "title" in texts and not texts["title"].strip():
        raise InvalidInputError(f"{where}.title is empty", hint="leave it out for the usual one")
    if texts.get("base_url"):
        texts["base_url"] = _base(texts["base_url"], f"{where}.base_url")
    if texts.get("rollback_url"):
        texts["rollback_url"] = _address(texts["rollback_url"], f"{where}.rollback_url")
    publish = {"publish": _published(table["publish"], where)} if "publish" in table else {}
    return SiteOptions(**texts, **paths, **publish)  # type: ignore[arg-type]


def _text(table: Mapping[str, Any], name: str, where: str) -> str:
    value = table[name]
    if not isinstance(value, str):
        raise InvalidInputError(f"{where}.{name} is not a text")
    return value


def _published(value: object, where: str) -> frozenset[str]:
    if not isinstance(value, list) or not set(map(str, value)) <= set(PUBLISHABLE):
        raise InvalidInputError(
            f"{where}.publish is not a list of {', '.join(PUBLISHABLE)}",
            hint='write publish = ["cards", "params", …]',
        )
    return frozenset(value)


def _base(url: str, where: str) -> str:
    if any(char in url for char in "?#"):
        raise InvalidInputError(
            f"{where} is {shown(url, 200)}, and no path can follow on ? or #",
            hint="write it as https://example.org/models/",
        )
    return _address(url, where)


def _address(url: str, where: str) -> str:
    try:
        parts = urlsplit(url)
        # the port is read only when it is asked for
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or not url.isprintable() or any(char in url for char in " \"'<>`\\"):
        raise InvalidInputError(
            f"{where} is {shown(url, 200)}, which is not an address",
            hint="write it as https://example.org/models/",
        )
    return url
