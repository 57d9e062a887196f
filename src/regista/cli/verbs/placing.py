"""`check`, `promote`, `demote`, `rollback` and `drill`: what enters and leaves a stage."""

import click

from regista.cli import ci, output
from regista.cli.exits import ExitCode
from regista.cli.gates import UNGATED, draw_check, draw_gates, held, summary, warn_waived
from regista.cli.options import Call, command, complete_stage, entry_argument, reason, txid
from regista.cli.render import Page
from regista.registry.core import Registry
from regista.registry.results import Decided, Drilled, Moved

to_stage = click.option(
    "--to",
    "stage",
    metavar="STAGE",
    shell_complete=complete_stage,
    required=True,
    help="The stage asked for.",
)
in_stage = click.option(
    "--stage",
    metavar="STAGE",
    shell_complete=complete_stage,
    required=True,
    help="The stage that is meant.",
)


@command(name="check", examples=("regista check fraud/card@latest --to prod",))
@entry_argument("ref", metavar="NAME@V")
@to_stage
def check(call: Call, ref: str, stage: str) -> ExitCode:
    """Say whether a version would pass the gates of a stage.

    Writes nothing. Exits 0 when it would pass, 3 when it would be refused.
    """

    def act(registry: Registry) -> Decided:
        return _told(registry.check(ref, stage), asked=True)

    return call.write(act, draw_check)


@command(
    name="promote",
    examples=(
        "regista promote fraud/card@7 --to staging",
        'regista promote fraud/card@5 --to prod --again --reason "the fix is in"',
    ),
)
@entry_argument("ref", metavar="NAME@V")
@to_stage
@reason
@click.option(
    "--again", is_flag=True, help="Let back in what was rolled back from there; needs a reason."
)
@txid
def promote(
    call: Call, *, ref: str, stage: str, reason: str, again: bool, txid: str | None
) -> ExitCode:
    """Ask for a stage: the gates decide, then it moves.

    A refusal is recorded too; it prints what each gate saw and exits 3.
    """

    def act(registry: Registry) -> Decided:
        decided = registry.promote(ref, stage, reason=reason, again=again, txid=txid)
        return _told(decided, asked=False)

    return call.write(act, _promoted)


def _told(result: Decided, *, asked: bool) -> Decided:
    """Tell the CI system, and warn where no gate had a say or one was waived."""
    if result.ungated and not result.refused:
        output.warn(UNGATED)
    warn_waived(result.gates)
    ci.tell_decision(result, asked=asked)
    return result


def _promoted(page: Page, result: Decided) -> None:
    page.verdict(result.outcome, f"{summary(result, asked=False)} (commit {result.seq})")
    draw_gates(page, result.gates)


@command(name="demote", examples=("regista demote fraud/card --stage shadow",))
@entry_argument("name")
@in_stage
@reason
@txid
def demote(call: Call, name: str, stage: str, reason: str, txid: str | None) -> ExitCode:
    """Empty a stage.

    What it held leaves the stage's stack; a rollback then restores what was below it.
    """
    return call.write(
        lambda registry: registry.demote(name, stage, reason=reason, txid=txid), _moved
    )


@command(
    name="rollback",
    examples=(
        "regista rollback fraud/card --stage prod",
        "regista rollback fraud/card --stage prod --to 3",
    ),
)
@entry_argument("name")
@in_stage
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="V",
    help="Go back to this version; else to the one that was there before.",
)
@reason
@txid
def rollback(
    call: Call, *, name: str, stage: str, to: int | None, reason: str, txid: str | None
) -> ExitCode:
    """Restore what a stage held before.

    Needs no gate and asks no question. Passes over what cannot be restored, and says so.
    """
    return call.write(
        lambda registry: registry.rollback(name, stage, to=to, reason=reason, txid=txid), _moved
    )


def _moved(page: Page, result: Moved) -> None:
    page.line(
        f"{result.name}: {result.stage} now holds {held(result.to_version)}, in place of"
        f" {held(result.from_version)} (commit {result.seq})"
    )
    _skipped(page, result)


def _skipped(page: Page, result: Moved) -> None:
    for item in result.skipped:
        page.item(f"passed over version {item['version']}: {item['reason']}")


@command(
    name="drill",
    examples=(
        "regista drill fraud/card --stage prod",
        'regista drill fraud/card --stage prod --smoke "python smoke.py"',
    ),
)
@entry_argument("name")
@in_stage
@click.option(
    "--smoke",
    metavar="COMMAND",
    default="",
    help="Run this in the folder with the fetched artifacts; it must exit 0.",
)
@txid
def drill(call: Call, *, name: str, stage: str, smoke: str, txid: str | None) -> ExitCode:
    """Rehearse a rollback; nothing moves.

    Fetches what a rollback would restore, checks every digest, runs the smoke command, and
    records how it went. Exits 6 when it failed.
    """
    return call.write(
        lambda registry: registry.drill(name, stage, smoke=smoke, txid=txid), _drilled
    )


def _drilled(page: Page, result: Drilled) -> None:
    went = "would restore" if result.ok else "could not restore"
    page.verdict(
        "ok" if result.ok else "failed",
        f"a rollback of {result.name} in {result.stage} {went} version {result.to_version}"
        f" ({result.duration_s:.1f} s, commit {result.seq})",
    )
    if result.detail:
        page.item(result.detail)
    _skipped(page, result)
