"""`rename`, `alias`, `tag` and `describe`: what things are called and said to be."""

from typing import Any

import click

from regista.cli.exits import ExitCode
from regista.cli.gates import draw_gates, held, warn_waived
from regista.cli.inputs import pairs, text_of
from regista.cli.options import Call, allow_secrets, command, entry_argument, txid
from regista.cli.render import Page
from regista.errors import InvalidInputError
from regista.registry.core import Registry
from regista.registry.results import Aliased, Renamed, Tagged, Written


@command(name="rename", examples=("regista rename fraud/card payments/card",))
@entry_argument("name")
@click.argument("to", metavar="NEW_NAME")
@txid
def rename(call: Call, name: str, to: str, txid: str | None) -> ExitCode:
    """Give an entry another name.

    Versions, stages, scores and history stay with it. Refused where a stage that it holds would
    come under other rules.
    """
    return call.write(lambda registry: registry.rename(name, to, txid=txid), _renamed)


def _renamed(page: Page, result: Renamed) -> None:
    page.line(f"{result.from_name} is called {result.name} now (commit {result.seq})")


@command(
    name="alias",
    examples=(
        "regista alias fraud/card@7 champion",
        "regista alias fraud/card champion --remove",
    ),
)
@entry_argument("ref", metavar="NAME@V")
@click.argument("alias_name", metavar="ALIAS")
@click.option("--remove", is_flag=True, help="Remove the alias; NAME alone is enough then.")
@txid
def alias(call: Call, *, ref: str, alias_name: str, remove: bool, txid: str | None) -> ExitCode:
    """Point an alias at a version, or remove it.

    One that the policy gates is judged first, as a stage is; a refusal exits 3.
    """
    if remove:
        name = ref.partition("@")[0]
        return call.write(
            lambda registry: registry.remove_alias(name, alias_name, txid=txid), _aliased
        )

    def act(registry: Registry) -> Aliased:
        result = registry.alias(ref, alias_name, txid=txid)
        warn_waived(result.gates)
        return result

    return call.write(act, _aliased)


def _aliased(page: Page, result: Aliased) -> None:
    what = f"{result.name}@{result.alias}"
    if result.refused:
        stays = f"{what} stays with {held(result.from_version)} (commit {result.seq})"
        page.verdict(result.outcome, stays)
        draw_gates(page, result.gates)
        return
    now = "names nothing" if result.version is None else f"is version {result.version}"
    was = "" if result.from_version is None else f", was version {result.from_version}"
    page.line(f"{what} {now} now{was} (commit {result.seq})")


@command(
    name="tag",
    examples=(
        "regista tag fraud/card@7 licence=apache-2.0 owner=risk",
        "regista tag fraud/card --remove owner",
    ),
)
@entry_argument("subject", metavar="NAME[@V]")
@click.argument("tags", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--remove", metavar="KEY", multiple=True, help="Remove a tag; may be repeated.")
@allow_secrets
@txid
def tag(call: Call, subject: str, tags: tuple[str, ...], **options: Any) -> ExitCode:  # noqa: ANN401
    """Set and remove tags.

    NAME is the entry, NAME@V one version of it.
    """
    changes = pairs(tags, "a tag")
    return call.write(lambda registry: registry.tag(subject, changes, **options), _tagged)


def _tagged(page: Page, result: Tagged) -> None:
    version = "" if result.version is None else f" version {result.version}"
    page.line(f"{result.name}{version} has these tags now (commit {result.seq}):")
    page.fields(sorted(result.tags.items()) or [("", "none")])


@command(
    name="describe",
    examples=(
        'regista describe fraud/card "Scores card payments."',
        "regista describe fraud/card@7 --file notes.md",
    ),
)
@entry_argument("subject", metavar="NAME[@V]")
@click.argument("description", metavar="[TEXT]", required=False)
@click.option("--file", metavar="FILE", help="Take the text from a file; - is standard input.")
@txid
def describe(
    call: Call, *, subject: str, description: str | None, file: str | None, txid: str | None
) -> ExitCode:
    """Set the description of an entry or a version."""
    if (description is None) == (file is None):
        raise InvalidInputError("give the description as TEXT or with --file, one of the two")
    text = text_of(file) if file is not None else description or ""
    return call.write(lambda registry: registry.describe(subject, text, txid=txid), _described)


def _described(page: Page, result: Written) -> None:
    version = "" if result.version is None else f" version {result.version}"
    page.line(f"{result.name}{version} has a new description (commit {result.seq})")
