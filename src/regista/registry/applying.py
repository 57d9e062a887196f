"""Lists of operations from a file, run as one commit.

The file is a list of objects in YAML or JSON. `op` names the operation as the command line does;
the other keys are the arguments of the method of the same name, so whatever Python can say, a
file can. All are checked before the first is prepared, and what their places were is said.
"""

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regista.decide.operations.context import Request
from regista.errors import InvalidInputError
from regista.model.manifest import Manifest
from regista.model.names import shown
from regista.registry.core import Registry
from regista.registry.results import RESULT_TYPES, Written
from regista.registry.writes import Writes

MAX_OPERATIONS = 10_000
MAX_BYTES = 16 << 20
# what each operation is called as a method; `txid` belongs to the whole list
METHODS: dict[str, Callable[..., Written]] = {
    "create": Writes.create,
    "register": Writes.register,
    "eval log": Writes.log_eval,
    "promote": Writes.promote,
    "approve": Writes.approve,
    "waive": Writes.waive,
    "demote": Writes.demote,
    "rollback": Writes.rollback,
    "drill": Writes.drill,
    "deprecate": Writes.deprecate,
    "restore": Writes.restore,
    "archive": Writes.archive,
    "delete": Writes.delete,
    "rename": Writes.rename,
    "alias": Writes.alias,
    "remove alias": Writes.remove_alias,
    "tag": Writes.tag,
    "describe": Writes.describe,
    "policy apply": Writes.apply_policy,
    "policy approve": Writes.approve_policy,
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a file.

    Attributes:
        place: where it stands, for messages: `ops.yaml: operation 3 (promote)`.
        op: what it is called.
        arguments: of the method, by name.
    """

    place: str
    op: str
    arguments: dict[str, Any]


class Collector(Writes):
    """Prepares operations and keeps their requests instead of running them."""

    def __init__(self, registry: Registry) -> None:
        self.preparing = registry.preparing
        self._registry = registry
        self.requests: list[Request] = []

    def newest_manifest(self, name: str) -> Manifest | None:
        """Return the manifest of an entry's newest version, as it is before the list."""
        return self._registry.newest_manifest(name)

    def submit(self, request: Request, txid: str | None = None) -> Written:  # noqa: ARG002
        """Keep a request; the result says nothing yet."""
        self.requests.append(request)
        return RESULT_TYPES[request.op](request.op, 0, "", "", None)


def apply_file(registry: Registry, path: Path, *, txid: str | None = None) -> list[Written]:
    """Run the operations of a file as one commit: all of them, or none.

    Paths in the file are relative to its folder.

    Args:
        registry: where.
        path: a YAML or JSON file.
        txid: transaction id of the commit.

    Returns:
        One result per operation. When one is refused, none is applied, and those after it were
        not judged.

    Raises:
        InvalidInputError: the file, an operation or an argument is malformed.
        RegistaError: an operation cannot be done; nothing was written.
    """
    operations = read_operations(path)
    collector = Collector(registry)
    # gc waits until the commit names what is stored here
    with registry.preparing.holding_blobs():
        for operation in operations:
            try:
                _prepare(collector, operation, path.parent)
            except InvalidInputError as error:
                raise InvalidInputError(
                    f"{operation.place}: {error.message}", hint=error.hint
                ) from error
        return registry.submit_all(collector.requests, txid)


def _prepare(collector: Collector, operation: Operation, folder: Path) -> None:
    arguments = dict(operation.arguments)
    positional = []
    if operation.op == "register":
        paths = arguments.pop("paths", [])
        positional = [arguments.pop("name"), *(folder / item for item in paths)]
    for key in ("samples", "policy", "from_file"):
        if isinstance(arguments.get(key), str):
            arguments[key] = folder / arguments[key]
    METHODS[operation.op](collector, *positional, **arguments)


def read_operations(path: Path) -> list[Operation]:
    """Return the operations of a file, each with arguments that its method takes.

    Raises:
        InvalidInputError: not a list of operations; the message says where.
    """
    name = shown(str(path), 200)
    value = _parsed(path)
    if not isinstance(value, list) or not value:
        raise InvalidInputError(
            f"{name} is not a list of operations", hint="write - op: register, and its arguments"
        )
    if len(value) > MAX_OPERATIONS:
        raise InvalidInputError(
            f"{name} has {len(value):,} operations; at most {MAX_OPERATIONS:,} make one commit"
        )
    return [
        _operation(f"{path.name}: operation {number}", item) for number, item in enumerate(value, 1)
    ]


def _parsed(path: Path) -> Any:  # noqa: ANN401 - any JSON value
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidInputError(f"cannot read {shown(str(path), 200)}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInputError(f"{shown(str(path), 200)} is not UTF-8 text") from error
    if len(data) > MAX_BYTES:
        raise InvalidInputError(f"{shown(str(path), 200)} is larger than {MAX_BYTES:,} bytes")
    if path.suffix.lower() == ".json":
        try:
            # decimals stay text, so that 0.1 stays 0.1
            return json.loads(text, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise InvalidInputError(f"{shown(str(path), 200)} is not JSON: {error}") from error
    from regista.policyfile.yaml_reader import load_yaml

    return load_yaml(text, path.name, max_bytes=MAX_BYTES)[0]


def _operation(place: str, item: Any) -> Operation:  # noqa: ANN401
    if not isinstance(item, Mapping) or not isinstance(item.get("op"), str):
        raise InvalidInputError(f"{place} does not say what it is", hint="write op: register, …")
    op = item["op"]
    if op not in METHODS:
        raise InvalidInputError(
            f"{place}: {shown(op)} is not an operation", hint=f"use one of {', '.join(METHODS)}"
        )
    place = f"{place} ({op})"
    arguments = {key: value for key, value in item.items() if key != "op" and value is not None}
    _check_names(place, METHODS[op], arguments)
    return Operation(
        place, op, {key: _value(place, op, key, value) for key, value in arguments.items()}
    )


def _check_names(place: str, method: Callable[..., Written], arguments: Mapping[str, Any]) -> None:
    parameters = dict(inspect.signature(method).parameters)
    known = [name for name in parameters if name not in {"self", "txid"}]
    for name in arguments:
        if name not in known:
            raise InvalidInputError(
                f"{place} has no argument {shown(name)}", hint=f"it takes {', '.join(known)}"
            )
    for name in known:
        parameter = parameters[name]
        needed = parameter.default is parameter.empty
        if needed and parameter.kind is not parameter.VAR_POSITIONAL and name not in arguments:
            raise InvalidInputError(f"{place} lacks {name}", hint=f"add {name}: …")


_LISTS = frozenset({"paths", "dataset", "base", "member", "remove"})
_MAPPINGS = frozenset({"params", "tags", "source", "field_map"})
_FLAGS = frozenset({"again", "purge", "force_new", "allow_secrets", "keep_texts"})


def _value(place: str, op: str, name: str, value: Any) -> Any:  # noqa: ANN401
    """Return an argument as its method takes it, numbers among texts as text.

    Raises:
        InvalidInputError: it has a wrong type.
    """
    kind = _kind(op, name)
    match kind, value:
        case ("flag", bool()) | ("rows", dict() | list()):
            return value
        case ("number", int()) if not isinstance(value, bool):
            return value
        case "list", list():
            return [_text(place, name, item) for item in value]
        case "list", str() | int():
            return [_text(place, name, value)]
        case "mapping", dict():
            return {key: _text(place, name, item) for key, item in value.items()}
        case "text" | "rows", _:
            return _text(place, name, value)
        case _:
            raise InvalidInputError(f"{place}: {name} is not a {kind}")


def _kind(op: str, name: str) -> str:
    if name in _FLAGS:
        return "flag"
    # a dataset is one text for an evaluation, and a list for a version
    if name in _LISTS and (op, name) != ("eval log", "dataset"):
        return "list"
    if name in _MAPPINGS:
        return "mapping"
    if name in {"scores", "samples"}:
        return "rows"
    return "number" if (op, name) == ("rollback", "to") else "text"


def _text(place: str, name: str, value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, (str, int)):
        raise InvalidInputError(f"{place}: {name} is not a text")
    return str(value)
