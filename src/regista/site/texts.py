"""Texts without what is kept back: what looks like a secret, and e-mail addresses.

Published tables are made with `shown_sql`; long texts, which lie in blobs, come through `Texts`.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from regista.model import canonical, secrets
from regista.read import duck
from regista.site.options import SiteOptions
from regista.storage.blobs import get_blob
from regista.storage.store import Store

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HIDDEN = "[hidden: looks like a secret]"
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNKNOWN = "\ufffd"


class Texts:
    """The long texts of a registry as they are published.

    Args:
        store: where they lie.
        options: what is published.
    """

    def __init__(self, store: Store, options: SiteOptions) -> None:
        self._store, self.options = store, options

    def text(self, digest: str) -> str | None:
        """Return a text by its digest, without what is kept back; None where it is purged."""
        data = get_blob(self._store, digest) if digest else None
        return None if data is None else self.shown(data.decode("utf-8", "replace"))

    def policy(self, digest: str) -> dict[str, Any] | None:
        """Return a stored policy (`policy`, `files`, `yaml`) without what is kept back.

        None where its blob is gone.

        Raises:
            IntegrityError: its blob is damaged.
        """
        data = get_blob(self._store, digest)
        if data is None:
            return None
        stored: dict[str, Any] = self._shown_in(canonical.decode(data))
        return stored

    def _shown_in(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return a JSON value whose texts are without what is kept back."""
        if isinstance(value, str):
            return self.shown(value)
        if isinstance(value, dict):
            return {self.shown(key): self._shown_in(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._shown_in(item) for item in value]
        return value

    def shown(self, text: str) -> str:
        """Return a text without what is kept back."""
        if not secrets.may_have_any(text) and not any(char in text for char in _DIRECTIONS):
            return text
        # RE2 takes linear time on any text, which Python's patterns do not
        query = f"SELECT {shown_sql('$text', self.options)}"
        ((shown,),) = self._connection.execute(query, {"text": text}).fetchall()
        return str(shown)

    @cached_property
    def _connection(self) -> "DuckDBPyConnection":
        return duck.connect()


def shown_sql(value: str, options: SiteOptions) -> str:
    """Return SQL for a text without what is kept back."""
    # of nearly all texts this one quick look is enough; to replace takes ten times as long
    signs = duck.quoted(f"{secrets.any_sign()}|[{_DIRECTIONS}]")
    replaced = _replaced(value, options)
    return f"CASE WHEN regexp_matches({value}, {signs}) THEN {replaced} ELSE {value} END"


def _replaced(value: str, options: SiteOptions) -> str:
    pattern = duck.quoted(secrets.all_patterns())
    shown = f"regexp_replace({value}, {pattern}, {duck.quoted(HIDDEN)}, 'g')"
    # characters that turn the direction of what follows make a text read as what it is not
    shown = f"translate({shown}, '{_DIRECTIONS}', '{_UNKNOWN * len(_DIRECTIONS)}')"
    if options.publishes("emails"):
        return shown
    masked = f"regexp_replace({shown}, {duck.quoted(secrets.EMAIL)}, '\\1@…', 'g')"
    return f"CASE WHEN contains({value}, '@') THEN {masked} ELSE {shown} END"
