"""`policy test`, `policy diff`, starters: what they print, and the codes that they exit with."""

from pathlib import Path

import pytest

from support.cli import Cli

POLICY = (
    "format: 1\nstages: [dev, prod]\non_register: dev\nrules:\n"
    "  - stage: prod\n    gates:\n      - threshold: {suite: s, metric: m, min: %s}\n"
)
TESTS = (
    "policy: policy.yaml\ntests:\n"
    "  - {name: good enough, to: prod, expect: passed, candidate: {evals: {s: {m: 0.8}}}}\n"
    "  - {name: not good enough, to: prod, expect: refused, candidate: {evals: {s: {m: 0.7}}}}\n"
)


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    (tmp_path / "policy.yaml").write_text(POLICY % "0.8")
    (tmp_path / "stricter.yaml").write_text(POLICY % "0.9")
    (tmp_path / "policy.test.yaml").write_text(TESTS)
    return Cli(tmp_path)


def test_tests_that_pass_are_counted_and_need_no_registry(cli: Cli) -> None:
    ran = cli.inside("policy", "test")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "ok: 2 tests of policy policy.yaml in policy.test.yaml passed\n"
    assert not (cli.folder / "registry_data").exists()


def test_what_differs_is_a_table_and_exit_code_3(cli: Cli) -> None:
    ran = cli.inside("policy", "test", "policy.test.yaml", "--policy", "stricter.yaml")
    assert ran.code == 3
    assert ran.out.startswith("failed: 1 of 2 tests of policy stricter.yaml in policy.test.yaml\n")
    assert "EXPECTED" in ran.out
    assert "good enough" in ran.out
    assert "not good enough" not in ran.out


def test_json_has_every_test_with_its_verdicts(cli: Cli) -> None:
    ran = cli.inside("policy", "test", "--policy", "stricter.yaml", "--json")
    value = ran.json
    assert (ran.code, value["ok"], value["tests"], value["failed"]) == (3, False, 2, 1)
    [file] = value["files"]
    assert (file["file"], file["policy"]) == ("policy.test.yaml", "stricter.yaml")
    first, second = file["tests"]
    assert set(first) == {"name", "line", "ok", "outcome", "differences", "gates", "notes"}
    assert (first["ok"], second["ok"]) == (False, True)
    [difference] = first["differences"]
    assert difference["what"] == "outcome"
    assert (difference["expected"], difference["actual"]) == ("passed", "refused")


def test_several_files_are_run_and_one_failure_is_enough(cli: Cli) -> None:
    (cli.folder / "more.yaml").write_text(TESTS.replace("policy: policy", "policy: stricter"))
    ran = cli.inside("policy", "test", "policy.test.yaml", "more.yaml")
    assert ran.code == 3
    assert "ok: 2 tests" in ran.out
    assert "failed: 1 of 2 tests" in ran.out


def test_the_policy_in_force_is_tested_where_no_file_names_one(cli: Cli) -> None:
    (cli.folder / "policy.test.yaml").write_text(TESTS.removeprefix("policy: policy.yaml\n"))
    assert cli.inside("policy", "test").code == 4
    assert cli.inside("init", "--policy", "policy.yaml").code == 0
    assert cli.inside("policy", "test").code == 0


@pytest.mark.parametrize("broken", ["none.yaml", "policy.yaml"])
def test_what_is_no_test_file_is_one_line_and_exit_code_2(cli: Cli, broken: str) -> None:
    ran = cli.inside("policy", "test", broken)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert broken in ran.err


def test_diff_of_two_files_needs_no_registry(cli: Cli) -> None:
    ran = cli.inside("policy", "diff", "policy.yaml", "stricter.yaml")
    assert ran.code == 0
    assert "~ threshold:s/m min: 0.8 -> 0.9 (stricter)" in ran.out
    assert "ok: nothing becomes looser" in ran.out
    back = cli.inside("policy", "diff", "stricter.yaml", "policy.yaml", "--json")
    assert back.json["loosens"] == ["entry to prod: gate threshold:s/m: min 0.9 became 0.8"]
    [change] = back.json["changes"]
    assert change == {
        "change": "changed", "what": "gate", "subject": "entry to prod", "gate": "threshold:s/m",
        "field": "min", "before": "0.9", "after": "0.8", "effect": "looser",
    }  # fmt: skip


def test_diff_is_against_the_policy_in_force_or_the_one_before(cli: Cli) -> None:
    assert cli.inside("init", "--policy", "policy.yaml").code == 0
    assert "the policies ask the same" in cli.inside("policy", "diff", "policy.yaml").out
    assert "0.8 -> 0.9" in cli.inside("policy", "diff", "stricter.yaml").out
    first = cli.inside("policy", "diff")
    assert (first.code, "is the first" in first.err) == (4, True)
    assert cli.inside("policy", "apply", "stricter.yaml").code == 0
    assert "0.8 -> 0.9" in cli.inside("policy", "diff").out


