"""The map of heads: its keys, and what kind of head lies under each.

Who keeps the map, and how much of it is in memory, is not known here.
"""

from typing import Any, Protocol

from regista.decide.heads import EntryHead, SlotHead, VersionHead

REGISTRY = "g"
"""The registry as a whole."""


class Heads(Protocol):
    """A map from keys to head objects."""

    def get(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        """Return the head, or None."""
        ...

    def put(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Set the head; None removes it."""
        ...


def name(name: str) -> str:
    """Return the key of an entry: its name, as that is what people ask for."""
    return f"n/{name}"


def entry(entry_id: str) -> str:
    """Return the key of an entry's name."""
    return f"e/{entry_id}"


def version(entry_id: str, number: int) -> str:
    """Return the key of a version."""
    return f"v/{entry_id}/{number}"


def slot(entry_id: str, stage: str) -> str:
    """Return the key of a slot's stack, barred versions and last drill."""
    return f"s/{entry_id}/{stage}"


def label(entry_id: str, label: str) -> str:
    """Return the key of the number of the version with this label."""
    return f"l/{entry_id}/{label}"


def equals(entry_id: str, digest: str) -> str:
    """Return the key under which versions with this digest, or prefix, are listed.

    See `regista.decide.equals`, for `before` too.
    """
    return f"d/{entry_id}/{digest[:8]}"


def before(entry_id: str, number: int) -> str:
    """Return the key of the equal version that counted before this one."""
    return f"p/{entry_id}/{number}"


def run(run_id: str) -> str:
    """Return the key of where an eval run belongs."""
    return f"r/{run_id}"


def imported(entry_id: str, number: int, digest: str) -> str:
    """Return the key of the run that an imported file became, by `eval_runs.import_digest`."""
    return f"u/{entry_id}/{number}/{digest}"


def holders(stage: str) -> str:
    """Return the key of how many entries hold a stage."""
    return f"h/{stage}"


def alias_users(alias: str) -> str:
    """Return the key of how many entries use an alias."""
    return f"a/{alias}"


def transaction(txid: str) -> str:
    """Return the key of a transaction's commit and of the digest of what it asked for."""
    return f"t/{txid}"


def encode_head(value: Any) -> Any:  # noqa: ANN401
    """Return a head as JSON."""
    return value.to_json() if hasattr(value, "to_json") else value


def decode_head(key: str, value: Any) -> Any:  # noqa: ANN401
    """Return the head that JSON under a key stands for."""
    match key[:2]:
        case "n/":
            return EntryHead.from_json(value)
        case "v/":
            return VersionHead.from_json(value)
        case "s/":
            return SlotHead.from_json(value)
        case _:
            return value
