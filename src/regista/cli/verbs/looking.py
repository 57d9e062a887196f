"""`list`, `history` and `log`: what is there, and what happened."""

from collections.abc import Callable
from typing import Any

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Body, Call, as_of, command, entry_argument
from regista.cli.render import Page, ago, minute
from regista.model.commit import Commit
from regista.model.names import KINDS


def _limit(default: int) -> Callable[[Body], Body]:
    return click.option(
        "-n",
        "--limit",
        type=click.IntRange(1, 1_000_000),
        default=default,
        metavar="N",
        show_default=True,
        help="How many to show at most.",
    )


@command(name="list", examples=("regista list", "regista list 'fraud/*' --kind model"))
@click.argument("pattern", required=False)
@click.option("--kind", type=click.Choice(KINDS), help="Only entries of this kind.")
@_limit(1000)
@as_of
def list_(
    call: Call, pattern: str | None, kind: str | None, limit: int, as_of: str | None
) -> ExitCode:
    """List the entries and what their stages hold.

    PATTERN is a name in which * stands for any text and ? for one character.
    """
    rows = call.reading().entries(pattern=pattern, kind=kind, limit=limit, as_of=as_of)
    call.answer(rows, lambda page: _entries(page, rows, limit))
    return ExitCode.DONE


def _entries(page: Page, rows: list[dict[str, Any]], limit: int) -> None:
    if not rows:
        page.line("no entries; add one with: regista register NAME PATH")
        return
    page.table(
        ("NAME", "KIND", "VERSIONS", "STAGES", "CHANGED"),
        [
            (row["name"], row["kind"], row["versions"], _held(row["stages"]), _ago(row["updated"]))
            for row in rows
        ],
        right=("VERSIONS",),
    )
    if len(rows) == limit:
        page.line("there may be more: --limit shows them", "dim")


@command(name="history", examples=("regista history fraud/card", "regista history -n 50"))
@entry_argument("name", required=False, default="")
@_limit(20)
@as_of
def history(call: Call, *, name: str, limit: int, as_of: str | None) -> ExitCode:
    """Show what happened to an entry, or to all.

    The latest comes first.
    """
    rows = call.reading().history(name, limit=limit, as_of=as_of)
    call.answer(rows, lambda page: _events(page, rows, one=bool(name)))
    return ExitCode.DONE


def _events(page: Page, rows: list[dict[str, Any]], *, one: bool) -> None:
    if not rows:
        page.line("nothing happened yet")
        return
    subject = "V" if one else "ENTRY"
    page.table(
        ("SEQ", "WHEN (UTC)", subject, "EVENT", "DETAIL", "BY"),
        [
            (
                row["seq"],
                _minute(row["time"]),
                _subject(row),
                row["event"],
                row["detail"],
                row["actor"],
            )
            for row in rows
        ],
        right=("SEQ", "V"),
        keep=("WHEN (UTC)", "EVENT"),
        wrapped=("DETAIL",),
    )


def _subject(row: dict[str, Any]) -> str:
    """Return what an event is about: `NAME@V`, or the version alone in an entry's own history."""
    version = "" if row["version"] is None else str(row["version"])
    if "entry" not in row:
        return version
    return f"{row['entry'] or ''}{'@' if version else ''}{version}"


@command(name="log", examples=("regista log", "regista log -n 1 --json"))
@_limit(20)
@as_of
def log(call: Call, limit: int, as_of: str | None) -> ExitCode:
    """Show the newest commits.

    Each is one file of the log; its digest is what `verify --anchor` takes.
    """
    commits = call.reading().log(limit=limit, as_of=as_of)
    call.answer([_commit(*item) for item in commits], lambda page: _commits(page, commits))
    return ExitCode.DONE


def _commit(commit: Commit, digest: str) -> dict[str, Any]:
    return {
        "seq": commit.seq,
        "commit": digest,
        "parent": commit.parent,
        "time": commit.time,
        "clock": commit.clock,
        "actor": commit.actor,
        "txid": commit.txid,
        "engine": commit.engine,
        "policy": commit.policy,
        "rows": commit.row_counts(),
        "ops": [{"op": op.op, "args": op.args, "decision": op.decision} for op in commit.ops],
    }


def _commits(page: Page, commits: list[tuple[Commit, str]]) -> None:
    page.table(
        ("SEQ", "WHEN (UTC)", "WHAT", "BY", "SHA256"),
        [
            (
                commit.seq,
                minute(commit.time),
                "; ".join(_operations(commit)),
                commit.actor,
                digest[:12],
            )
            for commit, digest in commits
        ],
        right=("SEQ",),
        keep=("WHEN (UTC)", "SHA256"),
        wrapped=("WHAT",),
    )


def _operations(commit: Commit) -> list[str]:
    return [_operation(op.op, op.decision) for op in commit.ops]


def _operation(op: str, decision: dict[str, Any]) -> str:
    version = f"@{decision['version']}" if decision.get("version") is not None else ""
    what = f" {decision['name']}{version}" if decision.get("name") else ""
    stage = f" in {decision['stage']}" if decision.get("stage") and op != "register" else ""
    gate = f" {decision['gate']} of" if op == "waive" and decision.get("gate") else ""
    outcome = decision.get("outcome")
    told = f", {outcome}" if outcome in {"refused", "waived"} else ""
    return f"{op}{gate}{what}{stage}{told}"


def _minute(time: Any) -> str:  # noqa: ANN401 - a datetime of DuckDB's, in UTC
    return f"{time:%Y-%m-%d %H:%M}" if time else ""


def _held(stages: dict[str, int] | None) -> str:
    return ", ".join(f"{stage}={version}" for stage, version in (stages or {}).items())


def _ago(time: Any) -> str:  # noqa: ANN401
    return ago(f"{time:%Y-%m-%dT%H:%M:%S}+00:00") if time else ""
