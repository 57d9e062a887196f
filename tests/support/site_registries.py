"""Registries to build sites from: empty, the demo's, one that is hard, one that is hostile.

All but the demo's are the same on every call, to the byte.
"""

import shutil
from pathlib import Path

from support.scripted import scripted
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
    """Make a registry with waivers and approvals, which let a version into prod."""
    with scripted(root, "waived") as script:
        registry, ref = script.registry, f"{WAIVED}@1"
        script.register(WAIVED, {"model.bin": "one"}, tags={"owner": "risk"})
        registry.log_eval(ref, "holdout", {"accuracy": "0.95"})
        registry.log_eval(ref, "load", {"p95_ms": "10"})
        script.promote(ref, "staging")
        script.on("2025-02-03", "bob")
        registry.approve(ref, "prod", meaning="reviewed", until="2025-06-01")
        registry.writer.actor = "dora"
        registry.approve(ref, "prod", meaning="the risk team has read the evaluation")
        script.on("2025-02-04", "ann")
        reason = "there was nothing in prod to compare with when the incident began"
        for gate, until in (("no-regression", "2025-03-01"), ("latency-budget", "2099-01-01")):
            registry.waive(gate, ref, "prod", reason=reason, until=until)
        script.on("2025-02-05", "carol")
        script.promote(ref, "prod", "waived", reason="waived for the incident")
        registry.compact()
    return root
