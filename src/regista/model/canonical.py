"""Canonical JSON: one byte sequence per value, so that a digest names a value.

The form is RFC 8785 (JSON Canonicalization Scheme) restricted to objects, arrays, strings,
booleans, null and integers of at most 53 bits. Decimals travel as strings, so `0.1` stays `0.1`
and NaN has no spelling. Reading refuses duplicate keys, floats and anything that is not in
canonical form only where `is_canonical` is asked; `decode` itself takes any strict JSON of
these types.
"""

import hashlib
import json
from typing import Any, NoReturn

from regista.errors import InvalidInputError

MAX_INT = 2**53 - 1
_BMP_END = "\uffff"


def encode(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return the canonical bytes of a JSON value, without a final newline.

    Raises:
        InvalidInputError: a float, an integer beyond 53 bits, a key that is no string,
            a lone surrogate, a type that JSON does not have, or nesting without end.
    """
    astral = _check(value)
    try:
        prepared = _sort_by_utf16(value) if astral else value
        text = json.dumps(
            prepared,
            ensure_ascii=False,
            separators=(",", ":"),
            sort_keys=not astral,
            allow_nan=False,
        )
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"text is not valid Unicode: {error}") from error
    except RecursionError:
        raise InvalidInputError("a value is nested too deep") from None


def decode(data: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse strict JSON without floats.

    Raises:
        InvalidInputError: not JSON, duplicate keys, a float, NaN or Infinity, half a character.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        value = json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_float=_refuse_float,
            parse_constant=_refuse_float,
        )
        if "\\u" in text:
            # an escape may be half of a character, which no UTF-8 can carry
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise InvalidInputError(f"not strict JSON: not valid Unicode: {error}") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"not strict JSON: {error}") from error
    return value


def is_canonical(data: bytes) -> bool:
    """Say whether the bytes are exactly the canonical form of the value that they hold."""
    try:
        return encode(decode(data)) == data
    except InvalidInputError:
        return False


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the SHA-256 of the canonical bytes of a JSON value."""
    return sha256_hex(encode(value))


def _check(value: Any) -> bool:  # noqa: ANN401
    """Refuse what has no canonical form; say whether a key lies beyond the BMP."""
    astral = False
    pending = [value]
    while pending:
        item = pending.pop()
        if item is None or isinstance(item, (str, bool)):
            continue
        if isinstance(item, int):
            if not -MAX_INT <= item <= MAX_INT:
                raise InvalidInputError(f"integer {item} does not fit in 53 bits")
        elif isinstance(item, dict):
            for key in item:
                if not isinstance(key, str):
                    raise InvalidInputError(f"object key {key!r} is not text")
                if key and max(key) > _BMP_END:
                    astral = True
            pending.extend(item.values())
        elif isinstance(item, (list, tuple)):
            pending.extend(item)
        else:
            raise InvalidInputError(f"{type(item).__name__} has no canonical JSON form")
    return astral


def _sort_by_utf16(value: Any) -> Any:  # noqa: ANN401
    # RFC 8785 orders keys by UTF-16 code units; code points differ from that beyond the BMP
    if isinstance(value, dict):
        ordered = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return {key: _sort_by_utf16(value[key]) for key in ordered}
    if isinstance(value, (list, tuple)):
        return [_sort_by_utf16(item) for item in value]
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object has the same key twice")
    return result


def _refuse_float(text: str) -> NoReturn:
    raise ValueError(f"number {text} is not an integer; decimals are written as strings")
