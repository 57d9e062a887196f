"""Registries to build sites from: empty, the demo's, one that is hard, one that is hostile.

All but the demo's are the same on every call, to the byte.
"""

import shutil
from pathlib import Path

from regista.decide.verdict import Outcome, VerdictStatus
from regista.model.commit import FORMAT, Commit, OpRecord, Row
from regista.version import engine
from support.scripted import Script, scripted
from support.site_hard import write_hard
from support.site_hostile import write_hostile

DEMO = Path(__file__).parents[2] / "registry_data"
WAIVED = "risk/waived"


def empty(root: Path) -> Path:
    """Make a registry with a policy and nothing else."""
    with scripted(root, "first"):
        return root


def demo(root: Path) -> Path:
    """Copy the committed registry."""
    shutil.copytree(DEMO, root, dirs_exist_ok=True)
    return root


def hard(root: Path) -> Path:
    """Make a registry of 200 entries with every kind of fact; see `site_hard`."""
    with scripted(root, "first") as script:
        write_hard(script)
    return root


def hostile(root: Path) -> Path:
    """Make a registry of texts that bite; see `site_hostile`."""
    with scripted(root, "hostile", actor="mallory") as script:
        write_hostile(script)
    return root


def waived(root: Path) -> Path:
    """Make a registry with waivers and approvals, of which one waiver let a version into prod.

    No command writes these rows yet, so the commits that hold them are made by hand. They are
    well-formed and their rows are what the tables say; a replay cannot decide them again.
    """
    with scripted(root, "second") as script:
        script.register(WAIVED, {"model.bin": "one"}, tags={"owner": "risk"})
        script.registry.log_eval(f"{WAIVED}@1", "holdout", {"accuracy": "0.95"})
        script.registry.log_eval(f"{WAIVED}@1", "load", {"p95_ms": "10"})
        script.promote(f"{WAIVED}@1", "staging")
        script.on("2025-02-03", "bob")
        _commit(script, "approve", [_approval(script, "reviewed"), _approval(script, "")])
        script.on("2025-02-04", "ann")
        for gate, until in (("no-regression", "2025-03-01"), ("latency-budget", "2099-01-01")):
            _commit(script, "waive", [_waiver(gate, f"{until}T00:00:00.000000Z")])
        script.on("2025-02-05", "carol")
        _commit(script, "promote", _waived_decision(script))
        script.registry.compact()
    return root


def _of_version(**more: object) -> Row:
    return {"entry_id": "e2-0", "entry": WAIVED, "version": 1, "stage": "prod", **more}


def _approval(script: Script, meaning: str) -> Row:
    return _of_version(
        table="approvals",
        meaning=meaning or "the risk team has read the evaluation",
        version_digest=script.registry.resolve(f"{WAIVED}@1").digest,
        rules_digest="1" * 64,
        evidence_digest="2" * 64,
        until="2025-06-01T00:00:00.000000Z",
    )


def _waiver(gate: str, until: str) -> Row:
    reason = "there was nothing in prod to compare with when the incident began"
    return _of_version(table="waivers", gate=gate, reason=reason, until=until)


def _waived_decision(script: Script) -> list[Row]:
    state = script.registry.replica.refresh()
    decision = _of_version(
        table="decisions", op="promote", outcome=str(Outcome.WAIVED), ungated=False,
        policy=state.policy_digest, state=state.digest,
    )  # fmt: skip
    found = {
        "from:staging": (VerdictStatus.PASSED, "holds staging", "version 1 holds staging"),
        "no-regression": (VerdictStatus.WAIVED, "nothing to compare",
                          "waived by ann until 2025-03-01: there was nothing to compare with"),
        "latency-budget": (VerdictStatus.WAIVED, "55", "waived by ann until 2099-01-01"),
        "artifacts-whole": (VerdictStatus.PASSED, "1 file whole", "every artifact is there"),
    }  # fmt: skip
    verdicts = [
        _of_version(table="verdicts", gate=gate, kind=gate.partition(":")[0], revision=1,
                    status=str(status), observed=observed, required="as the policy says",
                    reason=reason)
        for gate, (status, observed, reason) in found.items()
    ]  # fmt: skip
    placement = {
        "table": "placements", "entry_id": "e2-0", "entry": WAIVED, "stage": "prod",
        "to_version": 1, "action": "promote", "reason": "waived for the incident",
    }  # fmt: skip
    return [decision, *verdicts, placement]


def _commit(script: Script, op: str, rows: list[Row]) -> None:
    """Write a commit as the writer does, with the decision that its rows say."""
    replica = script.registry.replica
    state = replica.refresh()
    commit = Commit(
        format=FORMAT,
        registry=state.registry,
        seq=state.seq + 1,
        parent=state.digest,
        txid=f"by-hand-{state.seq + 1}",
        time=script.time(),
        clock=script.time(),
        actor=script.registry.writer.actor,
        ops=(OpRecord(op, {"ref": f"{WAIVED}@1"}, {}, {"name": WAIVED, "version": 1}),),
        rows=tuple(rows),
        data=(),
        policy=state.policy_digest,
        engine=engine(),
    )
    replica.log.append(commit.to_bytes(), commit.seq)
