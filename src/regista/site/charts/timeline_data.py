"""What a timeline is drawn from: the stages of one entry, their holds, the drills.

Data, its table, and its description in words; `timeline` draws.
"""

from dataclasses import dataclass

from regista.model.times import parse_time
from regista.site.charts.scales import day_text, minute_text
from regista.site.charts.svg import Row, Table


@dataclass(frozen=True, slots=True)
class Hold:
    """One version holding one stage for some time.

    Attributes:
        version: its number.
        since: when it took the stage, as the registry writes times.
        until: when it left; None when it holds the stage still.
        action: how it came: `promote`, `rollback`, `register`, `demote` or `imported`.
        href: relative address of the version's page.
    """

    version: int
    since: str
    until: str | None
    action: str
    href: str


@dataclass(frozen=True, slots=True)
class Drill:
    """One rehearsal of a rollback.

    Attributes:
        time: when, as the registry writes times.
        ok: whether it would have worked.
    """

    time: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Lane:
    """One stage.

    Attributes:
        stage: its name.
        holds: by time, not overlapping.
        drills: in any order.
    """

    stage: str
    holds: tuple[Hold, ...]
    drills: tuple[Drill, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """The stages of one entry over time.

    Attributes:
        title: name of the figure, such as `stages of digits/classifier`.
        lanes: from top to bottom.
        end: time at which the axis ends, as the registry writes times; that of the last commit.
    """

    title: str
    lanes: tuple[Lane, ...]
    end: str


def timeline_rows(data: Timeline) -> Table:
    """Return the facts of a timeline, holds and drills, newest first; times in UTC."""
    rows: list[tuple[str, Row]] = []
    for lane in data.lanes:
        for hold in lane.holds:
            until = "holds it" if hold.until is None else _second_text(hold.until)
            cells = (lane.stage, f"v{hold.version}", hold.action, _second_text(hold.since), until)
            rows.append((hold.since, Row(cells, hold.href)))
        for drill in lane.drills:
            outcome = "drill succeeded" if drill.ok else "drill failed"
            rows.append((drill.time, Row((lane.stage, "", outcome, _second_text(drill.time), ""))))
    rows.sort(key=lambda row: row[0], reverse=True)
    header = ("stage", "version", "event", "since (UTC)", "until (UTC)")
    return Table(header, tuple(row for _, row in rows))


def describe(data: Timeline) -> str:
    """Say what a timeline shows to somebody who sees it."""
    lanes = ". ".join(_lane_words(lane) for lane in data.lanes) or "No stage"
    return f"{lanes}. As of {minute_text(parse_time(data.end))} UTC."


def _lane_words(lane: Lane) -> str:
    if not lane.holds:
        words = f"{lane.stage} never held a version"
    else:
        last = lane.holds[-1]
        words = f"{lane.stage} is empty"
        if last.until is None:
            words = f"{lane.stage} holds v{last.version}, since {day_text(parse_time(last.since))}"
        words += f"; {_counted(len(lane.holds), 'hold')} in all"
    rollbacks = sum(hold.action == "rollback" for hold in lane.holds)
    if rollbacks:
        words += f", {_counted(rollbacks, 'rollback')}"
    if lane.drills:
        failed = sum(not drill.ok for drill in lane.drills)
        words += f", {_counted(len(lane.drills), 'drill')}, {failed} failed"
    return words


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _second_text(time: str) -> str:
    return f"{parse_time(time):%Y-%m-%d %H:%M:%S}"
