"""The page of gates: the policy in force, how often each gate said what, and its history."""

from typing import Any, NamedTuple

from regista.decide.policy import Gate, Policy
from regista.model import canonical
from regista.read.past import stored_time
from regista.site.listing import PolicyChange, Site
from regista.site.pages.entry import Page
from regista.site.published import PublishedTables
from regista.site.render import Renderer

MAX_REFUSALS = 20
MAX_POLICIES = 50
_COUNTS = """
    SELECT gate, stage,
        count(*) FILTER (WHERE status = 'passed'),
        count(*) FILTER (WHERE status IN ('failed', 'undecidable')),
        count(*) FILTER (WHERE status = 'waived')
    FROM verdicts GROUP BY gate, stage
"""
_REFUSALS = """
    SELECT d.time, d.entry, d.version, d.stage,
        string_agg(v.gate || ' ' || v.status, ', ' ORDER BY v.i) AS gates
    FROM decisions AS d
    LEFT JOIN verdicts AS v
        ON v.seq = d.seq AND v.entry_id = d.entry_id AND v.version = d.version
            AND v.stage = d.stage AND v.status IN ('failed', 'undecidable')
    WHERE d.outcome = 'refused'
    GROUP BY d.seq, d.i, d.time, d.entry, d.version, d.stage
    ORDER BY d.seq DESC, d.i DESC LIMIT ?
"""


class ShownGate(NamedTuple):
    """A gate of a rule: what it asks, and how often it passed, refused, was waived."""

    id: str
    kind: str
    params: list[tuple[str, str]]
    counts: tuple[int, int, int]


def gates(renderer: Renderer, site: Site, published: PublishedTables, policy: Policy) -> Page:
    """Return the page of gates and policy."""
    counts = {(gate, stage): tuple(rest) for gate, stage, *rest in published.query(_COUNTS)}
    rules = [
        {
            "stage": rule.stage,
            "match_kind": rule.match_kind,
            "match_names": rule.match_names,
            "from_stage": rule.from_stage,
            "gates": [_gate(gate, counts.get((gate.id, rule.stage))) for gate in rule.gates],
        }
        for rule in policy.rules
    ]
    refusals = [
        {"time": stored_time(time), "entry": entry, "version": version, "stage": stage,
         "gates": failing or ""}
        for time, entry, version, stage, failing in published.query(_REFUSALS, MAX_REFUSALS)
    ]  # fmt: skip
    page = renderer.page(
        "registry/gates.html",
        "gates.html",
        here="gates.html",
        site=site,
        policy={"rules": rules, "side": policy.side_stages, "ungated": policy.ungated},
        refusals=refusals,
        changes=policy_changes(published),
    )
    return "gates.html", page


def policy_changes(published: PublishedTables) -> list[PolicyChange]:
    """Return the policies that were applied, the newest first."""
    rows = published.query(
        "SELECT seq, time, actor, digest, reason FROM policies ORDER BY seq DESC, i DESC LIMIT ?",
        MAX_POLICIES,
    )
    return [
        PolicyChange(seq, stored_time(time), by, digest, reason or "", _yaml(published, digest))
        for seq, time, by, digest, reason in rows
    ]


def _yaml(published: PublishedTables, digest: str) -> str:
    stored = published.texts.policy(digest)
    return str(stored["yaml"]) if stored else ""


def _gate(gate: Gate, counts: Any) -> ShownGate:  # noqa: ANN401 - a row of counts
    params = [(name, _text(value)) for name, value in gate.params.items() if name != "id"]
    return ShownGate(gate.id, gate.kind, params, counts or (0, 0, 0))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return canonical.encode(value).decode().replace('"', "")
