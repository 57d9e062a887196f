"""`hooks list`, `hooks run`, `hooks test` and `hooks skip`: lifecycle hooks and their backlog."""

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Call, command
from regista.cli.render import Page, plural
from regista.hooks.cursors import Failing
from regista.hooks.lifecycle import RETRY_S, HookState, Tested

HEADERS = ("ID", "WHEN", "ON", "TARGET", "DELIVERED", "WAITING", "STATE")


@command(name="list", examples=("regista hooks list", "regista hooks list --json"))
def list_(call: Call) -> ExitCode:
    """Show the hooks, and what waits for each.

    WAITING counts events, as far as a thousand commits ahead. Starts no hook and moves nothing.
    """
    states = call.open().hooks.states()

    def draw(page: Page) -> None:
        if not states:
            page.line("there are no hooks: regista.toml has no [[hooks]] for this registry")
            return
        page.table(
            HEADERS,
            [
                (
                    state.id,
                    state.when,
                    ", ".join(state.on),
                    state.target,
                    state.delivered if state.when == "post" else "",
                    state.backlog if state.when == "post" else "",
                    _condition(state),
                )
                for state in states
            ],
            right=("DELIVERED", "WAITING"),
            wrapped=("ON", "STATE"),
        )
        for state in states:
            _details(page, state)

    call.answer([state.to_json() for state in states], draw)
    return ExitCode.DONE


def _condition(state: HookState) -> str:
    if state.when == "pre":
        return "asked"
    if state.seq is None:
        return "not started"
    return "failing" if state.failing else "ok"


def _details(page: Page, state: HookState) -> None:
    if state.failing:
        page.gap()
        page.verdict("failed", f"{state.id}, at commit {state.seq}: {_wrong(state.failing)}")
    for skip in state.skipped:
        first, last = skip["from"][0], skip["to"][0] - 1
        page.item(f"{state.id}: commits {first} to {last} skipped by {skip['actor']}")


def _wrong(failing: Failing) -> str:
    return f"{failing.error} ({plural(failing.failures, 'attempt')} since {failing.since})"


@command(
    name="run",
    examples=("regista hooks run", "regista hooks run audit --from 1"),
)
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--from",
    "start",
    type=click.IntRange(min=1),
    metavar="SEQ",
    help="Begin again at this commit, whatever was delivered; for one hook.",
)
@click.option(
    "--retry-for",
    type=float,
    default=RETRY_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to go on with an event that fails.",
)
def run(call: Call, *, ids: tuple[str, ...], start: int | None, retry_for: float) -> ExitCode:
    """Deliver what waits for post-hooks.

    Each hook goes on from its own cursor, in order; one that fails holds up no other. Safe to kill
    and to run twice at once. Exits 7 when something could not be delivered.
    """
    reports = call.open().hooks.run(ids, start=start, retry_s=retry_for)

    def draw(page: Page) -> None:
        if not reports:
            page.line("there are no post-hooks: regista.toml has none for this registry")
        for report in reports:
            word = "ok" if report.status == "done" else "failed"
            page.verdict(word, f"{report.hook}: {plural(report.delivered, 'event')} delivered")
            if report.error:
                where = f"at commit {report.seq}: " if report.seq else ""
                page.item(f"{where}{report.error}; {report.backlog} waiting")

    call.answer([report.to_json() for report in reports], draw)
    return ExitCode.STORAGE if any(report.error for report in reports) else ExitCode.DONE


@command(name="test", examples=("regista hooks test audit", "regista hooks test audit --seq 43"))
@click.argument("hook_id", metavar="ID")
@click.option(
    "--seq",
    type=click.IntRange(min=1),
    metavar="SEQ",
    help="Send the event of this commit; else a sample.",
)
def test(call: Call, *, hook_id: str, seq: int | None) -> ExitCode:
    """Send a hook a sample, or a past event.

    Shows what was sent and what came back. No cursor moves. Exits 7 when it did not answer.
    """
    tested = call.open().hooks.test(hook_id, seq=seq)
    call.answer(tested.to_json(), lambda page: _tested(page, tested))
    return ExitCode.STORAGE if tested.error else ExitCode.DONE


def _tested(page: Page, tested: Tested) -> None:
    went = tested.error or tested.said or "delivered"
    page.verdict("failed" if tested.error else "ok", f"{tested.hook}: {went}")
    page.fields(
        [
            ("event", tested.type),
            ("to", tested.target),
            ("id", tested.message_id),
            ("status", tested.status),
            ("time", f"{tested.seconds:.3f} s"),
            ("sent", tested.body),
            ("answer", tested.output),
        ]
    )


@command(name="skip", examples=("regista hooks skip audit", "regista hooks skip audit --to 43"))
@click.argument("hook_id", metavar="ID")
@click.option(
    "--to",
    type=click.IntRange(min=1),
    metavar="SEQ",
    help="The last commit to pass over; else the one that it waits at.",
)
def skip(call: Call, *, hook_id: str, to: int | None) -> ExitCode:
    """Pass over what waits for a hook, for good.

    For an event that the receiver will never take. Who skipped what is kept with the cursor, and
    hooks list shows it.
    """
    registry = call.open()
    state = registry.hooks.skip(hook_id, to=to, actor=registry.writer.actor)

    def draw(page: Page) -> None:
        page.line(f"{state.id} goes on at commit {state.seq}; {state.backlog} waiting")

    call.answer(state.to_json(), draw)
    return ExitCode.DONE
