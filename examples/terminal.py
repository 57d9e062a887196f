"""The terminal part of the demo: commands as they are typed, run and shown."""

import json
import os
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

WIDTH = 80


class Shell:
    """Runs `regista` commands in the work folder, each printed as a person would type it.

    Attributes:
        folder: where commands run.
        registry: the registry that they mean.
        commands: how many have run.
    """

    def __init__(self, folder: Path, registry: Path) -> None:
        self.folder = folder
        self.registry = registry
        self.commands = 0
        self._environment = {
            **os.environ,
            "REGISTA_REGISTRY": str(registry),
            "REGISTA_ACTOR": "ada",
            # the drill's smoke command is to find this Python, with scikit-learn in it
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        if not sys.stdout.isatty():
            self._environment["COLUMNS"] = str(WIDTH)

    def seq_of(self, ref: str) -> str:
        """Return the number of the commit that made a reference point where it does."""
        command = [sys.executable, "-m", "regista", "resolve", ref, "--json"]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, check=True, capture_output=True
        )
        return str(json.loads(done.stdout)["seq"])

    def regista(self, *arguments: str, expect: int = 0) -> None:
        """Run one command; end the demo when its exit code is not the expected one."""
        print("\n" + "\n".join(typed(("regista", *arguments))), flush=True)
        command = [sys.executable, "-m", "regista", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self._environment, check=False)
        self.commands += 1
        if done.returncode != expect:
            sys.exit(f"demo: this exited with {done.returncode}; {expect} was expected")
        if expect:
            print(f"(exit code {expect})", flush=True)


def typed(arguments: Sequence[str]) -> Iterator[str]:
    """Give a command line as a person would type it, in lines that fit."""
    line = "$"
    for word in _words(arguments):
        if len(line) + len(word.partition("\n")[0]) + 3 > WIDTH and line.strip() != "$":
            yield line + " \\"
            line = "   "
        line += " " + word
    yield line


def _words(arguments: Sequence[str]) -> Iterator[str]:
    """Give the quoted arguments, an option together with its value."""
    rest = list(map(quoted, arguments))
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and rest and not rest[0].startswith("--"):
            word += " " + rest.pop(0)
        yield word


def quoted(argument: str) -> str:
    """Return an argument as a person would quote it."""
    if "'" in argument and not any(char in argument for char in '"$`\\!'):
        return f'"{argument}"'
    return shlex.quote(argument)


def chapter(title: str, text: str) -> None:
    """Begin a part of the demo."""
    print(f"\n\n{title}\n{'─' * len(title)}")
    print(textwrap.fill(text, WIDTH), flush=True)


def near(path: Path) -> str:
    """Return a path as short as it can be typed here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