def test_a_policy_that_is_wrong_is_not_compared(cli: Cli) -> None:
    (cli.folder / "wrong.yaml").write_text("format: 1\n")
    ran = cli.inside("policy", "diff", "policy.yaml", "wrong.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "wrong.yaml:1:1" in ran.err


@pytest.mark.parametrize("name", ["team", "strict", "llm", "regulated"])
def test_a_starter_is_shown_tested_and_put_in_force(cli: Cli, name: str) -> None:
    for file, more in (("policy.yaml", []), ("policy.test.yaml", ["--tests"])):
        shown = cli.inside("policy", "show", "--starter", name, *more)
        assert shown.code == 0
        (cli.folder / file).write_text(shown.out)
    assert cli.inside("policy", "lint", "policy.yaml").out == "policy.yaml is fine\n"
    assert cli.inside("policy", "test").code == 0
    assert cli.inside("init", "--policy", name).code == 0
    assert cli.inside("policy", "show").out == (cli.folder / "policy.yaml").read_text()


def test_init_leaves_a_registry_as_it_is_and_says_so_of_another_policy(cli: Cli) -> None:
    assert cli.inside("init", "--policy", "team").code == 0
    again = cli.inside("init", "--policy", "team", "--json")
    assert (again.code, again.json["created"]) == (0, False)
    assert cli.inside("init").code == 0
    other = cli.inside("init", "--policy", "strict")
    assert (other.code, other.out) == (2, "")
    assert "regista policy apply strict" in other.err
    assert cli.inside("policy", "apply", "strict").code == 0
    # what it began with and what it follows now are both no surprise to a script
    assert cli.inside("init", "--policy", "team").code == 0
    assert cli.inside("init", "--policy", "strict").code == 0
    assert cli.inside("init", "--policy", "llm").code == 2


def test_an_unknown_starter_is_refused_before_anything_is_made(cli: Cli) -> None:
    ran = cli.inside("policy", "show", "--starter", "teem")
    assert (ran.code, "did you mean team?" in ran.err) == (2, True)
    assert cli.inside("policy", "show", "--tests").code == 2
    assert cli.inside("init", "--policy", "teem").code == 2
    assert not (cli.folder / "registry_data").exists()


@pytest.fixture
def used(cli: Cli) -> Cli:
    """Give a registry with two promotions to prod, of which the second was rolled back."""
    open_policy = "format: 1\nstages: [dev, prod]\non_register: dev\n"
    (cli.folder / "open.yaml").write_text(open_policy)
    lines = [["init", "--policy", "open.yaml"]]
    for number, score in ((1, "0.9"), (2, "0.7")):
        (cli.folder / f"w{number}").write_text(score)
        lines += [
            ["register", "m", f"w{number}"],
            ["eval", "log", f"m@{number}", "--suite", "s", "--metric", f"m={score}"],
            ["promote", f"m@{number}", "--to", "prod"],
        ]
    for line in [*lines, ["rollback", "m", "--stage", "prod"]]:
        assert cli.inside(*line).code == 0
    return cli


def test_a_backtest_tells_what_would_have_been_refused_and_was_rolled_back(used: Cli) -> None:
    ran = used.inside("policy", "backtest", "policy.yaml")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 decisions judged again, up to commit 8\n")
    assert "would refuse  1 that were let through" in ran.out
    assert "rolled back   1, of which it would have refused 1" in ran.out
    assert "rolled back in commit 8; threshold:s/m: s/m is" in " ".join(ran.out.split())


def test_a_backtest_as_json_has_stable_fields(used: Cli) -> None:
    value = used.inside("policy", "backtest", "policy.yaml", "--json").json
    assert set(value) == {
        "policy", "seq", "decisions", "same", "would_refuse", "would_pass", "not_judged",
        "rolled_back", "omitted", "findings",
    }  # fmt: skip
    [finding] = value["findings"]
    assert set(finding) == {
        "kind", "seq", "time", "actor", "name", "version", "stage", "outcome", "reasons",
        "unknown", "rolled_back",
    }  # fmt: skip
    assert (finding["kind"], finding["version"], finding["rolled_back"]) == ("would_refuse", 2, 8)
    few = used.inside("policy", "backtest", "policy.yaml", "--json", "--limit", "0").json
    assert (few["findings"], few["omitted"], few["would_refuse"]) == ([], 1, 1)


def test_a_backtest_needs_a_registry_and_a_policy(used: Cli) -> None:
    assert used.inside("policy", "backtest", "none.yaml").code == 2
    assert used.inside("policy", "backtest").code == 2
    assert used.inside("--registry", "nowhere", "policy", "backtest", "policy.yaml").code == 4
