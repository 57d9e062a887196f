"""Selectors: how a person names a version of an entry.

`NAME@12`, `NAME@prod`, `NAME@champion`, `NAME@1.4.2`, `NAME@latest`, `NAME@sha256:1f2e…`, and in
full `NAME@stage:prod`, `NAME@alias:champion`, `NAME@label:1.4.2`; `~K` after a stage means what
K rollbacks would restore. What a selector resolves to is `regista.decide.selecting`.
"""

import re
from dataclasses import dataclass
from typing import Self

from regista.errors import InvalidInputError
from regista.model import names

_DIGEST = re.compile(r"[0-9a-f]{8,64}")
_BACK = re.compile(r"(.+)~([0-9]{1,6})")
_NAME_CHARS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-")
MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Selector:
    """Which version of an entry is meant.

    Attributes:
        how: number, stage, alias, label, digest, latest, or any (stage, alias, label in turn).
        value: the number, name or digest prefix; '' for latest.
        back: how many rollbacks back from the stage.
    """

    how: str
    value: str
    back: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what stands after the `@`.

        Raises:
            InvalidInputError: not a selector.
        """
        back = 0
        if match := _BACK.fullmatch(text):
            text, back = match[1], int(match[2])
        prefix, colon, rest = text.partition(":")
        if colon:
            selector = cls(*_prefixed(prefix, rest, text), back)
        elif text.isascii() and text.isdigit():
            selector = cls("number", _number(text), back)
        elif text == "latest":
            selector = cls("latest", "", back)
        else:
            selector = cls("any", _named(text, text), back)
        if back and selector.how not in {"any", "stage"}:
            raise InvalidInputError("~ goes after a stage only", hint="write NAME@prod~1")
        return selector

    def __str__(self) -> str:
        tail = f"~{self.back}" if self.back else ""
        match self.how:
            case "latest":
                return "latest"
            case "number" | "any":
                return self.value + tail
            case "digest":
                return f"sha256:{self.value}"
            case _:
                return f"{self.how}:{self.value}{tail}"


@dataclass(frozen=True, slots=True)
class VersionRef:
    """An entry's name and a selector: `fraud/card@prod`."""

    name: str
    selector: Selector

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `NAME@SELECTOR`.

        Raises:
            InvalidInputError: no `@`, a bad name, or a bad selector.
        """
        name, at_sign, selector = text.partition("@")
        if not at_sign:
            raise InvalidInputError(
                f"{names.shown(text)} names no version",
                hint="write NAME@12, NAME@prod or NAME@latest",
            )
        return cls(names.entry_name(name), Selector.parse(selector))

    def __str__(self) -> str:
        return f"{self.name}@{self.selector}"


def _prefixed(prefix: str, rest: str, text: str) -> tuple[str, str]:
    if prefix == "sha256":
        if not _DIGEST.fullmatch(rest):
            raise InvalidInputError(
                f"{names.shown(text)} is not a digest", hint="give 8 to 64 hexadecimal digits"
            )
        return "digest", rest
    if prefix in {"stage", "alias", "label"}:
        return prefix, _named(rest, text)
    raise _no_selector(text)


def _named(name: str, text: str) -> str:
    """Return what may name a stage, an alias or a label."""
    if not 1 <= len(name) <= names.MAX_NAME or not _NAME_CHARS.issuperset(name):
        raise _no_selector(text)
    return name


def _no_selector(text: str) -> InvalidInputError:
    return InvalidInputError(
        f"{names.shown(text)} is not a selector",
        hint="use a number, a stage, an alias, a label, latest, or sha256:…",
    )


def _number(text: str) -> str:
    digits = text.lstrip("0")
    # Python refuses to read numbers of thousands of digits
    if not digits or len(digits) > len(str(MAX_NUMBER)) or int(digits) > MAX_NUMBER:
        raise InvalidInputError(f"{names.shown(text, 20)} is not a version number")
    return digits
