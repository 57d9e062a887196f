"""Which adapters there are, and which one a file belongs to.

Those that ship with Regista stand in a table of names, and each is imported only when it is asked
for. Third parties add theirs by an entry point of the group `regista.eval_formats` whose value is
an adapter, or a class of one. With `auto` every adapter looks at the file's content; `generic` is
asked last, since it takes almost any JSON or CSV.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from regista.errors import InvalidInputError
from regista.evalformats.protocol import GROUP, PEEK_BYTES, Choice, EvalFormat, ImportedRun, Peek
from regista.model.names import shown

AUTO = "auto"
GENERIC = "generic"
# name of the format: module within this package, whose `FORMAT` is the adapter
BUILT_IN = {
    "lm_eval": "lm_eval",
    "inspect": "inspect_ai",
    "promptfoo": "promptfoo",
    "deepeval": "deepeval",
    "helm": "helm",
    "mlflow": "mlflow_runs",
    "junit": "junit",
    "pytest_benchmark": "pytest_benchmark",
    "hugging_face": "hugging_face",
    "every_eval_ever": "every_eval_ever",
    GENERIC: "generic",
}
# those that also know files of per-example results
SAMPLE_FORMATS = ("lm_eval", "every_eval_ever")


class SampleFormat(Protocol):
    """What an adapter also has that knows files of per-example results."""

    def recognises_samples(self, peek: Peek) -> bool:
        """Say whether a file has such results, by its content; quick, and never an error."""
        ...

    def read_samples(self, path: Path, choice: Choice) -> Iterator[dict[str, Any]]:
        """Yield the results, as `ImportedRun.samples` does.

        Raises:
            InvalidInputError: while they are read: a line is malformed; the message says which.
        """
        ...


def read_run(path: Path, format_: str = AUTO, choice: Choice | None = None) -> ImportedRun:
    """Read the run of an eval file.

    Args:
        path: a file, or a folder where the format is one.
        format_: a name that `format_names` gives, or `auto`.
        choice: what the caller says of it.

    Raises:
        InvalidInputError: it is missing or malformed, the format is unknown, or with `auto` no
            format or several know it; the message says where and what to do.
    """
    adapter = recognise(path) if format_ == AUTO else adapter_of(format_)
    return adapter.read(path, choice or Choice())


def read_samples(path: Path, choice: Choice) -> Iterator[dict[str, Any]] | None:
    """Read a file of per-example results that a tool wrote in a way of its own.

    Returns:
        The rows; None for a file in any other form, such as rows with our own field names.

    Raises:
        InvalidInputError: it is missing, or while they are read: it is malformed.
    """
    adapter = _of_samples(peek_at(path))
    return None if adapter is None else adapter.read_samples(path, choice)


def _of_samples(peek: Peek) -> SampleFormat | None:
    """Return the adapter whose own per-example results a file has."""
    for name in SAMPLE_FORMATS:
        adapter: SampleFormat = import_module(f"{__package__}.{BUILT_IN[name]}").FORMAT
        if adapter.recognises_samples(peek):
            return adapter
    return None


def format_names() -> list[str]:
    """Return the names of all adapters, those of third parties last."""
    return [*BUILT_IN, *sorted(_third_parties())]


def adapter_of(name: str) -> EvalFormat:
    """Return the adapter of a name.

    Raises:
        InvalidInputError: there is none, or one of a third party cannot be loaded.
    """
    if name in BUILT_IN:
        adapter: EvalFormat = import_module(f"{__package__}.{BUILT_IN[name]}").FORMAT
        return adapter
    others = _third_parties()
    if name not in others:
        known = ", ".join((AUTO, *BUILT_IN, *sorted(others)))
        raise InvalidInputError(f"{shown(name)} is not a format of eval files", hint=f"use {known}")
    from regista.evalformats.third_party import load

    return load(name, others[name])


def adapters() -> Iterator[EvalFormat]:
    """Yield all adapters, `generic` last.

    Raises:
        InvalidInputError: one of a third party cannot be loaded.
    """
    for name in format_names():
        if name != GENERIC:
            yield adapter_of(name)
    yield adapter_of(GENERIC)


def recognise(path: Path) -> EvalFormat:
    """Return the adapter that a file belongs to, by its content.

    Raises:
        InvalidInputError: it is missing, or none or several know it.
    """
    peek = peek_at(path)
    if not peek.head.strip() and not path.is_dir():
        raise InvalidInputError(f"{shown(path.name, 200)} is empty")
    known = [
        adapter for adapter in adapters() if adapter.name != GENERIC and adapter.recognises(peek)
    ]
    if len(known) > 1:
        names = " and ".join(adapter.name for adapter in known)
        raise InvalidInputError(
            f"{shown(path.name, 200)} may be {names}", hint=f"add --format {known[0].name}"
        )
    if not known and _of_samples(peek) is not None:
        raise InvalidInputError(
            f"{shown(path.name, 200)} has results of single examples and no scores",
            hint="give it as --samples, beside --from with the scores",
        )
    generic = adapter_of(GENERIC)
    if known or generic.recognises(peek):
        return known[0] if known else generic
    raise InvalidInputError(
        f"{shown(path.name, 200)} is of no known format of eval files",
        hint=f"known: {', '.join(format_names())}; name one with --format",
    )


def peek_at(path: Path) -> Peek:
    """Look at the beginning of a file.

    Raises:
        InvalidInputError: it is missing, is neither file nor folder, or cannot be read.
    """
    name = shown(str(path), 200)
    try:
        if path.is_dir():
            return Peek(path, b"", 0)
        if not path.is_file():
            there = "is not a file" if path.exists() else "does not exist"
            raise InvalidInputError(f"the eval file {name} {there}")
        with path.open("rb") as file:
            return Peek(path, file.read(PEEK_BYTES), path.stat().st_size)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InvalidInputError(f"cannot read {name}: {reason}") from error


def _third_parties() -> dict[str, str]:
    """Return what third parties add, as `module:attribute` by name; ours cannot be replaced."""
    from importlib.metadata import entry_points

    found = {point.name: point.value for point in entry_points(group=GROUP)}
    return {name: value for name, value in found.items() if name not in BUILT_IN and name != AUTO}
