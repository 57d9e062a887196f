"""From JSON values to the bytes of a document."""

from json import JSONEncoder
from typing import Any

from regista.site.api import addresses

Document = tuple[str, bytes]

# texts are as people read them, and doubles as the shortest text that reads back as the same
_ENCODER = JSONEncoder(
    ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")
)


def document(path: str, kind: str, value: dict[str, Any]) -> Document:
    """Return a document with its path; its first field names the schema of its kind."""
    named = {"$schema": f"{addresses.up(path)}schemas/{kind}.json", **value}
    return path, f"{_ENCODER.encode(named)}\n".encode()
