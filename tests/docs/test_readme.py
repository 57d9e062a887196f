"""The commands that people are told to type: they run, and print what the page says they do.

Files that a page shows lie where its commands run.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/quickstart.md", "docs/policy-tools.md")
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")


@dataclass
class Command:
    """A command line of a page: what it is to exit with, and lines that it is to print."""

    line: str
    exit_code: int
    output: list[str] = field(default_factory=list)


def commands(page: str) -> Iterator[Command]:
    """Give the commands of a page's `console` blocks, in order."""
    text = (ROOT / page).read_text("utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        current: Command | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if current:
                    yield current
                code = _EXIT_CODE.search(line)
                current = Command(_EXIT_CODE.sub("", line[2:]), int(code[1]) if code else 0)
            elif line.strip():
                assert current, f"{page} has output before any command"
                current.output.append(line)
        if current:
            yield current


def files(page: str) -> Iterator[tuple[str, str]]:
    """Give the files of a page: `yaml` blocks whose first line is `# NAME`."""
    text = (ROOT / page).read_text("utf-8")
    for block in re.findall(r"^```yaml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        name = re.match(r"# ([\w.-]+\.yaml)\n", block)
        if name:
            yield name[1], block


def environment(folder: Path) -> dict[str, str]:
    """Return an environment that has nothing of the machine in it but the programs."""
    programs = [str(Path(sys.executable).parent), os.environ["PATH"]]
    return {
        "PATH": os.pathsep.join(programs),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "REGISTA_ACTOR": "ada",
        "COLUMNS": "80",
    }


def as_pattern(line: str) -> str:
    """Return a stated line as a pattern: `…` stands for anything, and so do more spaces."""
    parts = (re.escape(part) for part in re.split(r"(…|\s+)", line.strip()))
    return "".join(
        r"\s+" if part.strip("\\ ") == "" and part else "(?s:.*?)" if part == "…" else part
        for part in parts
    )


@pytest.mark.parametrize("page", PAGES)
def test_the_commands_of_a_page_do_what_the_page_says(page: str, tmp_path: Path) -> None:
    for name, content in files(page):
        (tmp_path / name).write_text(content, "utf-8")
    ran = 0
    for command in commands(page):
        done = subprocess.run(
            ["bash", "-c", command.line],
            cwd=tmp_path,
            env=environment(tmp_path),
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        said = done.stdout + done.stderr
        assert done.returncode == command.exit_code, f"$ {command.line}\n{said}"
        position = 0
        for line in command.output:
            found = re.compile(as_pattern(line)).search(said, position)
            assert found, f"$ {command.line}\ndoes not print {line!r}, but:\n{said}"
            position = found.end()
        ran += 1
    assert ran >= 10, f"{page} shows fewer commands than it should"
