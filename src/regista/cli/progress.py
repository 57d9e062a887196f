"""A progress bar for what takes longer than a second, on a terminal only.

It goes to standard error, so that standard output stays data. Implements the `Progress` that the
library reports to.
"""

import sys
import time
from types import TracebackType
from typing import Any, Self, TextIO

PATIENCE_S = 1.0


class Bar:
    """A bar that appears when the work turns out to be long. Use it as a context manager.

    Args:
        label: what is being done.
        stream: where to; standard error by default.
    """

    def __init__(self, label: str, stream: TextIO | None = None) -> None:
        self._label = label
        self._stream = stream or sys.stderr
        self._total = 0
        self._done = 0
        self._began = 0.0
        self._bar: Any = None

    def __enter__(self) -> Self:
        self._began = time.monotonic()
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
        elif self._total and self._stream.isatty():
            spent = time.monotonic() - self._began
            if spent >= PATIENCE_S:
                self._show(spent)

    def _show(self, spent: float) -> None:
        import click

        self._bar = click.progressbar(
            length=self._total,
            label=self._label,
            file=self._stream,
            show_percent=True,
            update_min_steps=max(1, self._total // 200),
        )
        # the estimate of what is left reckons with the time before the bar
        self._bar.start -= spent
        self._bar.update(self._done)
