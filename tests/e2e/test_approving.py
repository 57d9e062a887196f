"""Approvals, waivers and a policy that guards itself, through the real process."""

from pathlib import Path
from typing import Any

import pytest

from support.cli import Cli, Ran

POLICY = """\
format: 1
stages: [dev, staging, prod]
on_register: dev
ungated: refuse
groups:
  risk: [ann, bob, Carol]
  leads: [lea]
policy_change:
  - approvals: {from: [leads], not_committer: true}
rules:
  - stage: staging
  - stage: prod
    from: staging
    gates:
      - threshold:
          id: good
          suite: holdout
          metric: auc
          min: 0.9
          waivable: {by: [leads], max: 14d}
      - lineage: {require: [run]}
      - approvals: {count: 2, from: [risk], not_author: true, not_committer: true}
"""
WRITE = {"op", "seq", "commit", "name", "version", "applied"}
UNTIL = "2099-01-01"


class People:
    """Runs commands as one person or another."""

    def __init__(self, cli: Cli) -> None:
        self.cli = cli

    def __call__(self, actor: str, *arguments: str) -> Ran:
        return self.cli.inside(*arguments, "--json", "--actor", actor)

    def ok(self, actor: str, *arguments: str, code: int = 0) -> Any:
        ran = self(actor, *arguments)
        assert ran.code == code, ran
        return ran.json


@pytest.fixture
def people(tmp_path: Path) -> People:
    cli = Cli(tmp_path)
    (tmp_path / "policy.yaml").write_text(POLICY.replace("14d", "36500d"))
    (tmp_path / "m.bin").write_text("weights")
    people = People(cli)
    people.ok("root", "init")
    loosens = people.ok("root", "policy", "apply", "policy.yaml")["loosens"]
    assert any("coverage" in line for line in loosens)
    people.ok("ann", "register", "m", "m.bin", "--run", "r1")
    people.ok("ann", "eval", "log", "m@1", "--suite", "holdout", "--metric", "auc=0.85")
    people.ok("ann", "promote", "m@1", "--to", "staging")
    return people


def waive(gate: str, until: str = UNTIL) -> tuple[str, ...]:
    return ("waive", gate, "m@1", "--to", "prod", "--reason", "incident 7", "--until", until)


def test_two_people_and_a_waiver_bring_a_version_into_prod_and_it_verifies(people: People) -> None:
    check = people.ok("dan", "check", "m@1", "--to", "prod", code=3)
    fixes = {gate["id"]: gate["remedy"] for gate in check["gates"]}
    assert "regista waive good m@1 --to prod --reason WHY --until" in fixes["good"]
    assert fixes["approvals:risk"] == "2 more of bob, Carol: regista approve m@1 --to prod"

    bob = people.ok("bob", "approve", "m@1", "--to", "prod", "--meaning", "read")
    assert set(bob) >= WRITE | {"stage", "meaning", "until", "version_digest", "rules_digest"}
    assert (bob["stage"], bob["meaning"], bob["until"]) == ("prod", "read", None)
    assert people.ok("bob", "approve", "m@1", "--to", "prod", "--meaning", "read") == bob
    people.ok("carol", "approve", "m@1", "--to", "prod", "--until", UNTIL)
    waived = people.ok("lea", *waive("good"))
    assert (waived["gate"], waived["kind"], waived["stage"]) == ("good", "threshold", "prod")
    assert waived["until"] == "2099-01-01T23:59:59.999999Z"

    ran = people("dan", "promote", "m@1", "--to", "prod")
    assert (ran.code, ran.json["outcome"]) == (0, "waived")
    assert "warning: gate good is waived by lea until 2099-01-01" in ran.err
    assert "incident 7" in ran.err

    shown = people.ok("dan", "show", "m@1")
    head = str(ran.json["seq"])
    assert [item["by"] for item in shown["approvals"]] == ["bob", "carol"]
    assert [(item["gate"], item["reason"]) for item in shown["waivers"]] == [("good", "incident 7")]
    before = people.ok("dan", "show", "m@1", "--as-of", str(bob["seq"]))
    assert ([item["by"] for item in before["approvals"]], before["waivers"]) == (["bob"], [])
    events = [row["event"] for row in people.ok("dan", "history", "m")]
    assert events[:4] == ["promoted", "waived", "approved", "approved"]
    again = people.cli.inside("approve", "m@1", "--to", "prod", "--actor", "Carol")
    assert "approved: m version 1 for prod" in again.out
    again = people.cli.inside(*waive("good", "2098-01-01"), "--actor", "lea")
    assert "waived: good of m version 1 for prod, until 2098-01-01" in again.out
    page = people.cli.inside("log").out
    assert "promote m@1 in prod, waived" in page
    assert "waive good of m@1 in prod" in page
    page = people.cli.inside("show", "m@1").out
    assert "Approvals" in page
    assert "Waivers" in page
    assert people.ok("dan", "verify")["ok"]
    people.ok("dan", "rebuild")
    assert people.ok("dan", "verify")["ok"]
    assert people.ok("dan", "show", "m@1", "--as-of", head) == shown


