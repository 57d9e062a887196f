"""`approve` and `waive`: what people answer for with their name."""

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Call, command, entry_argument, txid
from regista.cli.render import Page, short
from regista.cli.verbs.placing import to_stage
from regista.registry.results import Approved, Waived

meaning = click.option(
    "--meaning", metavar="TEXT", default="", help="What the approval stands for, on one line."
)


@command(
    name="approve",
    examples=(
        "regista approve fraud/card@7 --to prod",
        'regista approve fraud/card@7 --to prod --meaning "risk accepted" --until 2026-12-31',
    ),
)
@entry_argument("ref", metavar="NAME@V")
@to_stage
@meaning
@click.option(
    "--until",
    metavar="TIME",
    default="",
    help="When it ends; else it stands while nothing changes.",
)
@txid
def approve(
    call: Call, *, ref: str, stage: str, meaning: str, until: str, txid: str | None
) -> ExitCode:
    """Say yes to a version for a stage.

    The approval is bound to the version, the rules and the evidence as they are now: when one of
    them changes it is void. Exits 3 where no gate would count it.
    """
    return call.write(
        lambda registry: registry.approve(ref, stage, meaning=meaning, until=until, txid=txid),
        _approved,
    )


def _approved(page: Page, result: Approved) -> None:
    page.line(
        f"approved: {result.name} version {result.version} for {result.stage} (commit {result.seq})"
    )
    page.fields(
        [
            ("meaning", result.meaning),
            ("until", result.until),
            ("version", short(result.version_digest)),
            ("rules", short(result.rules_digest)),
            ("evidence", short(result.evidence_digest)),
        ]
    )


@command(
    name="waive",
    examples=(
        "regista waive latency-budget fraud/card@7 --to prod --reason urgent --until 2026-03-17",
    ),
)
@click.argument("gate")
@entry_argument("ref", metavar="NAME@V")
@to_stage
@click.option("--reason", metavar="TEXT", required=True, help="Why; shown wherever it counts.")
@click.option("--until", metavar="TIME", required=True, help="When it ends.")
@txid
def waive(
    call: Call, *, gate: str, ref: str, stage: str, reason: str, until: str, txid: str | None
) -> ExitCode:
    """Except a version from one gate of a stage, for a time.

    GATE is the id that check shows. Exits 3 where the policy does not let you, or not for so
    long. Waiving a gate again replaces the waiver, so an earlier --until ends it sooner.
    """
    return call.write(
        lambda registry: registry.waive(gate, ref, stage, reason=reason, until=until, txid=txid),
        _waived,
    )


def _waived(page: Page, result: Waived) -> None:
    page.verdict(
        "waived",
        f"{result.gate} of {result.name} version {result.version} for {result.stage}, until"
        f" {result.until} (commit {result.seq})",
    )
    page.item(result.reason)
