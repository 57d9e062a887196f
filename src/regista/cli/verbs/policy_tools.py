"""`policy test`, `diff` and `backtest`: what a policy says, before it is in force."""

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Call, command
from regista.cli.progress import Bar
from regista.cli.render import Page, plural
from regista.read.opening import open_replica

if TYPE_CHECKING:
    from regista.decide.policy_bundle import PolicyBundle
    from regista.decide.policy_diff import PolicyChange, PolicyDifference
    from regista.registry.backtesting import Backtest, PastDecision
    from regista.registry.policy_tests import FileResult
    from regista.registry.policy_tools import PolicyTools

DIFFERED = ("TEST", "WHAT", "EXPECTED", "ACTUAL", "WHY")
JUDGED = ("SEQ", "POLICY", "THEN", "VERSION", "WHY")
SIGNS = {"added": "+", "removed": "-", "changed": "~"}
LONGEST_VALUE = 300
policy_file = click.option(
    "--policy",
    metavar="NAME|FILE",
    type=click.Path(path_type=Path),
    help="The policy to test: a file, or team, strict, llm or regulated.",
)


def _tools(call: Call) -> "PolicyTools":
    from regista.registry.policy_tools import PolicyTools

    return PolicyTools(open_replica(call.uri()))


@command(
    name="test",
    examples=(
        "regista policy test",
        "regista policy test tests/prod.yaml --policy policy.yaml",
    ),
)
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path(path_type=Path))
@policy_file
def test(call: Call, *, files: tuple[Path, ...], policy: Path | None) -> ExitCode:
    """Run the tests of a policy.

    A test gives scores, incumbents, approvals and times, and says which outcome and verdicts it
    expects. Without a FILE, policy.test.yaml is read. The policy is the one of --policy, else the
    one that the file names, else the one in force; only the last needs a registry. Exits 3 when
    something came out otherwise.
    """
    from regista.policyfile.cases import DEFAULT_FILE
    from regista.registry.policy_tests import run_tests

    def in_force() -> "PolicyBundle":
        return _tools(call).policy_bundle()

    results = [run_tests(file, policy, in_force) for file in files or (Path(DEFAULT_FILE),)]
    failed = sum(result.failed for result in results)
    value = {
        "ok": not failed,
        "tests": sum(len(result.tests) for result in results),
        "failed": failed,
        "files": [result.to_json() for result in results],
    }

    def draw(page: Page) -> None:
        for result in results:
            _draw_tests(page, result)

    call.answer(value, draw)
    return ExitCode.REFUSED if failed else ExitCode.DONE


def _draw_tests(page: Page, result: "FileResult") -> None:
    page.gap()
    ran = f"{plural(len(result.tests), 'test')} of policy {result.policy} in {result.file}"
    if not result.failed:
        page.verdict("ok", f"{ran} passed")
    else:
        page.verdict("failed", f"{result.failed} of {ran}")
        page.gap()
        rows = [
            (f"{case.name} (line {case.line})", item.what, item.expected, item.actual, item.reason)
            for case in result.tests
            for item in case.differences
        ]
        page.table(DIFFERED, rows, keep=("EXPECTED", "ACTUAL"), wrapped=("TEST", "WHAT", "WHY"))
        for case in result.tests:
            for note in [] if case.ok else case.notes:
                page.item(f"{case.name} (line {case.line}): {note}")


