"""A YAML reader for files from strangers: JSON values, exact decimals, and exact positions.

It takes mappings with text keys, lists, text, `true`, `false`, `null` and whole numbers. Every
other number stays text, exactly as written: 0.005 is the text "0.005", so no decimal is ever a
double. Words such as `no` and `on` are text. Refused are anchors, aliases, tags, directives,
merge keys, duplicate keys, more than one document, deep nesting and large files.

The parser's events are taken one by one into a stack of our own. So no nesting can overflow
Python's stack, an alias bomb is refused at its first anchor, and hostile nesting is refused
before the parser, whose time grows with the square of the depth, has read on.
"""

import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from regista.errors import InvalidInputError
from regista.model.names import shown

MAX_DEPTH = 32
MAX_BYTES = 262_144

_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})")
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_INT = 2**53 - 1
_WORDS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NO_KEY: Any = object()

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text; line and column count from 1."""

    line: int
    column: int


class YamlError(InvalidInputError):
    """The text is not YAML, or not of the part that is taken.

    Attributes:
        file: name of the file as shown in the message.
        position: where it is.
        detail: the message without the place.
    """

    def __init__(self, file: str, position: Position, detail: str, *, hint: str = "") -> None:
        super().__init__(f"{file}:{position.line}:{position.column}: {detail}", hint=hint)
        self.file = file
        self.position = position
        self.detail = detail


@dataclass(slots=True)
class Positions:
    """Where each value, and each key, of a read text begins."""

    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)

    def at(self, path: Path, *, key: bool = False) -> Position:
        """Return where a value begins, or its key; for one that is absent, the closest parent."""
        if key and path in self.keys:
            return self.keys[path]
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path, Position(1, 1))


def load_yaml(text: str, file: str, *, max_bytes: int = MAX_BYTES) -> tuple[Any, Positions]:
    """Read one YAML document.

    Args:
        text: the document.
        file: its name, for messages.
        max_bytes: greatest size in UTF-8.

    Returns:
        The value (an empty text is None), and where everything in it stood.

    Raises:
        YamlError: an InvalidInputError whose message starts with `file:line:column:`.
    """
    size = len(text.encode("utf-8", "replace"))
    if size > max_bytes:
        detail = f"the file has {size:,} bytes; at most {max_bytes:,} are read"
        raise YamlError(file, Position(1, 1), detail)
    builder = _Builder(file)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            builder.take(event)
    except yaml.reader.ReaderError as error:
        raise _unreadable(file, text, error) from None
    except yaml.MarkedYAMLError as error:
        raise _malformed(file, error) from None
    except (ValueError, OverflowError):
        # PyYAML lets these through for escapes and directives with numbers out of range
        detail = "not YAML: an escape or a version number is out of range"
        raise YamlError(file, builder.last, detail) from None
    return builder.root, builder.positions


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is still open."""

    container: Any
    path: Path
    key: Any = _NO_KEY


class _Builder:
    """Builds the value from parser events."""

    def __init__(self, file: str) -> None:
        self.root: Any = None
        self.positions = Positions()
        self.last = Position(1, 1)
        self._file = file
        self._frames: list[_Frame] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        """Take the next event."""
        self.last = _position(event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                self._begin_document(event)
            case yaml.AliasEvent():
                self._refuse("aliases are not allowed", "write the value out")
            case yaml.ScalarEvent():
                self._begin_node(event)
                self._scalar(event)
            case yaml.SequenceStartEvent():
                self._begin_node(event)
                self._open([])
            case yaml.MappingStartEvent():
                self._begin_node(event)
                self._open({})
            case yaml.CollectionEndEvent():
                self._frames.pop()

    def _begin_document(self, event: yaml.DocumentStartEvent) -> None:
        self._documents += 1
        if self._documents > 1:
            self._refuse("a second document begins", "keep one document per file")
        if event.version or event.tags:
            self._refuse("directives are not allowed", "remove the lines that start with %")

    def _begin_node(self, event: yaml.NodeEvent) -> None:
        if event.anchor is not None:
            self._refuse("anchors are not allowed", "write the value out where it is used")
        if getattr(event, "tag", None) is not None:
            self._refuse("tags are not allowed", "remove what starts with !")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        plain = event.implicit[0]
        if _SURROGATE.search(event.value):
            self._refuse("an escape stands for half a character", "write the character itself")
        value = _resolved(event.value) if plain else event.value
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is _NO_KEY:
            self._key(frame, event.value, value, plain=plain)
        else:
            self._put(value)

    def _key(self, frame: _Frame, written: str, value: object, *, plain: bool) -> None:
        if plain and written == "<<":
            self._refuse("merge keys are not allowed", "write the fields out")
        if not isinstance(value, str):
            self._refuse(f"the key {written or 'null'} is not text", "put it in quotes")
        if written in frame.container:
            first = self.positions.keys[*frame.path, written]
            self._refuse(
                f"the key {shown(written)} is here twice, first in line {first.line}",
                "keep one of them",
            )
        frame.key = written
        self.positions.keys[*frame.path, written] = self.last

    def _open(self, container: list[Any] | dict[str, Any]) -> None:
        if len(self._frames) >= MAX_DEPTH:
            self._refuse(f"nested deeper than {MAX_DEPTH} levels", "write it flatter")
        frame = self._frames[-1] if self._frames else None
        if frame is not None and isinstance(frame.container, dict) and frame.key is _NO_KEY:
            self._refuse("a key must be text", "write key: value")
        self._frames.append(_Frame(container, self._put(container)))

    def _put(self, value: Any) -> Path:  # noqa: ANN401 - any JSON value
        """Put a value where it belongs, and return its path."""
        path: Path = ()
        if not self._frames:
            self.root = value
        else:
            frame = self._frames[-1]
            if isinstance(frame.container, dict):
                path = (*frame.path, frame.key)
                frame.container[frame.key] = value
                frame.key = _NO_KEY
            else:
                path = (*frame.path, len(frame.container))
                frame.container.append(value)
        self.positions.values[path] = self.last
        return path

    def _refuse(self, detail: str, hint: str) -> NoReturn:
        raise YamlError(self._file, self.last, detail, hint=hint)


def _resolved(text: str) -> Any:  # noqa: ANN401 - a JSON scalar
    """Return what a text without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text) and abs(int(text)) <= _MAX_INT:
        return int(text)
    return text


def _position(mark: Any) -> Position:  # noqa: ANN401 - one of two mark classes, or None
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)


def _malformed(file: str, error: yaml.MarkedYAMLError) -> YamlError:
    position = _position(error.problem_mark or error.context_mark)
    said = [part for part in (error.context, error.problem) if part]
    hint = "indent with spaces, not tabs" if "\\t" in str(error.problem) else ""
    return YamlError(file, position, f"not YAML: {_one_line(', '.join(said))}", hint=hint)


def _unreadable(file: str, text: str, error: yaml.reader.ReaderError) -> YamlError:
    before = text[: error.position]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    code = error.character if isinstance(error.character, int) else ord(error.character)
    return YamlError(
        file,
        Position(line, column),
        f"the character U+{code:04X} is not allowed",
        hint="remove it, or write it as an escape in double quotes",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
