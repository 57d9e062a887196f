"""Names and texts from strangers, validated at the door.

Every rule on what an entry, stage, alias, label, tag or free text may be stands here. The
functions return the text to use (in NFC) or raise `InvalidInputError`; nothing else validates.
"""

import re
import unicodedata

from regista.errors import InvalidInputError

KINDS = ("model", "prompt", "dataset", "bundle")
MAX_NAME = 255
MAX_TAG_KEY = 250
MAX_TAG_VALUE = 100_000
MAX_REASON = 10_000
MAX_TEXT = 1_000_000
SHORT_TEXT = 1000

_SLUG = re.compile(r"[A-Za-z0-9_-]{1,255}")
# not compiled here: few commands need them, and compiling takes a while
_LABEL = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,254}"
_TXID = r"[A-Za-z0-9._:-]{1,128}"
_VERSION_LIKE = re.compile(r"[vV]\d+")
_PUNCTUATION = " ._-/"
_LINE_CONTROLS = "\n\t\r"
_LINE_BREAKS = _LINE_CONTROLS + "\u2028\u2029"


def entry_name(text: str) -> str:
    """Validate an entry name: letters, digits, space, `. _ -`, and `/` for folders."""
    name = unicodedata.normalize("NFC", _encodable(text, "an entry name"))
    if not name or len(name) > MAX_NAME:
        raise InvalidInputError(f"an entry name has 1 to {MAX_NAME} characters, not {len(name)}")
    for char in name:
        if char not in _PUNCTUATION and unicodedata.category(char)[0] not in "LNM":
            raise InvalidInputError(
                f"entry name {shown(name)} has the character U+{ord(char):04X}",
                hint="use letters, digits, space, . _ - and / for folders",
            )
    for segment in name.split("/"):
        if segment in {"", ".", ".."} or segment != segment.strip(" "):
            raise InvalidInputError(
                f"entry name {shown(name)} has a folder or name that is empty, '.', '..', "
                "or starts or ends with a space"
            )
    return name


def kind(text: str) -> str:
    """Validate an entry's kind."""
    if _encodable(text, "a kind") not in KINDS:
        raise InvalidInputError(f"{shown(text)} is not a kind", hint=f"use {', '.join(KINDS)}")
    return text


def slug(text: str, what: str) -> str:
    """Validate a stage or alias name: `[A-Za-z0-9_-]{1,255}`, not reserved, not all digits."""
    if not _SLUG.fullmatch(_encodable(text, f"{what} name")):
        raise InvalidInputError(
            f"{shown(text)} is not {what} name", hint="use 1 to 255 of A-Z a-z 0-9 _ -"
        )
    if text == "latest" or text.isdigit() or _VERSION_LIKE.fullmatch(text):
        raise InvalidInputError(f"{text!r} is reserved and cannot be {what} name")
    return text


def label(text: str) -> str:
    """Validate a version label such as 1.4.2; it may not read as a number or as `latest`."""
    if not re.fullmatch(_LABEL, _encodable(text, "a label")):
        raise InvalidInputError(
            f"{shown(text)} is not a label", hint="use letters, digits and . _ + -, such as 1.4.2"
        )
    if text == "latest" or text.isdigit():
        raise InvalidInputError(f"{text!r} is reserved and cannot be a label")
    return text


def tag_key(text: str) -> str:
    """Validate a tag or parameter key: 1 to 250 characters on one line."""
    key = unicodedata.normalize("NFC", plain_text(text, "a tag key", MAX_TAG_KEY))
    if not key or any(char in _LINE_BREAKS for char in key):
        raise InvalidInputError("a tag key is empty or has a line break")
    return key


def tag_value(text: str) -> str:
    """Validate a tag or parameter value: up to 100,000 characters."""
    return plain_text(text, "a tag value", MAX_TAG_VALUE)


def identifier(text: str, what: str) -> str:
    """Validate a suite, metric, task, slice, run or code name: 1 to 255 characters on one line."""
    value = unicodedata.normalize("NFC", plain_text(text, what, MAX_NAME))
    if not value.strip() or any(char in _LINE_BREAKS for char in value):
        raise InvalidInputError(f"{what} is empty or has a line break")
    return value


def plain_text(text: str, what: str, limit: int) -> str:
    """Validate free text: valid Unicode, no control characters but line breaks and tabs."""
    _encodable(text, what)
    if len(text) > limit:
        raise InvalidInputError(f"{what} has {len(text):,} characters; at most {limit:,} are kept")
    for char in text:
        if unicodedata.category(char) == "Cc" and char not in _LINE_CONTROLS:
            raise InvalidInputError(f"{what} has the control character U+{ord(char):04X}")
    return text


def reason(text: str) -> str:
    """Validate a reason: up to 10,000 characters."""
    return plain_text(text, "a reason", MAX_REASON)


def txid(text: str) -> str:
    """Validate a transaction id: 1 to 128 of `A-Z a-z 0-9 . _ : -`."""
    if not re.fullmatch(_TXID, _encodable(text, "a transaction id")):
        raise InvalidInputError(
            f"{shown(text)} is not a transaction id", hint="use 1 to 128 of A-Z a-z 0-9 . _ : -"
        )
    return text


def shown(text: str, limit: int = 80) -> str:
    """Return a stranger's text so that it is safe inside a one-line message."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    return "'" + "".join(map(_visible, cut)) + "'"


def _visible(char: str) -> str:
    if char == " " or unicodedata.category(char)[0] not in "CZ":
        return char
    return f"\\u{ord(char):04x}"


def _encodable(text: str, what: str) -> str:
    try:
        text.encode("utf-8")
    except AttributeError:
        raise InvalidInputError(f"{what} is text, not {type(text).__name__}") from None
    except UnicodeEncodeError:
        raise InvalidInputError(f"{what} is not valid Unicode") from None
    return text
