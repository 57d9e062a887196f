"""Click, made lazy: a command's module is imported when the command runs, not before.

Help of the groups comes from the table in `regista.cli.commands`. Help of a command shows its own
options first and those that every command takes after them.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from regista.cli.commands import COMMANDS, GROUPS, SECTIONS

SHARED = frozenset({"--registry", "--json", "--actor", "--no-hooks", "--timeout", "--help"})
SETTINGS = {"help_option_names": ["-h", "--help"]}


class Command(click.Command):
    """A command whose help ends in examples.

    Args:
        examples: command lines, shown in help and in the reference.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        examples: tuple[str, ...] = (),
        **attributes: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(name, **{"context_settings": SETTINGS, **attributes})
        self.examples = examples

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in two parts, and the examples."""
        for title, shared in (("Options", False), ("Options of every command", True)):
            records = option_records(ctx, self, shared=shared)
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)
        if self.examples:
            with formatter.section("Examples"):
                formatter.write("".join(f"  {line}\n" for line in self.examples))


def option_records(
    ctx: click.Context, command: click.Command, *, shared: bool
) -> list[tuple[str, str]]:
    """Return options with their help: those of every command, or the command's own."""
    options = [param for param in command.get_params(ctx) if isinstance(param, click.Option)]
    records = [
        option.get_help_record(ctx)
        for option in options
        if bool(SHARED.intersection(option.opts)) == shared
    ]
    return [record for record in records if record is not None]


class LazyGroup(click.Group):
    """A group that knows its commands by the table alone.

    Args:
        prefix: what stands before a command's name in the table: '' or `eval `.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        prefix: str = "",
        **attributes: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(name, **{"context_settings": SETTINGS, **attributes})
        self.prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names of the commands, in the table's order."""
        names = [*COMMANDS, *(GROUPS if not self.prefix else ())]
        found = [name.removeprefix(self.prefix) for name in names if name.startswith(self.prefix)]
        return [name for name in found if " " not in name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return a command, imported now."""
        if not self.prefix and cmd_name in GROUPS:
            return _subgroup(cmd_name)
        entry = COMMANDS.get(self.prefix + cmd_name) if " " not in cmd_name else None
        if entry is None:
            return None
        module = import_module(f"regista.cli.verbs.{entry[0]}")
        command: click.Command = getattr(module, entry[1])
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was probably meant."""
        name = args[0]
        known = self.list_commands(ctx)
        if name not in known and not name.startswith("-") and not ctx.resilient_parsing:
            near = get_close_matches(name[:50], known, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"there is no command {name!r}{meant}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, without importing one."""
        listed = {
            name: COMMANDS.get(self.prefix + name) or GROUPS[name]
            for name in self.list_commands(ctx)
        }
        widest = max(map(len, listed))
        for section in SECTIONS:
            records = [
                (name.ljust(widest), help_)
                for name, (_, _, help_, own) in listed.items()
                if own == section
            ]
            if records:
                with formatter.section("Commands" if self.prefix else section):
                    formatter.write_dl(records)


def _subgroup(name: str) -> LazyGroup:
    return LazyGroup(name=name, prefix=f"{name} ", help=GROUPS[name][2])
