"""Policy tests: what is given is judged as promote judges it, and what differs is told."""

import json
from pathlib import Path
from typing import Any

import pytest

import regista
from regista.errors import InvalidInputError
from regista.policyfile.loading import read_policy
from regista.registry.policy_tests import CaseResult, run_tests
from support.registries import new_registry, register

SQL_GATE = (
    "- sql: {id: q, query: 'SELECT count(*) > 0 AS passed, 1 AS observed, 2 AS required"
    " FROM latest_scores WHERE version = $version'}"
)
HEAD = "format: 1\nstages: [dev, staging, prod]\non_register: dev\n"


def write(folder: Path, gates: str, test: str, *, more: str = "") -> Path:
    """Write a policy with these gates in front of prod, and one test of it."""
    policy = f"{HEAD}{more}rules:\n  - stage: prod\n    gates:\n      {gates}\n"
    (folder / "policy.yaml").write_text(policy, "utf-8")
    path = folder / "policy.test.yaml"
    lines = "".join(f"    {line}\n" for line in test.strip().splitlines())
    path.write_text(f"policy: policy.yaml\ntests:\n  - name: it\n{lines}", "utf-8")
    return path


def run(folder: Path, gates: str, test: str, **more: str) -> CaseResult:
    """Run one test; `to` is prod, and `expect` passed, where it does not matter."""
    [case] = run_tests(write(folder, gates, f"to: prod\nexpect: passed\n{test}", **more)).tests
    return case


@pytest.mark.parametrize(
    ("gate", "good", "bad"),
    [
        ("- threshold: {suite: s, metric: m, min: 0.8}", "{evals: {s: {m: 0.8}}}",
         "{evals: {s: {m: 0.79}}}"),
        ("- threshold: {suite: s, metric: m, min: 0.8, min_n: 9}",
         "{evals: {s: {m: {value: 0.8, n: 9}}}}", "{evals: {s: {m: {value: 0.8, n: 8}}}}"),
        ("- threshold: {suite: s, metric: m, min: 0.8}", "{evals: {s: [{m: 0.1}, {m: 0.8}]}}",
         "{evals: {s: [{m: 0.8}, {m: 0.1}]}}"),
        ("- threshold: {suite: s, metric: m, min: 0.8, task: t}",
         "{evals: {s: {m: {value: 0.8, task: t}}}}", "{evals: {s: {m: 0.8}}}"),
        ("- freshness: {suite: s, max_age: 7d}", "{evals: {s: {age: 7d, scores: {m: 1}}}}",
         "{evals: {s: {age: 8d, scores: {m: 1}}}}"),
        ("- coverage: {suite: s, metrics: [m], slices: [a]}",
         "{evals: {s: {m: {value: 1, slices: {a: 1}}}}}", "{evals: {s: {m: 1}}}"),
        ("- soak: {stage: staging, min: 24h}", "{holds: {staging: 24h}}",
         "{holds: {staging: 23h}}"),
        ("- lineage: {require: [dataset, run, code, base]}",
         "{dataset: [d/x@2], run: r, code: c, base: [b@1]}", "{run: r, code: c, base: [b@1]}"),
        ("- lineage: {require: [member]}", "{member: [m1@1, m2@3]}", "{}"),
        ("- integrity", "{}", "{artifacts: corrupt}"),
        ("- integrity", "{artifacts: whole}", "{artifacts: missing}"),
        ("- integrity", "{age: 1d}", "{artifacts: elsewhere}"),
        ("- metadata: {card: true, description: true, label: true, tags: [{a: b}], params: [p]}",
         "{card: '# x', description: y, label: 1.0.0, tags: {a: b}, params: {p: '1'}}",
         "{card: '# x', description: y, label: 1.0.0, tags: {a: c}, params: {p: '1'}}"),
        ("- metadata: {tags: [api_token]}", "{tags: {api_token: told only}}", "{}"),
        ("- evaluator: {suite: s, not_author: true}",
         "{by: ann, evals: {s: {by: bob, scores: {m: 1}}}}",
         "{by: ann, evals: {s: {by: ann, scores: {m: 1}}}}"),
        ("- overuse: {suite: s, max_evaluations: 1}",
         "{evals: {s: {dataset: d, scores: {m: 1}}}}",
         "{evals: {s: [{dataset: d, scores: {m: 0}}, {dataset: d, scores: {m: 1}}]}}"),
        ("- approvals: {count: 2, max_age: 1d}", "{approvals: [ann, {by: bob, age: 1d}]}",
         "{approvals: [ann, {by: bob, age: 25h}]}"),
        ("- approvals: {count: 1, meaning: read}", "{approvals: [{by: ann, meaning: read}]}",
         "{approvals: [ann]}"),
        (SQL_GATE, "{evals: {s: {m: 1}}}", "{}"),
    ],
)  # fmt: skip
def test_each_kind_of_gate_can_be_told_its_evidence(
    tmp_path: Path, gate: str, good: str, bad: str
) -> None:
    for candidate, expected in ((good, "passed"), (bad, "refused")):
        result = run(tmp_path, gate, f"candidate: {candidate}")
        assert (result.outcome, result.notes) == (expected, [])
        assert result.ok == (expected == "passed")


