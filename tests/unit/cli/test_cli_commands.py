import inspect

import click
import pytest

from regista.cli.commands import COMMANDS, GROUPS, SECTIONS
from regista.cli.group import SHARED, Command
from regista.cli.main import cli


def command_named(name: str) -> Command:
    *groups, last = name.split()
    group: click.Command | None = cli
    context = click.Context(cli)
    for part in groups:
        assert isinstance(group, click.Group)
        group = group.get_command(context, part)
    assert isinstance(group, click.Group)
    command = group.get_command(context, last)
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says_of_itself(name: str) -> None:
    command = command_named(name)
    first = inspect.cleandoc(command.help or "").partition("\n")[0]
    assert first == COMMANDS[name][2]
    assert command.name == name.rsplit(maxsplit=1)[-1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_takes_the_common_options_and_shows_an_example(name: str) -> None:
    command = command_named(name)
    options = {text for param in command.params for text in param.opts}
    assert options >= SHARED - {"--help"}
    assert command.examples
    assert all(example.count(f"regista {name}") or name in example for example in command.examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    for param in command_named(name).params:
        if isinstance(param, click.Option):
            assert param.help, param.name
            assert param.help[0].isupper()


def test_every_listed_command_has_a_section() -> None:
    entries = [*COMMANDS.values(), *GROUPS.values()]
    assert {entry[3] for entry in entries} == set(SECTIONS)


def test_unknown_commands_are_not_there() -> None:
    context = click.Context(cli)
    assert cli.get_command(context, "nope") is None
    assert cli.get_command(context, "eval log") is None