@command(
    name="diff",
    examples=(
        "regista policy diff policy.yaml",
        "regista policy diff old.yaml new.yaml",
        "regista policy diff strict",
    ),
)
@click.argument("one", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.argument("other", metavar="[FILE2]", required=False, type=click.Path(path_type=Path))
def diff(call: Call, *, one: Path | None, other: Path | None) -> ExitCode:
    """Show what a policy changes, and loosens.

    Compares FILE with the policy in force, or FILE2 with FILE, which needs no registry; without
    either, the policy in force with the one before it. Says rule by rule and gate by gate what
    was added, removed and changed, and last what of it lets in what was not let in before.
    """
    from regista.decide.policy_diff import difference
    from regista.policyfile import read_policy

    if one is not None and other is not None:
        found = difference(read_policy(one).policy, read_policy(other).policy)
    else:
        found = _tools(call).diff_policy(one)
    call.answer(found.to_json(), lambda page: _draw_difference(page, found))
    return ExitCode.DONE


def _draw_difference(page: Page, found: "PolicyDifference") -> None:
    if not found.changes:
        page.line("the policies ask the same")
        return
    for heading, items in groupby(found.changes, _heading):
        page.heading(heading)
        for item in items:
            page.item(f"{SIGNS[item.change]} {_changed(item)}")
    page.gap()
    if not found.loosens:
        page.verdict("ok", "nothing becomes looser")
        return
    page.line(f"{plural(len(found.loosens), 'thing becomes', 'things become')} looser:")
    for line in found.loosens:
        page.item(line)


def _heading(item: "PolicyChange") -> str:
    return {"policy": "the policy", "group": "groups"}.get(item.what, item.subject)


def _changed(item: "PolicyChange") -> str:
    """Return a change in one line, below its heading."""
    name = item.gate or (item.subject if item.what != "rule" else "the rule")
    field = "" if item.field in {"", item.subject} else f" {item.field}"
    if item.before is None or item.after is None:
        said = _flow(item.after if item.before is None else item.before)
    else:
        said = f"{_flow(item.before)} -> {_flow(item.after)}"
    effect = f" ({item.effect})" if item.effect else ""
    return f"{name}{field}: {said}{effect}"


def _flow(value: Any) -> str:  # noqa: ANN401 - a JSON value
    """Return a value of a policy as YAML has it on one line, cut where it is long."""
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(_flow, value)) + "]"
    elif isinstance(value, bool):
        text = "true" if value else "false"
    else:
        text = "nothing" if value is None else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


@command(
    name="backtest",
    examples=(
        "regista policy backtest policy.yaml",
        "regista policy backtest strict --limit 20",
        "regista policy backtest policy.yaml --json",
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="How many decisions to list; all are counted.",
)
def backtest(call: Call, *, file: Path, limit: int) -> ExitCode:
    """Judge all past promotions by another policy.

    Says what the policy would have refused that was let through, what it would have let through
    that was refused, and what was rolled back later. Each decision is judged at its recorded
    time, on the evidence of then. One that hangs on what nobody recorded is not judged, and says
    why. Writes nothing; exits 0 whatever it finds.
    """
    with Bar("judging") as bar:
        found = _tools(call).backtest_policy(file, limit=limit, progress=bar)
    call.answer(found.to_json(), lambda page: _draw_backtest(page, found))
    return ExitCode.DONE


def _draw_backtest(page: Page, found: "Backtest") -> None:
    taken = found.rolled_back
    page.line(f"{plural(found.decisions, 'decision')} judged again, up to commit {found.seq}")
    page.fields(
        [
            ("the same", f"{found.same:,}"),
            ("would refuse", f"{found.would_refuse:,} that were let through"),
            ("would pass", f"{found.would_pass:,} that were refused"),
            ("not judged", f"{found.not_judged:,}"),
            (
                "rolled back",
                f"{taken['all']:,}, of which it would have refused {taken['would_refuse']:,}"
                + (f" and {taken['not_judged']:,} not judged" if taken["not_judged"] else ""),
            ),
        ]
    )
    if found.findings:
        page.gap()
        page.table(
            JUDGED,
            [_past(item) for item in found.findings],
            right=("SEQ",),
            keep=("POLICY", "THEN"),
            wrapped=("VERSION", "WHY"),
        )
    if found.omitted:
        page.line(f"{found.omitted:,} more: --limit shows them", "dim")


def _past(item: "PastDecision") -> tuple[object, ...]:
    why = [f"{gate['gate']}: {gate['reason']}" for gate in item.reasons] or item.unknown
    if item.rolled_back:
        why = [f"rolled back in commit {item.rolled_back}", *why]
    return (
        item.seq, item.kind.replace("_", " "), item.outcome,
        f"{item.name}@{item.version} to {item.stage}", "; ".join(why),
    )  # fmt: skip
