"""`init` and `create`: a registry, and entries in it."""

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, command, txid
from regista.cli.render import Page
from regista.model.names import KINDS
from regista.registry.results import Created


@command(
    name="init",
    examples=(
        "regista init",
        "regista init --policy team",
        "regista --registry models init --policy policy.yaml",
    ),
)
@click.option(
    "--policy",
    metavar="NAME|FILE",
    help="The policy to begin with: team, strict, llm, regulated, or a file; else the default.",
)
def init(call: Call, policy: str | None) -> ExitCode:
    """Make a registry, with a policy.

    A registry that is there already is left as it is; one that follows another policy than the
    one asked for is an error. The default policy asks for a successful evaluation to enter
    staging, and for staging plus no regression to enter prod.
    """
    from regista.registry.opening import init_registry

    made = init_registry(call.uri(), policy=policy, actor=call.writer(), timeout_s=call.timeout_s)
    for warning in made.registry.writer.warnings:
        output.warn(warning)
    value = {
        "op": "init",
        "seq": made.seq,
        "commit": made.commit,
        "name": "",
        "version": None,
        "registry": made.registry.id,
        "uri": made.registry.uri,
        "created": made.created,
    }

    def draw(page: Page) -> None:
        verb = "is ready" if made.created else "was there already"
        page.line(f"The registry {made.registry.uri} {verb}.")
        page.fields([("id", made.registry.id), ("policy", policy or "the default")])
        page.gap()
        page.line("next: regista register NAME PATH")

    call.answer(value, draw)
    return ExitCode.DONE


@command(name="create", examples=("regista create fraud/card --kind model",))
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the entry is.")
@click.option("--description", metavar="TEXT", default="", help="What it is for.")
@txid
def create(call: Call, name: str, kind: str, description: str, txid: str | None) -> ExitCode:
    """Make an entry without versions.

    `register` makes an entry as it needs one; this is for saying what it is for beforehand.
    """
    return call.write(
        lambda registry: registry.create(name, kind, description=description, txid=txid), _created
    )


def _created(page: Page, result: Created) -> None:
    verb = "is a new entry" if result.created else "was there already"
    page.line(f"{result.name} ({result.kind}) {verb}, commit {result.seq}")
