"""The `regista` command: the root group, and what becomes of every error.

An error of the library is one line on standard error and the exit code of the contract. Only a
bug shows itself as one, and its traceback only on request (`REGISTA_DEBUG=1`). Completion scripts
come through here too.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from regista.cli import output
from regista.cli.exits import ExitCode, exit_code_of
from regista.cli.group import LazyGroup
from regista.cli.options import common_options
from regista.errors import RegistaError, StorageError
from regista.version import __version__

PROGRAM = "regista"
COMPLETE = "_REGISTA_COMPLETE"


@click.group(
    PROGRAM,
    cls=LazyGroup,
    epilog="Help of one command: regista COMMAND --help",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@common_options
@click.pass_context
def cli(ctx: click.Context, /, **common: Any) -> None:  # noqa: ANN401 - the options' values
    """A model and prompt registry with no server.

    Register versions, log their scores, and let gates decide what enters a stage.
    """
    ctx.obj = common


def main() -> NoReturn:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line; return its exit code.

    Args:
        arguments: what stands behind the program's name.
    """
    for stream in (sys.stdout, sys.stderr):
        # a terminal that cannot show a letter gets its code, not a crash
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    as_json = "--json" in _before_dashes(arguments)
    try:
        code = _invoke(arguments)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - a bug is reported as one
        return _failed(error, as_json=as_json)
    return code


def _failed(error: BaseException, *, as_json: bool) -> ExitCode:
    """Report whatever ended the command, and return the exit code that it has."""
    code: ExitCode
    match error:
        case KeyboardInterrupt():
            code = ExitCode.INTERRUPTED
        case BrokenPipeError():
            code = _reader_gone()
        case click.exceptions.NoArgsIsHelpError():
            code = _usage_with_help(error, as_json=as_json)
        case click.ClickException():
            code = _usage(error, as_json=as_json)
        case RegistaError():
            output.report(error, as_json=as_json)
            code = exit_code_of(error)
        case OSError():
            code = _system(error, as_json=as_json)
        case _:
            code = _bug(error, as_json=as_json)
    return code


def _invoke(arguments: Sequence[str]) -> int:
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(cli, {}, PROGRAM, COMPLETE, os.environ[COMPLETE])
    try:
        with cli.make_context(PROGRAM, list(arguments)) as ctx:
            return cli.invoke(ctx) or ExitCode.DONE
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort as abort:
        raise KeyboardInterrupt from abort


def _before_dashes(arguments: Sequence[str]) -> Sequence[str]:
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _usage(error: click.ClickException, *, as_json: bool) -> ExitCode:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else PROGRAM
    text = error.format_message().rstrip(".")
    message = text[:1].lower() + text[1:]
    output.fail("usage", message, f"{command} --help", as_json=as_json)
    return ExitCode.INVALID


def _usage_with_help(error: click.exceptions.NoArgsIsHelpError, *, as_json: bool) -> ExitCode:
    if as_json:
        output.fail("usage", "no command is given", f"{PROGRAM} --help", as_json=True)
    else:
        sys.stderr.write(error.format_message() + "\n")
    return ExitCode.INVALID


def _reader_gone() -> ExitCode:
    # what is still buffered goes nowhere, or Python complains about it when it exits
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    return ExitCode.BROKEN_PIPE


def _system(error: OSError, *, as_json: bool) -> ExitCode:
    where = f"{error.filename}: " if error.filename else ""
    problem = StorageError(
        f"{where}{error.strerror or error}", hint="free space, or mend the permissions"
    )
    if os.environ.get("REGISTA_DEBUG"):
        raise error
    output.report(problem, as_json=as_json)
    return ExitCode.STORAGE


def _bug(error: BaseException, *, as_json: bool) -> ExitCode:
    if os.environ.get("REGISTA_DEBUG"):
        raise error
    name = type(error).__name__
    if as_json:
        output.fail(
            "internal", f"{name}: {error}", "REGISTA_DEBUG=1 shows the traceback", as_json=True
        )
    else:
        from regista.cli.text import one_line

        sys.stderr.write(
            f"internal error: {one_line(f'{name}: {error}')}"
            " (this is a bug; REGISTA_DEBUG=1 shows the traceback)\n"
        )
    return ExitCode.INTERNAL