def test_a_baseline_reads_the_incumbent(tmp_path: Path) -> None:
    gate = "- baseline: {suite: s, metric: m, max_regression: 0.005}"
    for value, expected in (("0.895", "passed"), ("0.894", "refused")):
        test = (
            f"incumbent: {{evals: {{s: {{m: 0.90}}}}}}\ncandidate: {{evals: {{s: {{m: {value}}}}}}}"
        )
        assert run(tmp_path, gate, test).outcome == expected


def test_a_paired_test_reads_the_samples(tmp_path: Path) -> None:
    gate = "- baseline: {suite: s, metric: m, test: mcnemar, superiority: true}"

    def facts(wins: int) -> str:
        right = ", ".join(["true"] * wins + ["false"] * (40 - wins))
        return f"{{evals: {{s: {{scores: {{m: {wins / 40}}}, samples: {{m: [{right}]}}}}}}}}"

    better = f"incumbent: {facts(20)}\ncandidate: {facts(38)}"
    assert run(tmp_path, gate, better).outcome == "passed"
    hardly = f"incumbent: {facts(20)}\ncandidate: {facts(21)}"
    [verdict] = run(tmp_path, gate, hardly).gates
    assert verdict["status"] == "undecidable"


def test_a_drill_has_an_age_and_an_outcome(tmp_path: Path) -> None:
    gate = "- drill: {max_age: 30d}"
    two = "incumbent: [{}, {}]\n"
    assert run(tmp_path, gate, f"{two}drill: {{age: 30d}}").outcome == "passed"
    assert run(tmp_path, gate, f"{two}drill: {{age: 31d}}").outcome == "refused"
    assert run(tmp_path, gate, f"{two}drill: {{ok: false}}").outcome == "refused"
    assert run(tmp_path, gate, "incumbent: {}").outcome == "passed"


def test_a_gated_alias_can_be_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, "- integrity", "to: champion\nexpect: passed")
    policy = (
        (tmp_path / "policy.yaml")
        .read_text()
        .replace("rules:", "gated_aliases: [champion]\nrules:")
    )
    gate = "  - stage: champion\n    gates: [{threshold: {suite: s, metric: m, min: 1}}]\n"
    (tmp_path / "policy.yaml").write_text(policy + gate)
    [case] = run_tests(path).tests
    assert [verdict["status"] for verdict in case.gates] == ["undecidable"]


def test_a_waiver_turns_a_verdict_for_its_time(tmp_path: Path) -> None:
    gate = "- threshold: {suite: s, metric: m, min: 1, waivable: {by: [leads], max: 14d}}"
    more = "groups: {leads: [lea]}\n"
    waiver = "candidate: {waivers: [{gate: 'threshold:s/m', by: %s, age: %s, lasts: 7d}]}"
    result = run(tmp_path, gate, f"{waiver % ('lea', '6d')}", more=more)
    assert (result.outcome, result.notes) == ("waived", [])
    assert run(tmp_path, gate, f"{waiver % ('lea', '8d')}", more=more).outcome == "refused"
    other = run(tmp_path, gate, f"{waiver % ('max', '6d')}", more=more)
    assert other.outcome == "refused"
    assert other.notes == ["waiver by max: the policy does not let 'max' waive 'threshold:s/m'"]


