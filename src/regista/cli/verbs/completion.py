"""`completion`: the script that makes a shell complete regista's command lines."""

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, command

SHELLS = ("bash", "zsh", "fish")


@command(
    name="completion",
    examples=(
        'eval "$(regista completion bash)"',
        "regista completion fish > ~/.config/fish/completions/regista.fish",
    ),
)
@click.argument("shell", metavar="SHELL", type=click.Choice(SHELLS))
def completion(call: Call, shell: str) -> ExitCode:
    """Print the completion script of a shell.

    SHELL is bash, zsh or fish. Put the output where the shell reads it when it starts.
    """
    from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

    from regista.cli.main import COMPLETE, PROGRAM, cli

    classes: dict[str, type[ShellComplete]] = {
        "bash": BashComplete,
        "zsh": ZshComplete,
        "fish": FishComplete,
    }
    # the base class's: bash's own would start bash to ask for its version
    script = ShellComplete.source(classes[shell](cli, {}, PROGRAM, COMPLETE))
    output.write(output.dumps({"shell": shell, "script": script}) if call.json else script)
    return ExitCode.DONE
