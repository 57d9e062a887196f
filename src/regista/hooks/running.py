"""Running a hook's command: bounded in time and output, without a shell, without secrets.

The command gets the body on standard input, runs in the configuration's folder, and sees the
environment less every variable that a hook names as its secret or URL. Whatever it leaves behind
in its process group when its time is up is killed.
"""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from regista.errors import StorageError
from regista.hooks.hook import Hook

INSIDE = "REGISTA_HOOKS_RUNNING"
"""Ids of the hooks whose command this process runs in, so that none runs inside itself."""
VETO = 3
OUTPUT_KEPT = 4_096
_LAST_WORDS_S = 1.0
_guard = threading.Lock()
_running: "set[subprocess.Popen[bytes]]" = set()


class CommandFailedError(StorageError):
    """A hook's command could not be run, ran too long, or runs in itself."""

    code = "hook"


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended.

    Attributes:
        code: its exit code; negative for a signal.
        out: the beginning of its standard output.
        err: the beginning of its standard error.
    """

    code: int
    out: str
    err: str

    @property
    def how(self) -> str:
        """How it ended, in words."""
        if self.code < 0:
            return f"the command was killed by signal {-self.code}"
        return f"the command exited with {self.code}"


def run_command(hook: Hook, body: bytes, hidden: Collection[str], timeout_s: float) -> Finished:
    """Run a hook's command to its end.

    Args:
        hook: with a command.
        body: what it gets on standard input.
        hidden: variables that it may not see.
        timeout_s: how long it may take.

    Raises:
        CommandFailedError: it cannot be started, or took too long and was killed.
    """
    environ = _environment(hook, os.environ, hidden)
    # a file, as a pipe would block on a command that does not read
    with tempfile.TemporaryFile() as given:
        given.write(body)
        given.seek(0)
        try:
            process = subprocess.Popen(
                hook.command,
                cwd=hook.folder,
                env=environ,
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise CommandFailedError(f"the command cannot be started: {error.strerror}") from error
        except ValueError as error:
            raise CommandFailedError("the command cannot be started: an argument is odd") from error
    with _guard:
        _running.add(process)
    try:
        return _finished(process, timeout_s)
    finally:
        with _guard:
            _running.discard(process)


def kill_running() -> None:
    """Kill the commands that other threads wait for, which nobody will wait for any more."""
    with _guard:
        for process in _running:
            _signal(process)


def runs_inside(hook_id: str) -> bool:
    """Say whether this process was started by the command of a hook."""
    return hook_id in os.environ.get(INSIDE, "").split(",")


def _environment(hook: Hook, environ: Mapping[str, str], hidden: Collection[str]) -> dict[str, str]:
    own = {name: value for name, value in environ.items() if name not in hidden}
    inside = [*filter(None, environ.get(INSIDE, "").split(",")), hook.id]
    return {**own, INSIDE: ",".join(inside), "REGISTA_HOOK": hook.id}


def _finished(process: "subprocess.Popen[bytes]", timeout_s: float) -> Finished:
    kept = [_Beginning(stream) for stream in (process.stdout, process.stderr) if stream]
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired as error:
        _kill(process)
        raise CommandFailedError(f"the command took longer than {timeout_s:g} s") from error
    except BaseException:
        _kill(process)
        raise
    # something that it started may hold the pipes open, and is not waited for
    ends = time.monotonic() + _LAST_WORDS_S
    out, err = (stream.text(ends - time.monotonic()) for stream in kept)
    return Finished(process.returncode, out, err)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    _signal(process)
    process.wait()


def _signal(process: "subprocess.Popen[bytes]") -> None:
    # its whole group, which it leads
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


class _Beginning:
    """Reads a stream to its end in a thread, so that nobody blocks, and keeps its beginning."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._kept = stream, b""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError), self._stream as stream:
            while part := os.read(stream.fileno(), 65_536):
                self._kept += part[: OUTPUT_KEPT - len(self._kept)]

    def text(self, timeout_s: float) -> str:
        self._thread.join(max(timeout_s, 0))
        return self._kept.decode("utf-8", "replace")
