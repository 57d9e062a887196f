"""Adapters of third parties: loaded by entry point, and kept from breaking what calls them.

Whatever one raises that is not an error of ours becomes one that names it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError, RegistaError
from regista.evalformats.protocol import GROUP, Choice, EvalFormat, ImportedRun, Peek
from regista.model.names import shown

_UPDATE = "update or uninstall the package that adds it"
_PARTS = ("name", "about", "recognises", "read")


@dataclass(slots=True)
class Guarded:
    """An adapter of a third party. Implements `protocol.EvalFormat`."""

    inner: EvalFormat
    name: str
    about: str

    def recognises(self, peek: Peek) -> bool:
        """Ask it."""
        with _guard(self.name):
            return bool(self.inner.recognises(peek))

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Let it read."""
        with _guard(self.name):
            run = self.inner.read(path, choice)
            return run if run.samples is None else replace(run, samples=self._rows(run.samples))

    def _rows(self, samples: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        with _guard(self.name):
            yield from samples


def load(name: str, value: str) -> EvalFormat:
    """Load an adapter.

    Args:
        name: of the entry point, which is the format's.
        value: `module:attribute`, an adapter or a class of one.

    Raises:
        InvalidInputError: it cannot be loaded, or is no adapter.
    """
    with _guard(name):
        item = EntryPoint(name, value, GROUP).load()
        adapter = item() if isinstance(item, type) else item
    missing = [part for part in _PARTS if not hasattr(adapter, part)]
    if missing:
        raise InvalidInputError(
            f"the eval format {shown(name)} of {shown(value)} has no {missing[0]}", hint=_UPDATE
        )
    return Guarded(adapter, name, str(adapter.about))


@contextmanager
def _guard(name: str) -> Iterator[None]:
    try:
        yield
    except RegistaError:
        raise
    except Exception as error:
        # a stranger's code may fail in any way
        raise InvalidInputError(
            f"the eval format {shown(name)} failed: {type(error).__name__}:"
            f" {shown(str(error), 200)}",
            hint=_UPDATE,
        ) from error
