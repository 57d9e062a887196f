"""The command line as a process of its own, in a folder of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import Any

from regista.cli.main import run

# what this machine, or the CI system that runs the tests, would add to every command
_FOREIGN = ("REGISTA_", "GITHUB_", "GITLAB_", "CI", "JENKINS_", "BUILDKITE", "CIRCLE", "TF_BUILD",
            "GIT_", "COLUMNS", "NO_COLOR", "_REGISTA", "AWS_", "GOOGLE_", "AZURE_")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error object on standard error, which is its last line."""
        found: dict[str, Any] = json.loads(self.err.splitlines()[-1])["error"]
        return found


@dataclass(slots=True)
class Cli:
    """Runs `regista` in a folder; the registry is `registry_data` in it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __call__(
        self, *arguments: str, stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> Ran:
        """Run a command line."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(environ),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def inside(self, *arguments: str) -> Ran:
        """Run a command line in this process, which is faster and looks the same."""
        before = Path.cwd(), dict(os.environ)
        os.chdir(self.folder)
        os.environ.clear()
        os.environ.update(self.environment())
        streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
        try:
            with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
                code = run(arguments)
        finally:
            os.chdir(before[0])
            os.environ.clear()
            os.environ.update(before[1])
        return Ran(code, *map(_text, streams))

    def ok(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with `--json`, expect an exit code, and return what it printed."""
        ran = self(*arguments, "--json")
        assert ran.code == code, ran
        return ran.json

    def command(self, *arguments: str) -> list[str]:
        """Return the command line of a process."""
        return [sys.executable, "-m", "regista", *arguments]

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a process."""
        own = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        # compiled modules are kept, as they are for whoever installs the program
        own.pop("PYTHONDONTWRITEBYTECODE", None)
        fixed = {
            "REGISTA_ACTOR": "tester",
            "HOME": str(self.folder),
            "COLUMNS": "80",
            "PYTHONPYCACHEPREFIX": str(Path(gettempdir()) / "regista-tests-pycache"),
        }
        return {**own, **fixed, **self.environ, **(more or {})}


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode() if isinstance(stream.buffer, io.BytesIO) else ""
