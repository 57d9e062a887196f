"""From published rows to records: decisions, verdicts, approvals, waivers, events. Pure."""

import json
from collections import defaultdict

from regista.read.past import stored_time
from regista.site import model, paths
from regista.site.published import Row, Rows


def decisions_of(rows: Rows, name: str) -> tuple[model.Decision, ...]:
    """Return the decisions on an entry's versions, the newest first."""
    verdicts: defaultdict[tuple[int, int, str], list[model.Verdict]] = defaultdict(list)
    for row in sorted(rows["verdicts"], key=lambda row: (row.seq, row.i)):
        verdicts[row.seq, row.version, row.stage].append(_verdict(row, name))
    return tuple(
        model.Decision(
            seq=row.seq,
            time=stored_time(row.time),
            by=row.actor,
            version=row.version,
            stage=row.stage,
            op=row.op,
            outcome=row.outcome,
            ungated=bool(row.ungated),
            policy=row.policy,
            verdicts=tuple(verdicts[row.seq, row.version, row.stage]),
        )
        for row in sorted(rows["decisions"], key=lambda row: (row.seq, row.i), reverse=True)
    )


def _verdict(row: Row, name: str) -> model.Verdict:
    return model.Verdict(
        gate=row.gate,
        kind=row.kind,
        status=row.status,
        observed=row.observed or "",
        required=row.required or "",
        reason=row.reason or "",
        remedy=row.remedy or "",
        evidence=tuple(_evidence(item, name) for item in json.loads(row.evidence or "[]")),
    )


def _evidence(text: str, name: str) -> model.Ref:
    """Return a piece of evidence, such as `run:r5-0`, with the page that shows it."""
    what, _, value = text.partition(":")
    page = ""
    if what == "version" and _is_number(value):
        page = paths.version_page(name, int(value))
    elif what == "commit" and _is_number(value):
        page = paths.commit_link(int(value))
    elif what == "run":
        # a run's id names the commit that brought it
        seq = value.removeprefix("r").partition("-")[0]
        page = paths.commit_link(int(seq)) if _is_number(seq) else ""
    return model.Ref(what, text, page)


def _is_number(text: str) -> bool:
    # other digits than ASCII's are digits too, and some of them no numbers
    return text.isascii() and text.isdigit() and int(text) > 0


def approval_of(row: Row) -> model.Approval:
    """Return a row of `approvals` as what was said."""
    until = stored_time(row.until) if row.until else ""
    return model.Approval(
        row.seq, stored_time(row.time), row.actor, row.version, row.stage, row.meaning or "", until
    )


def waiver_of(row: Row) -> model.Waiver:
    """Return a row of `waivers` as what was said."""
    until = stored_time(row.until) if row.until else ""
    return model.Waiver(
        row.seq, stored_time(row.time), row.actor, row.version, row.stage, row.gate,
        row.reason or "", until,
    )  # fmt: skip


def event_of(row: Row) -> model.Event:
    """Return a row of the view `events` as what happened."""
    return model.Event(
        row.seq, stored_time(row.time), row.actor, row.entry or "", row.event, row.version,
        row.detail or "",
    )  # fmt: skip
