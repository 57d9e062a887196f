"""What hooks there are: the `[[hooks]]` tables of `regista.toml`, checked. Pure.

Whatever is wrong is an `InvalidInputError` that names the file, the hook and the key. Nothing is
looked up here: whether a command exists or a variable is set shows when the hook runs.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from regista.decide.prehooks import OnError
from regista.errors import InvalidInputError
from regista.hooks.events import MEETS_ALL, OPERATIONS, OUTCOMES
from regista.hooks.hook import DEFAULT_TIMEOUT_S, Hook, Match, When
from regista.hooks.signing import PREFIX
from regista.hooks.urls import checked_url
from regista.model.names import KINDS, shown

TABLE = "hooks"
MAX_HOOKS = 64
LONGEST_TIMEOUT_S = 300.0
MAX_ARGUMENT = 10_000
# it is part of a key of the store, so case must not matter
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_KEYS = (
    "id", "on", "when", "match", "command", "url", "url_env", "secret_env", "timeout", "on_error",
    "allow_http", "allow_private", "emails",
)  # fmt: skip
_WEBHOOK_KEYS = ("secret_env", "allow_http", "allow_private")
_MATCH_KEYS = ("kind", "entry", "stage")
Table = Mapping[str, Any]
Choice = TypeVar("Choice", bound=StrEnum)


def hooks_of(config: Mapping[str, Any], path: Path) -> tuple[Hook, ...]:
    """Return the hooks of a configuration, in its order.

    Args:
        config: content of the file.
        path: the file, for messages, and for what commands are relative to.

    Raises:
        InvalidInputError: a table is malformed; the message says where.
    """
    tables = config.get(TABLE, [])
    where = shown(str(path), 200)
    if not isinstance(tables, list) or not all(isinstance(item, Mapping) for item in tables):
        raise InvalidInputError(f"{where}: hooks is not a list of tables", hint="write [[hooks]]")
    if len(tables) > MAX_HOOKS:
        raise InvalidInputError(f"{where}: there are {len(tables)} hooks; at most {MAX_HOOKS} run")
    hooks: dict[str, Hook] = {}
    for number, table in enumerate(tables, 1):
        reader = _Reader(table, f"{where}: hook {number}")
        hook = reader.hook(path.parent)
        if hook.id in hooks:
            raise reader.wrong("id", f"is {hook.id}, which another hook has already")
        hooks[hook.id] = hook
    return tuple(hooks.values())


class _Reader:
    """One `[[hooks]]` table; `place` is where it stands, for messages."""

    def __init__(self, table: Table, place: str) -> None:
        self.table, self.place = table, place

    def wrong(self, key: str, what: str, hint: str = "") -> InvalidInputError:
        return InvalidInputError(f"{self.place}: {key} {what}", hint=hint)

    def hook(self, folder: Path) -> Hook:
        self._known(self.table, _KEYS, "")
        name = self._matching("id", _ID, "1 to 63 of a-z 0-9 _ -, with no sign first")
        self.place += f" ({name})"
        when = self._choice("when", When, When.POST)
        command, url, url_env = self._target()
        pre = when is When.PRE
        if not pre and "on_error" in self.table:
            raise self.wrong("on_error", "is for pre-hooks alone", "leave it out")
        if command:
            for key in _WEBHOOK_KEYS:
                if key in self.table:
                    raise self.wrong(key, "is for webhooks alone", "leave it out")
        allow_http = self._flag("allow_http")
        if url:
            checked_url(url, f"{self.place}: url", allow_http=allow_http)
        return Hook(
            id=name,
            on=self._on(pre=pre),
            when=when,
            match=self._match(),
            folder=folder.absolute(),
            command=command,
            url=url,
            url_env=url_env,
            secret_env=() if command else self._secrets(),
            timeout_s=self._timeout(),
            on_error=self._choice("on_error", OnError, OnError.REFUSE),
            allow_http=allow_http,
            allow_private=self._flag("allow_private"),
            emails=self._flag("emails"),
        )

    def _known(self, table: Table, known: tuple[str, ...], prefix: str) -> None:
        for key in table:
            if key not in known:
                raise self.wrong(
                    shown(prefix + key), "is not a setting", f"it takes {', '.join(known)}"
                )

    def _target(self) -> tuple[tuple[str, ...], str, str]:
        given = [key for key in ("command", "url", "url_env") if key in self.table]
        if len(given) != 1:
            raise InvalidInputError(
                f"{self.place} has {' and '.join(given) or 'nothing to run'}",
                hint='give one of command = ["argv", …], url = "https://…", url_env = "VARIABLE"',
            )
        if given == ["url_env"]:
            return (), "", self._variable("url_env", self.table["url_env"])
        if given == ["url"]:
            return (), self._text("url", self.table["url"]), ""
        return self._command(), "", ""

    def _command(self) -> tuple[str, ...]:
        value = self.table["command"]
        hint = 'write command = ["program", "argument"]; there is no shell'
        if not isinstance(value, list) or not value:
            raise self.wrong("command", "is not a list of texts", hint)
        for item in value:
            if not isinstance(item, str) or "\0" in item or len(item) > MAX_ARGUMENT:
                raise self.wrong("command", "is not a list of texts", hint)
        if not value[0]:
            raise self.wrong("command", "names no program", hint)
        return tuple(value)

    def _on(self, *, pre: bool) -> tuple[str, ...]:
        names = self._texts("on", self.table.get("on"))
        if not names:
            raise self.wrong("on", "is missing", 'write on = ["promote", …], or on = ["*"]')
        for name in names:
            op, _dot, outcome = name.partition(".")
            plain = name == MEETS_ALL or name in OPERATIONS
            told = name in OUTCOMES or (op in OPERATIONS and outcome in OUTCOMES)
            if not plain and not told:
                raise self.wrong(
                    "on", f"has {shown(name)}", f"use *, {', '.join((*OPERATIONS, *OUTCOMES))}"
                )
            if pre and not plain:
                raise self.wrong(
                    "on", f"has {shown(name)}, which a pre-hook cannot know yet", f"use {op}"
                )
        return names

    def _match(self) -> Match:
        table = self.table.get("match", {})
        if not isinstance(table, Mapping):
            raise self.wrong("match", "is not a table", 'write match = { entry = "fraud/*" }')
        self._known(table, _MATCH_KEYS, "match.")
        found = {key: self._texts(f"match.{key}", table[key]) for key in table}
        for kind in found.get("kind", ()):
            if kind not in KINDS:
                raise self.wrong("match.kind", f"has {shown(kind)}", f"use {', '.join(KINDS)}")
        return Match(**found)

    def _secrets(self) -> tuple[str, ...]:
        names = self._texts("secret_env", self.table.get("secret_env"))
        if not names:
            raise self.wrong(
                "secret_env",
                "is missing: bodies are signed",
                'write secret_env = "VARIABLE", and set it to whsec_…',
            )
        return tuple(self._variable("secret_env", name) for name in names)

    def _variable(self, key: str, value: object) -> str:
        named = isinstance(value, str) and _VARIABLE.fullmatch(value)
        if not isinstance(value, str) or not named or value.startswith(PREFIX):
            # the value itself is not shown: it may be the secret
            raise self.wrong(key, "is not the name of an environment variable", "write its name")
        return value

    def _timeout(self) -> float:
        value = self.table.get("timeout", DEFAULT_TIMEOUT_S)
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not 0 < value <= LONGEST_TIMEOUT_S:
            raise self.wrong("timeout", f"is not above 0 and up to {LONGEST_TIMEOUT_S:g} seconds")
        return float(value)

    def _flag(self, key: str) -> bool:
        value = self.table.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "is neither true nor false")
        return value

    def _choice(self, key: str, kind: type[Choice], default: Choice) -> Choice:
        value = self.table.get(key, str(default))
        if value not in list(kind):
            raise self.wrong(key, f"is {shown(str(value))}", f"use {' or '.join(kind)}")
        return kind(value)

    def _matching(self, key: str, pattern: re.Pattern[str], rule: str) -> str:
        value = self.table.get(key)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            said = "is missing" if value is None else f"is {shown(str(value))}"
            raise self.wrong(key, said, f"use {rule}")
        return value

    def _text(self, key: str, value: object) -> str:
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "is not a text")
        return value

    def _texts(self, key: str, value: object) -> tuple[str, ...]:
        items = value if isinstance(value, list) else [] if value is None else [value]
        if value == []:
            raise self.wrong(key, "is empty")
        return tuple(self._text(key, item) for item in items)
