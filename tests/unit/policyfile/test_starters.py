"""Starter policies: each is without a finding, and keeps what its own tests promise."""

from pathlib import Path

import pytest

from regista import policyfile
from regista.decide.policy_bundle import PolicyBundle
from regista.errors import InvalidInputError
from regista.policyfile.cases import PolicyCase, read_cases
from regista.policyfile.loading import STARTER_POLICY, STARTER_TESTS, STARTERS
from regista.registry.policy_tests import run_case, run_tests


def write_starter(name: str, folder: Path) -> None:
    for file in (STARTER_POLICY, STARTER_TESTS):
        (folder / file).write_text(policyfile.starter_text(name, file), "utf-8")


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_has_no_finding(name: str, tmp_path: Path) -> None:
    text = policyfile.starter_text(name, STARTER_POLICY)
    assert policyfile.lint(text, name, policyfile.files_beside(tmp_path / "p.yaml")) == []


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_keeps_what_its_tests_promise(name: str, tmp_path: Path) -> None:
    write_starter(name, tmp_path)
    result = run_tests(tmp_path / STARTER_TESTS)
    assert [(test.name, test.differences) for test in result.tests if not test.ok] == []
    assert {"passed", "refused"} <= {test.outcome for test in result.tests}


@pytest.mark.parametrize("name", STARTERS)
def test_the_tests_of_a_starter_notice_an_open_policy(name: str, tmp_path: Path) -> None:
    write_starter(name, tmp_path)
    closed = policyfile.starter_policy(name).value
    value = {**closed, "rules": [], "ungated": "allow"}
    for case in read_cases(tmp_path / STARTER_TESTS).cases:
        if case.expect == "refused":
            assert not ok(PolicyBundle.of(value, {}, ""), case), case.name


def ok(bundle: PolicyBundle, case: PolicyCase) -> bool:
    try:
        return run_case(bundle, "f", case).ok
    except InvalidInputError as error:
        # there is no gate to waive either
        assert "no gate" in error.message
        return False


@pytest.mark.parametrize("name", STARTERS)
def test_every_kind_of_gate_of_a_starter_is_named_by_a_test_of_it(
    name: str, tmp_path: Path
) -> None:
    write_starter(name, tmp_path)
    policy = policyfile.starter_policy(name).policy
    there = {gate.kind for rule in policy.rules for gate in rule.gates}
    result = run_tests(tmp_path / STARTER_TESTS)
    tried = {gate["kind"] for test in result.tests for gate in test.gates}
    assert there <= tried


def test_a_file_comes_before_a_starter_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert policyfile.read_policy(Path("team")).policy.side_stages == ()
    (tmp_path / "team").write_text("format: 1\nstages: [a]\nside_stages: [b]\n")
    assert policyfile.read_policy(Path("team")).policy.side_stages == ("b",)


def test_an_unknown_starter_is_told_with_the_one_that_was_meant() -> None:
    with pytest.raises(InvalidInputError) as told:
        policyfile.starter_text("strickt", STARTER_POLICY)
    assert told.value.hint == "did you mean strict?"
