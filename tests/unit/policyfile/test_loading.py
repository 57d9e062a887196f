"""Loading a policy: one error line for `apply`, all problems for `lint`, a bundle when right."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.case import FakeCase, score
from regista.decide.judge import judge
from regista.decide.policy_bundle import PolicyBundle
from regista.decide.policy_check import check_policy
from regista.decide.verdict import Outcome, VerdictStatus
from regista.errors import InvalidInputError, NewerFormatError, StorageError
from regista.model import canonical
from regista.policyfile import (
    default_policy,
    files_beside,
    lint,
    load_policy,
    read_policy,
)
from regista.policyfile.loading import MAX_FILE_BYTES

GOOD = """\
format: 1
stages: [dev, prod]
on_register: dev
rules:
  - stage: prod
    gates:
      - threshold: {suite: holdout, metric: auc, min: 0.90}
      - sql: {id: latency, file: gates/latency.sql}
"""
BAD = """\
format: 1
stages: [dev, prod]
rules:
  - stage: prdo
    gates:
      - threshold:
          suite: holdout
          metrc: auc
          min: high
"""
QUERY = "SELECT true AS passed, 1 AS observed, 2 AS required"


def files(**texts: str) -> Callable[[str], str]:
    return lambda name: texts[Path(name).stem]


def test_a_bundle_is_the_canonical_form_of_policy_files_and_source() -> None:
    bundle = load_policy(GOOD, "p.yaml", files(latency=QUERY))
    assert bundle.digest == canonical.sha256_hex(bundle.data)
    stored = canonical.decode(bundle.data)
    assert stored["yaml"] == GOOD
    assert stored["files"] == {"gates/latency.sql": QUERY}
    assert stored["policy"]["rules"][0]["gates"][0]["threshold"]["min"] == "0.90"
    assert bundle.policy.rules[0].gates[1].params["query"] == QUERY
    assert PolicyBundle.read(bundle.data) == bundle


def test_a_refusal_is_the_first_error_and_how_many_more() -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_policy(BAD, "p.yaml", files())
    assert caught.value.message == (
        "p.yaml:4:12: the policy has no stage 'prdo' (and 3 more: regista policy lint p.yaml)"
    )
    assert caught.value.hint == "did you mean prod?"


def test_a_single_error_counts_no_others() -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_policy("format: 1\nstages: [prod]\nungated: x\n", "p.yaml", files())
    assert caught.value.message == ("p.yaml:3:10: must be one of allow, refuse, not the text 'x'")


def test_lint_gives_every_problem_with_its_place_in_the_order_of_the_text() -> None:
    assert [str(problem) for problem in lint(BAD, "p.yaml", files())] == [
        "p.yaml:2:10: warning: no rule covers 'dev', so all may enter it ungated",
        "p.yaml:2:15: warning: no rule covers 'prod', so all may enter it ungated",
        "p.yaml:4:12: error: the policy has no stage 'prdo'",
        "p.yaml:7:11: error: the threshold gate needs metric",
        "p.yaml:8:11: error: the threshold gate has no key 'metrc'",
        "p.yaml:9:16: error: must be a number, not the text 'high'",
    ]


def test_lint_of_a_right_policy_is_empty() -> None:
    assert lint(GOOD, "p.yaml", files(latency=QUERY)) == []


def test_lint_of_what_is_no_yaml_is_one_problem() -> None:
    [problem] = lint("a: [", "p.yaml", files())
    assert str(problem).startswith("p.yaml:1:5: error: not YAML: ")


def test_an_empty_file_is_no_policy() -> None:
    with pytest.raises(InvalidInputError, match=r"^p\.yaml:1:1: a policy is a mapping"):
        load_policy("", "p.yaml", files())


def test_a_newer_format_is_named_at_its_place() -> None:
    text = "stages: [prod]\nformat: 2\nsomething: new\n"
    with pytest.raises(NewerFormatError, match=r"^p\.yaml:2:9: the policy has format 2"):
        load_policy(text, "p.yaml", files())
    [problem] = lint(text, "p.yaml", files())
    assert str(problem).startswith("p.yaml:2:9: error: the policy has format 2")


def test_names_are_composed_as_the_registrys_names_are() -> None:
    text = "format: 1\nstages: [prod]\nrules: [{stage: prod, match: {name: cafe\u0301}}]\n"
    bundle = load_policy(text, "p.yaml", files())
    assert bundle.policy.rules[0].match_names == ("caf\u00e9",)
    assert canonical.decode(bundle.data)["yaml"] == text


def refuse_with(error: Exception) -> Callable[[str], str]:
    def read(_name: str) -> str:
        raise error

    return read


@pytest.mark.parametrize(
    ("read_file", "message"),
    [
        (refuse_with(InvalidInputError("there is no such file")), "there is no such file"),
        (refuse_with(StorageError("the store is away")), "the store is away"),
        (
            refuse_with(PermissionError(13, "Permission denied")),
            "'gates/latency.sql' cannot be read: Permission denied",
        ),
        (
            refuse_with(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")),
            "'gates/latency.sql' is not UTF-8 text",
        ),
        (lambda _name: "x" * (MAX_FILE_BYTES + 1), "'gates/latency.sql' is too large"),
        (lambda _name: " \n", "'gates/latency.sql' is empty"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_where_it_is_named(
    read_file: Callable[[str], str], message: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        load_policy(GOOD, "p.yaml", read_file)
    assert caught.value.message == f"p.yaml:8:34: {message}"


def test_all_files_together_are_bounded() -> None:
    gates = "".join(f"      - sql: {{file: g{i}.sql}}\n" for i in range(17))
    text = f"format: 1\nstages: [prod]\nrules:\n  - stage: prod\n    gates:\n{gates}"
    problems = lint(text, "p.yaml", lambda _name: "x" * MAX_FILE_BYTES)
    assert [problem.message for problem in problems] == ["'g16.sql' is too large"]


def test_one_file_for_many_gates_is_read_once() -> None:
    names: list[str] = []
    gate = "{sql: {file: a.sql}}"
    text = f"format: 1\nstages: [prod]\nrules: [{{stage: prod, gates: [{gate}, {gate}]}}]\n"

    def read(name: str) -> str:
        names.append(name)
        return QUERY

    load_policy(text, "p.yaml", read)
    assert names == ["a.sql"]


def test_files_are_read_below_the_policys_folder_and_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    (folder / "gates").mkdir(parents=True)
    (folder / "p.yaml").write_text(GOOD)
    (folder / "gates" / "latency.sql").write_text(QUERY)
    assert read_policy(folder / "p.yaml").files == {"gates/latency.sql": QUERY}
    (tmp_path / "secret.sql").write_text("SELECT 1")
    (folder / "link.sql").symlink_to(tmp_path / "secret.sql")
    (folder / "loop.sql").symlink_to(folder / "loop.sql")
    read = files_beside(folder / "p.yaml")
    with pytest.raises(InvalidInputError, match="leads out of"):
        read("link.sql")
    with pytest.raises(InvalidInputError, match="there is no file"):
        read("loop.sql")
    with pytest.raises(InvalidInputError, match="there is no file"):
        read("gates")


def test_a_large_file_is_refused_before_it_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "big.sql").write_bytes(b"\xc3\xa9" * MAX_FILE_BYTES)
    with pytest.raises(InvalidInputError, match="is too large"):
        files_beside(tmp_path / "p.yaml")("big.sql")


@pytest.mark.parametrize("content", [None, b"\xff", b"x" * 300_000])
def test_a_policy_file_that_cannot_be_read_is_invalid_input(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "p.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"p\.yaml"):
        read_policy(path)


def test_the_default_policy_has_no_problem() -> None:
    assert check_policy(default_policy().value) == []


def test_the_default_policy_wants_an_evaluation_before_staging() -> None:
    policy = default_policy().policy
    case = FakeCase(stage="staging")
    assert judge(policy, case).outcome == Outcome.REFUSED
    case.log(2, "smoke", score("accuracy", "0.9"))
    assert judge(policy, case).outcome == Outcome.PASSED


def test_the_default_policy_wants_staging_and_no_regression_before_prod() -> None:
    policy = default_policy().policy
    case = FakeCase()
    case.log(2, "smoke", score("accuracy", "0.9"))
    assert [verdict.status for verdict in judge(policy, case).verdicts] == [
        VerdictStatus.FAILED,
        VerdictStatus.PASSED,
    ]
    case.hold("staging", 2)
    assert judge(policy, case).outcome == Outcome.PASSED
    case.hold("prod", 1)
    case.log(1, "smoke", score("accuracy", "0.91"))
    assert judge(policy, case).outcome == Outcome.REFUSED
    case.log(2, "smoke", score("accuracy", "0.92"))
    assert judge(policy, case).outcome == Outcome.PASSED


def test_the_default_policy_keeps_out_of_stages_that_it_has_no_rule_for() -> None:
    assert default_policy().policy.ungated == "refuse"
