"""XML of strangers as a stream of begun and ended elements; safe, and in bounded memory.

A document type is refused: entities, which can name files and unfold without end, can only be
declared in one. So nothing outside the file is ever looked at. Text between tags is passed over.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from regista.errors import InvalidInputError
from regista.evalformats.protocol import MAX_DOCUMENT
from regista.model.names import shown

_CHUNK = 1 << 16
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Tag:
    """The begin or the end of an element.

    Attributes:
        name: of the element.
        begins: whether this is its begin.
        attributes: of the element; none at its end.
    """

    name: str
    begins: bool
    attributes: Mapping[str, str] = field(default_factory=dict)


class _DoctypeError(ValueError):
    """The document has a document type."""


def first_element(head: bytes) -> str:
    """Return the name of a document's outermost element, from its first bytes; '' if none."""
    text = head.removeprefix(_BOM).decode("utf-8", "replace").lstrip()
    while text.startswith(("<?", "<!--")):
        end = "?>" if text.startswith("<?") else "-->"
        text = text.partition(end)[2].lstrip()
    if not text.startswith("<"):
        return ""
    for position, char in enumerate(text[1:], 1):
        if char.isspace() or char in "/>":
            return text[1:position]
    return ""


def tags(path: Path) -> Iterator[Tag]:
    """Yield the tags of a document in order.

    Raises:
        InvalidInputError: it is missing, empty, larger than `MAX_DOCUMENT`, not well-formed, or
            has a document type; the message says where.
    """
    name = shown(path.name, 200)
    found: list[Tag] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda tag, attributes: found.append(Tag(tag, True, attributes))  # noqa: FBT003
    parser.EndElementHandler = lambda tag: found.append(Tag(tag, False))  # noqa: FBT003
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        if path.stat().st_size > MAX_DOCUMENT:
            raise InvalidInputError(
                f"{name} is larger than {MAX_DOCUMENT >> 20} MB",
                hint="write one file per test suite",
            )
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                parser.Parse(chunk, False)  # noqa: FBT003
                yield from found
                found.clear()
        parser.Parse(b"", True)  # noqa: FBT003
        yield from found
    except OSError as error:
        raise InvalidInputError(f"cannot read {name}: {error.strerror}") from error
    except expat.ExpatError as error:
        reason = expat.errors.messages[error.code]
        raise InvalidInputError(
            f"{name}, line {error.lineno}: it is not well-formed XML: {reason}",
            hint="a file that ends early is what a killed test run leaves",
        ) from error
    except (ValueError, LookupError) as error:
        # an encoding that Python does not have is a LookupError
        raise InvalidInputError(f"{name}, line {parser.CurrentLineNumber}: {error}") from error


def _refuse_doctype(*_declaration: object) -> NoReturn:
    raise _DoctypeError("it has a document type, which is refused since it can name other files")
