"""YAML of strangers with every scalar as the text that it is; nothing is guessed.

`0.10` stays "0.10", `no` stays "no". Anchors, aliases, duplicate keys, deep nesting and long
documents are refused. The parser's events are taken one by one, so no nesting can overflow
Python's stack, and a bomb of aliases is refused at its first.
"""

from typing import Any

import yaml

from regista.errors import InvalidInputError
from regista.model.names import shown

MAX_CHARACTERS = 4 << 20
MAX_DEPTH = 32


def parse_yaml(text: str, name: str) -> Any:  # noqa: ANN401 - mappings, lists, texts
    """Parse the first document of a YAML text.

    Args:
        text: YAML.
        name: how messages call it.

    Returns:
        Mappings, lists and texts; None for an empty document.

    Raises:
        InvalidInputError: it is not YAML, or not of the part that is taken; says where.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidInputError(f"{name} has more than {MAX_CHARACTERS >> 20} MB of YAML")
    building = _Building(name)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            building.take(event)
            if isinstance(event, yaml.DocumentEndEvent):
                break
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise InvalidInputError(f"{name}{line}: it is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise InvalidInputError(
            f"{name}: it is not YAML, or has a character that is not"
        ) from error
    return building.result


class _Building:
    """The values of a document as its events come."""

    def __init__(self, name: str) -> None:
        self.result: Any = None
        self._name = name
        # each open list, or mapping with the key that waits for its value
        self._open: list[list[Any] | dict[str, Any]] = []
        self._keys: list[str | None] = []

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse(event, "anchors and aliases are not taken")
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            self._place(event, value)
            self._open.append(value)
            self._keys.append(None)
            if len(self._open) > MAX_DEPTH:
                self._refuse(event, "it is nested too deep")
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._open.pop()
            self._keys.pop()
        elif isinstance(event, yaml.ScalarEvent):
            self._place(event, event.value)

    def _place(self, event: yaml.Event, value: Any) -> None:  # noqa: ANN401
        if not self._open:
            self.result = value
            return
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, list):
            parent.append(value)
        elif key is None:
            if not isinstance(value, str):
                self._refuse(event, "a key is not text")
            if value in parent:
                self._refuse(event, f"the key {shown(value)} is there twice")
            self._keys[-1] = value
        else:
            parent[key] = value
            self._keys[-1] = None

    def _refuse(self, event: yaml.Event, what: str) -> None:
        line = f", line {event.start_mark.line + 1}" if event.start_mark else ""
        raise InvalidInputError(f"{self._name}{line}: {what}")