@pytest.mark.parametrize(
    ("actor", "arguments", "code", "message"),
    [
        ("dan", ("approve", "m@1", "--to", "prod"), 3, "dan is not in risk"),
        ("ANN", ("approve", "m@1", "--to", "prod"), 3, "ANN is the author"),
        ("bob", ("approve", "m@1", "--to", "staging"), 3, "no rule of the policy asks"),
        ("bob", ("approve", "m@7", "--to", "prod"), 4, "has no version 7"),
        ("bob", ("approve", "m@1", "--to", "qa"), 2, "there is no stage 'qa'"),
        ("bob", ("approve", "m@1", "--to", "prod", "--until", "soon"), 2, "not a time"),
        ("bob", ("approve", "m@1", "--to", "prod", "--meaning", "a\nb"), 2, "line break"),
        ("bob", waive("good"), 3, "does not let 'bob' waive 'good'"),
        ("lea", waive("lineage"), 3, "the policy lets nobody waive 'lineage'"),
        ("lea", waive("from:staging"), 3, "rule of state"),
        ("lea", waive("good", "2999-01-01"), 3, "may last 36500d at most"),
        ("lea", waive("good", "2001-01-01"), 2, "has passed already"),
        ("lea", waive("better"), 4, "no gate 'better'"),
        ("lea", ("waive", "good", "m@1", "--to", "prod", "--reason", "x"), 2, "--until"),
        ("lea", ("policy", "approve", "no.yaml"), 2, "no.yaml"),
        ("bob", ("policy", "approve", "policy.yaml"), 3, "bob is not in leads"),
    ],
)
def test_what_is_refused_and_how(
    people: People, actor: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    ran = people(actor, *arguments)
    assert ran.code == code
    assert message in ran.err


def test_a_new_run_makes_approvals_void_and_check_says_who_must_approve_again(
    people: People,
) -> None:
    for actor in ("bob", "carol"):
        people.ok(actor, "approve", "m@1", "--to", "prod")
    people.ok("ann", "eval", "log", "m@1", "--suite", "holdout", "--metric", "auc=0.95")
    gate = people.ok("dan", "check", "m@1", "--to", "prod", code=3)["gates"][-1]
    assert "the approval by bob is void, since the evidence of good (run r" in gate["reason"]
    assert gate["remedy"].startswith("2 more of bob, Carol: regista approve m@1 --to prod")


def test_the_policy_is_changed_with_a_lead_and_not_alone(people: People) -> None:
    path = people.cli.folder / "policy.yaml"
    path.write_text(path.read_text().replace("min: 0.9", "min: 0.8"))
    page = people.cli.inside("policy", "apply", "policy.yaml", "--actor", "dan").out
    assert "refused: the policy in force stays" in page
    assert "1 more of lea: regista policy approve FILE" in page
    ran = people("dan", "policy", "apply", "policy.yaml")
    assert (ran.code, ran.json["outcome"]) == (3, "refused")
    assert "the policy would be looser: entry to prod: gate good: min 0.9 became 0.8" in ran.err
    approve = ("policy", "approve", "policy.yaml", "--meaning", "fine")
    assert "approved: policy sha256:" in people.cli.inside(*approve, "--actor", "lea").out
    assert people.ok("lea", *approve)["meaning"] == "fine"
    assert people.ok("lea", "policy", "apply", "policy.yaml", code=3)["applied"] is False
    ran = people("dan", "policy", "apply", "policy.yaml")
    assert (ran.code, ran.json["outcome"]) == (0, "passed")
    assert ran.json["loosens"] == ["entry to prod: gate good: min 0.9 became 0.8"]
    assert "warning: the policy is looser: " in ran.err
    assert people.ok("dan", "verify")["ok"]
    assert "policy apply, refused" in people.cli.inside("log").out


def test_a_list_of_operations_and_a_transaction_id(people: People) -> None:
    path = people.cli.folder / "ops.yaml"
    path.write_text(
        "- {op: approve, ref: m@1, stage: prod, meaning: read}\n"
        "- {op: tag, subject: m@1, tags: {seen: 'yes'}}\n"
    )
    first = people.ok("bob", "apply", "ops.yaml", "--txid", "one")
    assert [item["op"] for item in first] == ["approve", "tag"]
    assert people.ok("bob", "apply", "ops.yaml", "--txid", "one") == first
    once = people.ok("carol", "approve", "m@1", "--to", "prod", "--txid", "two")
    assert people.ok("carol", "approve", "m@1", "--to", "prod", "--txid", "two") == once
    assert people("carol", "approve", "m@1", "--to", "staging", "--txid", "two").code == 2
    assert people.ok("lea", *waive("good"), "--txid", "three")["applied"]
    assert people.ok("dan", "promote", "m@1", "--to", "prod")["outcome"] == "waived"


def test_a_gated_alias_that_is_refused_stays_and_exits_3(people: People) -> None:
    path = people.cli.folder / "policy.yaml"
    text = (
        path.read_text()
        + "  - stage: best\n    gates: [integrity, {soak: {stage: prod, min: 1d}}]\n"
    )
    path.write_text(text + "gated_aliases: [best]\n")
    people.ok("lea", "policy", "approve", "policy.yaml")
    people.ok("dan", "policy", "apply", "policy.yaml")
    ran = people.cli.inside("alias", "m@1", "best")
    assert ran.code == 3
    assert "refused: m@best stays with nothing" in ran.out
    assert "soak" in ran.out
