"""A progress bar for what takes longer than a second, on a terminal only.

It goes to standard error, so that standard output stays data. Implements the `Progress` that the
library reports to.
"""

import sys
import time
from types import TracebackType
from typing import Any, Self

PATIENCE_S = 1.0


class Bar:
    """A bar that appears when the work turns out to be long. Use it as a context manager.

    Args:
        label: what is being done.
        shown: whether to show anything at all; whether standard error is a terminal by default.
    """

    def __init__(self, label: str, *, shown: bool | None = None) -> None:
        self._label = label
        self._shown = sys.stderr.isatty() if shown is None else shown
        self._total = 0
        self._done = 0
        self._due = 0.0
        self._bar: Any = None

    def __enter__(self) -> Self:
        self._due = time.monotonic() + PATIENCE_S
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.render_finish()

    def start(self, total: int) -> None:
        """Hear how much there is to do."""
        self._total = total

    def advance(self, count: int) -> None:
        """Hear that so much more is done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif self._shown and self._total and time.monotonic() >= self._due:
            self._begin()

    def _begin(self) -> None:
        import click

        self._bar = click.progressbar(
            length=self._total,
            label=self._label,
            file=sys.stderr,
            show_percent=True,
            update_min_steps=max(1, self._total // 200),
        )
        self._bar.update(self._done)
