"""Which metrics of an entry the policy's gates look at, and the lines that they draw. Pure."""

from collections.abc import Sequence

from regista.decide.heads import EntryHead
from regista.decide.policy import Gate, Policy
from regista.site.model import GatedMetric, Version

# where no gate names a metric, so many of the newest version's are shown
UNGATED = 4
_KINDS = ("threshold", "baseline")


def gated_metrics(
    policy: Policy, head: EntryHead, versions: Sequence[Version]
) -> tuple[GatedMetric, ...]:
    """Return the metrics that matter for an entry, in the policy's order.

    Args:
        policy: the policy in force.
        head: the entry.
        versions: its versions, the newest first.
    """
    found: dict[tuple[str, str, str], GatedMetric] = {}
    for rule in policy.rules:
        if not rule.covers(head.kind, head.name):
            continue
        for gate in rule.gates:
            if gate.kind in _KINDS and gate.params.get("metric"):
                key = _key(gate)
                found[key] = _with_gate(found.get(key) or GatedMetric(*key), gate)
    return tuple(found.values()) or _of_newest(versions)


def _key(gate: Gate) -> tuple[str, str, str]:
    return gate.params["suite"], gate.params.get("task", ""), gate.params["metric"]


def _with_gate(metric: GatedMetric, gate: Gate) -> GatedMetric:
    low, high = (
        float(gate.params[name]) if name in gate.params and gate.kind == "threshold" else None
        for name in ("min", "max")
    )
    lows = [value for value in (metric.minimum, low) if value is not None]
    highs = [value for value in (metric.maximum, high) if value is not None]
    return GatedMetric(
        metric.suite,
        metric.task,
        metric.metric,
        # of several gates the strictest decides
        max(lows, default=None),
        min(highs, default=None),
        tuple(dict.fromkeys((*metric.gates, gate.id))),
    )


def _of_newest(versions: Sequence[Version]) -> tuple[GatedMetric, ...]:
    newest = next((version for version in versions if version.runs), None)
    if newest is None:
        return ()
    keys = [
        (run.suite, score.task, score.metric)
        for run in newest.latest_runs
        for score in run.scores
        if not score.slice
    ]
    return tuple(GatedMetric(*key) for key in keys[:UNGATED])
