"""The command reference, generated from the commands: `python -m regista.cli.reference`.

The output depends on nothing but the code, so that a test can hold `docs/cli.md` to it.
"""

import sys
from collections.abc import Iterator
from inspect import cleandoc
from typing import TypeVar

import click

from regista.cli.commands import COMMANDS, SECTIONS
from regista.cli.exits import MEANINGS
from regista.cli.group import Command, option_records
from regista.cli.main import PROGRAM, cli

Found = TypeVar("Found")

_INTRODUCTION = """\
# Command line

This page is generated from the program by `python -m regista.cli.reference > docs/cli.md`.

Usage: `regista [OPTIONS] COMMAND [ARGS]`. The options of every command may stand before or after
its name. Data goes to standard output; warnings, errors and progress go to standard error.

The registry is what `--registry` says, else the variable `REGISTA_REGISTRY`, else `registry` in
the nearest `regista.toml` upwards (relative to that file), else `./registry_data`. Who writes is
what `--actor` says, else `REGISTA_ACTOR`, else the CI system's identity, else git's user, else
the user of the operating system.

A version is named `NAME@SELECTOR`: a number, a stage, an alias, a label, `latest`,
`sha256:DIGEST` with at least 8 digits, or in full `stage:prod`, `alias:champion`, `label:1.4.2`.
`NAME@prod~1` is what a rollback of `prod` would restore.

With `--json`, standard output is one JSON value, and an error is one object on standard error:
`{"error": {"code": …, "message": …, "hint": …}}`.
"""

_VARIABLES = (
    ("REGISTA_REGISTRY", "The registry, where `--registry` is not given."),
    ("REGISTA_ACTOR", "Who writes, where `--actor` is not given."),
    ("REGISTA_DOTENV", "In GitLab CI, the file that `check`, `promote` and `eval log` append to."),
    ("REGISTA_DEBUG", "When set, an internal error shows its traceback."),
    ("NO_COLOR", "When set, output has no colours."),
    ("COLUMNS", "Width of the output; else that of the terminal."),
)


def reference() -> str:
    """Return the reference as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield "## Options of every command\n"
    root = click.Context(cli, info_name=PROGRAM, **cli.context_settings)
    yield from _options(root, cli, shared=True)
    yield "\n## Exit codes\n"
    yield "| code | meaning |\n|---|---|"
    yield from (f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items())
    yield "\n## Environment\n"
    yield "| variable | meaning |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in _VARIABLES)
    for section in SECTIONS:
        yield f"\n## {section}"
        for name, entry in COMMANDS.items():
            if entry[3] == section:
                yield from _command(root, name)


def _command(root: click.Context, name: str) -> Iterator[str]:
    context = root
    group: click.Group = cli
    *groups, last = name.split()
    for part in groups:
        group = _loaded(context, group, part, click.Group)
        context = click.Context(group, parent=context, info_name=part, **group.context_settings)
    command = _loaded(context, group, last, Command)
    context = click.Context(command, parent=context, info_name=last, **command.context_settings)
    yield f"\n### regista {name}\n"
    yield f"```text\n{PROGRAM} {name} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield f"{cleandoc(command.help or '')}\n"
    yield from _options(context, command, shared=False)
    if command.examples:
        yield "\n```console"
        yield from (f"$ {example}" for example in command.examples)
        yield "```"


def _loaded(context: click.Context, group: click.Group, name: str, kind: type[Found]) -> Found:
    found = group.get_command(context, name)
    if not isinstance(found, kind):
        raise TypeError(f"{name} is a {type(found).__name__}")
    return found


def _options(context: click.Context, command: click.Command, *, shared: bool) -> Iterator[str]:
    records = option_records(context, command, shared=shared)
    if records:
        yield "| option | meaning |\n|---|---|"
    for option, meaning in records:
        yield f"| {_code(option)} | {_cell(meaning)} |"


def _code(text: str) -> str:
    """Return code for a table's cell; how `|` is escaped within backticks differs by renderer."""
    return f"<code>{text.replace('|', '&#124;')}</code>" if "|" in text else f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
