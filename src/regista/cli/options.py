"""What all commands share: the common options, and the call that a command receives.

A command is a function `(call, **values) -> ExitCode | None`: it parses, makes one call of the
library, and renders. The common options may stand before or after the command's name.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from regista.cli import output
from regista.cli.exits import ExitCode, exit_code_of_result
from regista.cli.group import Command
from regista.read.opening import open_replica
from regista.registry.locating import locate
from regista.registry.reads import Reads

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from regista.cli.render import Page
    from regista.registry.core import Registry
    from regista.registry.results import Written

Body = Callable[..., ExitCode | None]
Done = TypeVar("Done", bound="Written")
MAX_TIMEOUT_S = 86_400.0
COMMON_DEFAULTS: dict[str, Any] = {
    "registry": None, "json": False, "actor": None, "timeout": None, "no_hooks": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    """What every command receives.

    Attributes:
        registry: what `--registry` says.
        json: whether standard output is JSON.
        actor: what `--actor` says.
        timeout: seconds that a write goes on against other writers.
        no_hooks: whether post-hooks are left to `hooks run`.
    """

    registry: str | None = None
    json: bool = False
    actor: str | None = None
    timeout: float | None = None
    no_hooks: bool = False

    def uri(self) -> str:
        """Return the registry that is meant."""
        return locate(self.registry, os.environ, Path.cwd())

    def reading(self) -> Reads:
        """Open the registry to ask it, importing nothing that only writers need."""
        return Reads(open_replica(self.uri()))

    def open(self) -> "Registry":
        """Open the registry for anything; who writes is found out when it writes."""
        from regista.registry.opening import open_registry

        return open_registry(
            self.uri(), actor=self.writer(), timeout_s=self.timeout_s, deliver=not self.no_hooks
        )

    def writer(self) -> str:
        """Return the `--actor` given, validated; '' when it is to be found out."""
        if not self.actor:
            return ""
        from regista.registry.environment import valid_actor

        return valid_actor(self.actor)

    @property
    def timeout_s(self) -> float:
        """Seconds that a write goes on against other writers."""
        from regista.write.committed import DEFAULT_TIMEOUT_S

        return DEFAULT_TIMEOUT_S if self.timeout is None else self.timeout

    def page(self) -> "Page":
        """Return an empty page for the terminal."""
        from regista.cli.render import Page, stdout_terminal

        return Page(stdout_terminal(os.environ))

    def answer(self, value: Any, draw: Callable[["Page"], None]) -> None:  # noqa: ANN401
        """Print the answer: as JSON, or as a page that `draw` fills."""
        if self.json:
            output.write(output.dumps(value))
            return
        page = self.page()
        draw(page)
        output.write(str(page))

    def write(
        self, act: Callable[["Registry"], Done], draw: Callable[["Page", Done], None]
    ) -> ExitCode:
        """Do one write, print its result and what went wrong after it; return the exit code."""
        registry = self.open()
        result = act(registry)
        for warning in registry.writer.warnings:
            output.warn(warning)
        # where gates are shown, the hook stands among them
        told = draw_vetoed if result.vetoes and not hasattr(result, "gates") else draw
        self.answer(result.to_json(), lambda page: told(page, result))
        return exit_code_of_result(result)


def draw_vetoed(page: "Page", result: "Written") -> None:
    """Draw what pre-hooks refused."""
    what = f"{result.op} {result.name}".rstrip()
    page.verdict("refused", f"{what}; nothing is changed (commit {result.seq} records it)")
    for veto in result.vetoes:
        page.item(f"hook {veto['hook']}: {veto['reason']}")


def _seconds(_ctx: click.Context, _param: click.Parameter, value: float | None) -> float | None:
    if value is not None and not 0 <= value <= MAX_TIMEOUT_S:
        raise click.BadParameter(f"{value:g} is not from 0 to {MAX_TIMEOUT_S:g} seconds.")
    return value


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command takes, and the program itself."""
    for option in (
        click.option(
            "--timeout",
            type=float,
            callback=_seconds,
            metavar="SECONDS",
            help="How long a write goes on against other writers; 60 by default.",
        ),
        click.option(
            "--no-hooks", is_flag=True, help="Leave post-hooks to hooks run; pre-hooks are asked."
        ),
        click.option("--actor", metavar="WHO", help="Who does it; found by itself when left out."),
        click.option("--json", is_flag=True, help="Print JSON, and errors as JSON."),
        click.option(
            "--registry",
            metavar="URI",
            help="The registry; else REGISTA_REGISTRY, regista.toml, ./registry_data.",
        ),
    ):
        function = option(function)
    return function


def complete_entry(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Return names of entries for the shell."""
    from regista.cli.completing import entry_names

    return entry_names(ctx, incomplete)


def complete_stage(
    ctx: click.Context, _param: click.Parameter, incomplete: str
) -> "list[CompletionItem]":
    """Return names of stages for the shell."""
    from regista.cli.completing import stage_names

    return stage_names(ctx, incomplete)


def entry_argument(name: str, **settings: Any) -> Callable[[Body], Body]:  # noqa: ANN401
    """Add an argument that names an entry or a version, which the shell completes."""
    return click.argument(name, shell_complete=complete_entry, **settings)


as_of = click.option(
    "--as-of",
    metavar="SEQ|TIME",
    help="Answer as of a commit number, or of a time such as 2026-03-03T09:30:00Z.",
)
txid = click.option(
    "--txid",
    metavar="ID",
    help="Transaction id: the same command with the same id is done once.",
)
allow_secrets = click.option(
    "--allow-secrets",
    is_flag=True,
    help="Take parameters, tags and a URI that look like credentials.",
)
reason = click.option("--reason", metavar="TEXT", default="", help="Why; kept in the history.")


def command(*, examples: tuple[str, ...] = (), name: str) -> Callable[[Body], click.Command]:
    """Make a function a command with the common options.

    Args:
        name: what it is called.
        examples: command lines for its help.
    """

    def decorate(body: Body) -> click.Command:
        @wraps(body)
        def run(**values: Any) -> ExitCode | None:  # noqa: ANN401 - the options' values
            outer = click.get_current_context().find_root().obj or COMMON_DEFAULTS
            common = {key: values.pop(key) for key in COMMON_DEFAULTS}
            merged = {
                key: outer[key] if value is None or value is False else value
                for key, value in common.items()
            }
            return body(Call(**merged), **values)

        return click.command(name, cls=Command, examples=examples)(common_options(run))

    return decorate