def test_what_differs_is_told_with_its_reason(tmp_path: Path) -> None:
    gate = "- threshold: {suite: s, metric: m, min: 0.8}"
    test = "candidate: {evals: {s: {m: 0.5}}}\ngates: {'threshold:s/m': passed, other: failed}"
    result = run(tmp_path, gate, test)
    told = [(item.what, item.expected, item.actual) for item in result.differences]
    assert told == [
        ("outcome", "passed", "refused"),
        ("threshold:s/m", "passed", "failed"),
        ("other", "failed", "none"),
    ]
    assert result.differences[0].reason.startswith("threshold:s/m: ")
    assert result.differences[2].reason == "the decision has threshold:s/m"


def test_the_decision_is_the_one_that_promote_makes(tmp_path: Path) -> None:
    gates = (
        "- threshold: {suite: s, metric: m, min: 0.8}\n"
        "      - baseline: {suite: s, metric: m, max_regression: 0.01}\n"
        "      - approvals: {count: 1}\n"
        "      - lineage: {require: [code]}"
    )
    test = "incumbent: {evals: {s: {m: 0.9}}}\ncandidate: {code: abc, evals: {s: {m: 0.85}}}"
    told = run(tmp_path, gates, test)
    registry = new_registry(json.loads(json.dumps(read_policy(tmp_path / "policy.yaml").value)))
    register(registry, "example", "one")
    registry.log_eval("example@1", "s", {"m": "0.9"})
    register(registry, "example", "two", code="abc")
    registry.log_eval("example@2", "s", {"m": "0.85"})
    # the incumbent is there by the gates' leave in a registry, and only told of in a test
    registry.approve("example@1", "prod")
    first = registry.check("example@1", "prod")
    assert [gate["status"] for gate in first.gates][:3] == ["passed"] * 3
    real = registry.check("example@2", "prod")

    def verdicts(gates: list[dict[str, Any]]) -> list[tuple[str, ...]]:
        kept = ("id", "status", "observed", "required")
        return [
            tuple(gate[field] for field in kept) for gate in gates if gate["kind"] != "baseline"
        ]

    assert verdicts(told.gates) == verdicts(real.gates)


@pytest.mark.parametrize(
    ("test", "told"),
    [
        ("to: nowhere\nexpect: passed", "there is no stage 'nowhere'"),
        ("to: prod\nexpect: passed\ncandidate: {holds: nowhere}", "there is no stage 'nowhere'"),
        ("to: prod\nexpect: passed\ndrill: {age: 1d}", "no rollback target"),
        ("to: prod\nexpect: passed\nentry: 'a@b'", "'a@b'"),
        ("to: prod\nexpect: passed\ncandidate: {age: 1h, evals: {s: {age: 2h, scores: {m: 1}}}}",
         "before it was registered"),
        ("to: prod\nexpect: passed\ncandidate: {base: [b@prod]}", "not a version by its number"),
        ("to: prod\nexpect: passed\ncandidate: {base: [b@9999]}", "not a version by its number"),
        ("to: prod\nexpect: passed\ncandidate: {waivers: [{gate: g, by: ann}]}", "no gate 'g'"),
        ("to: dev\nexpect: passed", "takes no promotion"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_its_test(tmp_path: Path, test: str, told: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        run_tests(write(tmp_path, "- integrity", test))
    assert told in raised.value.message
    assert f"{tmp_path / 'policy.test.yaml'}:3: test 'it': " in raised.value.message


def test_the_policy_is_named_by_the_caller_the_file_or_the_registry(tmp_path: Path) -> None:
    path = write(tmp_path, "- integrity", "to: prod\nexpect: refused")
    assert regista.test_policy(path).policy == str(tmp_path / "policy.yaml")
    path.write_text(path.read_text().removeprefix("policy: policy.yaml\n"))
    with pytest.raises(InvalidInputError, match="names no policy"):
        regista.test_policy(path)
    assert regista.test_policy(path, Path("team")).failed == 0
    # the registry's policy lets everything in
    result = new_registry().test_policy(path)
    assert (result.policy, result.failed) == ("in force", 1)
