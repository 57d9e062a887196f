"""The main job through the real process: every command, its JSON, its exit codes."""

import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from support.cli import Cli

WRITE = {"op", "seq", "commit", "name", "version"}
GATE = {"id", "kind", "status", "observed", "required", "reason"}


def artifact(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.mkdir()
    (path / "model.txt").write_text(text)
    (path / "config.json").write_text('{"depth": 3}')
    return name


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    return Cli(tmp_path_factory.mktemp("contract"))


@pytest.fixture(scope="module")
def told(cli: Cli) -> dict[str, Any]:
    """The whole main job, once; what each step printed."""
    first = artifact(cli.folder, "first", "weights 1")
    second = artifact(cli.folder, "second", "weights 2")
    told: dict[str, Any] = {
        "init": cli.ok("init"),
        "again": cli.ok("init"),
        "register": cli.ok(
            "register", "fraud/card", first, "--kind", "model", "--param", "lr=0.1",
            "--tag", "owner=risk", "--label", "1.0.0", "--run", "run-1", "--code", "c0ffee",
        ),
        "twin": cli.ok("register", "fraud/card", first),
        "check": cli.ok("check", "fraud/card@1", "--to", "staging", code=3),
        "refused": cli.ok("promote", "fraud/card@1", "--to", "staging", code=3),
        "eval": cli.ok("eval", "log", "fraud/card@1", "--suite", "holdout", "--metric", "auc=0.90"),
        "staging": cli.ok("promote", "fraud/card@1", "--to", "staging"),
        "prod": cli.ok("promote", "fraud/card@1", "--to", "prod", "--reason", "first"),
    }  # fmt: skip
    told["second"] = cli.ok("register", "fraud/card", second)
    cli.ok("eval", "log", "fraud/card@2", "--suite", "holdout", "--metric", "auc=0.95")
    cli.ok("promote", "fraud/card@2", "--to", "staging")
    told["better"] = cli.ok("promote", "fraud/card@2", "--to", "prod")
    told["resolved"] = cli.ok("resolve", "fraud/card@prod")
    told["drill"] = cli.ok("drill", "fraud/card", "--stage", "prod")
    told["failed drill"] = cli.ok(
        "drill", "fraud/card", "--stage", "prod", "--smoke", "exit 9", code=6
    )
    told["rollback"] = cli.ok("rollback", "fraud/card", "--stage", "prod", "--reason", "it drifts")
    return told


@pytest.mark.usefixtures("told")
class TestMainJob:
    def test_init_is_idempotent(self, told: dict[str, Any]) -> None:
        assert (told["init"]["created"], told["again"]["created"]) == (True, False)
        assert told["init"]["commit"] == told["again"]["commit"]

    def test_a_registered_version_says_what_it_is(self, told: dict[str, Any]) -> None:
        made = told["register"]
        assert made.keys() >= WRITE | {"kind", "digest", "stage", "created"}
        assert (made["version"], made["kind"], made["stage"]) == (1, "model", "dev")
        assert made["created"] is True

    def test_equal_artifacts_are_the_version_that_is_there(self, told: dict[str, Any]) -> None:
        assert told["twin"]["created"] is False
        assert told["twin"]["seq"] == told["register"]["seq"]
        assert told["second"]["version"] == 2

    def test_a_gate_refuses_and_says_why(self, told: dict[str, Any]) -> None:
        for refused in (told["check"], told["refused"]):
            assert refused.keys() >= WRITE | {"stage", "from_version", "outcome", "gates"}
            assert refused["outcome"] == "refused"
            assert all(gate.keys() >= GATE for gate in refused["gates"])
        assert told["check"]["op"] == "check"

    def test_a_refusal_is_recorded_and_a_check_is_not(self, told: dict[str, Any]) -> None:
        assert told["check"]["seq"] == told["register"]["seq"]
        assert told["refused"]["seq"] == told["register"]["seq"] + 1

    def test_an_eval_run_counts_its_scores(self, told: dict[str, Any]) -> None:
        assert told["eval"].keys() >= WRITE | {"run_id", "scores", "samples"}
        assert (told["eval"]["scores"], told["eval"]["samples"]) == (1, 0)

    def test_a_passed_promotion_moves_the_stage(self, told: dict[str, Any]) -> None:
        assert told["prod"]["outcome"] == "passed"
        assert told["prod"]["from_version"] is None
        assert told["better"]["from_version"] == 1

    def test_what_is_in_prod_is_one_number(self, cli: Cli, told: dict[str, Any]) -> None:
        ran = cli("resolve", "fraud/card@prod")
        assert (ran.code, ran.out, ran.err) == (0, "1\n", "")
        assert told["resolved"] == {
            "name": "fraud/card", "kind": "model", "version": 2,
            "digest": told["second"]["digest"], "stage": "prod",
            "stages": ["dev", "staging", "prod"], "status": "active",
            "since": told["resolved"]["since"], "by": "tester", "seq": told["better"]["seq"],
        }  # fmt: skip

    def test_a_drill_rehearses_what_the_rollback_does(self, told: dict[str, Any]) -> None:
        drill, rollback = told["drill"], told["rollback"]
        assert drill.keys() >= WRITE | {"stage", "from_version", "to_version", "skipped"}
        assert drill["ok"] is True
        assert drill["duration_s"] >= 0
        assert (drill["from_version"], drill["to_version"]) == (2, 1)
        assert (rollback["from_version"], rollback["to_version"]) == (2, 1)
        assert told["failed drill"]["ok"] is False

    def test_the_past_can_be_asked(self, cli: Cli, told: dict[str, Any]) -> None:
        then = str(told["better"]["seq"])
        assert cli("resolve", "fraud/card@prod", "--as-of", then).out == "2\n"
        since = told["resolved"]["since"]
        assert cli("resolve", "fraud/card@prod", "--as-of", since).out == "2\n"
        assert cli.ok("show", "fraud/card", "--as-of", "2")["versions"] == 1
        assert len(cli.ok("history", "fraud/card", "--as-of", "2")) < 6
        assert cli("list", "--as-of", "1", "--json").out == "[]\n"
        assert cli("eval", "show", "fraud/card@1", "--as-of", "2", "--json").json["runs"] == []

    def test_history_and_log_tell_what_happened(self, cli: Cli, told: dict[str, Any]) -> None:
        events = [row["event"] for row in cli.ok("history", "fraud/card", "-n", "100")]
        assert events[0] == "rolled back"
        assert {"registered", "refused", "promoted", "drilled", "evaluated"} <= set(events)
        newest = cli.ok("log", "-n", "1")[0]
        assert (newest["seq"], newest["commit"]) == (
            told["rollback"]["seq"], told["rollback"]["commit"],
        )  # fmt: skip
        assert newest["ops"][0]["args"]["reason"] == "it drifts"

    def test_list_show_and_diff(self, cli: Cli) -> None:
        assert [row["name"] for row in cli.ok("list", "fraud/*", "--kind", "model")] == [
            "fraud/card"
        ]
        assert cli.ok("list", "--kind", "prompt") == []
        version = cli.ok("show", "fraud/card@1.0.0")
        assert version["params"] == {"lr": "0.1"}
        assert [item["path"] for item in version["artifacts"]] == ["config.json", "model.txt"]
        found = cli.ok("diff", "fraud/card@1", "fraud/card@2")
        assert list(found["files"]["changed"]) == ["model.txt"]
        assert found["scores"][0]["difference"] == "0.05"

    @pytest.mark.parametrize(
        "command",
        [
            ("eval", "compare", "fraud/card@1", "fraud/card@2"),
            ("eval", "history", "fraud/card"),
            ("eval", "leaderboard"),
            ("eval", "samples", "fraud/card@1"),
        ],
        ids=lambda command: command[1],
    )
    def test_evaluations_are_told_in_every_format(self, cli: Cli, command: tuple[str, ...]) -> None:
        told = {name: cli.inside(*command, "--format", name) for name in
                ("table", "json", "csv", "markdown")}  # fmt: skip
        assert {ran.code for ran in told.values()} == {0}
        assert told["json"].json == cli.inside(*command, "--json").json
        assert told["csv"].out.partition("\n")[0].count(",") > 5
        assert all(len(line) <= 80 for line in told["table"].out.splitlines())
        plain = cli(*command, environ={"PYTHONIOENCODING": "ascii"})
        assert (plain.code, "\\u" in plain.out) == (0, False)

    def test_evaluations_are_shown_compared_and_followed(self, cli: Cli) -> None:
        shown = cli.ok("eval", "show", "fraud/card@2")
        assert shown["runs"][0]["scores"][0]["value"] == 0.95
        compared = cli.ok("eval", "compare", "fraud/card@1", "fraud/card@2")
        assert compared["scores"][0]["verdict"] == "better"
        trend = cli.ok("eval", "history", "fraud/card", "--metric", "auc")
        assert [row["value"] for row in trend] == [0.9, 0.95]

    def test_get_lays_the_files_out_and_checks_them(self, cli: Cli) -> None:
        got = cli.ok("get", "fraud/card@prod", "out")
        assert got["files"] == 2
        assert (cli.folder / "out" / "model.txt").read_text() == "weights 1"

    def test_sql_answers_in_every_format(self, cli: Cli) -> None:
        query = "SELECT entry, version FROM current_stages WHERE stage = 'prod'"
        assert cli("sql", query, "--format", "csv").out == "entry,version\nfraud/card,1\n"
        assert cli("sql", query, "--json").json == [{"entry": "fraud/card", "version": 1}]
        assert cli("sql", "--format", "csv", stdin=query).out == "entry,version\nfraud/card,1\n"
        assert "fraud/card" in cli("sql", query).out
        assert cli("sql", query, "--format", "parquet", "--output", "rows.parquet").code == 0
        assert duckdb.read_parquet(str(cli.folder / "rows.parquet")).fetchall() == [
            ("fraud/card", 1)
        ]

    def test_the_emitted_views_say_the_same_in_a_plain_duckdb(self, cli: Cli) -> None:
        emitted = cli("sql", "--emit-views")
        plain = duckdb.connect(":memory:")
        plain.execute(emitted.out)
        query = "SELECT entry, stage, version FROM current_stages ORDER BY stage"
        rows = [list(row) for row in plain.execute(query).fetchall()]
        assert rows == [list(row.values()) for row in cli("sql", query, "--json").json]

    def test_tables_are_listed(self, cli: Cli) -> None:
        found = {table["name"]: table for table in cli.ok("tables")}
        assert found["placements"]["rows"] > 4
        assert cli.ok("tables", "verdicts")[0]["grain"] == "seq, gate"

    def test_verify_is_ok_and_an_anchor_is_compared(self, cli: Cli, told: dict[str, Any]) -> None:
        anchor = f"{told['prod']['seq']}:{told['prod']['commit']}"
        found = cli.ok("verify", "--deep", "--anchor", anchor)
        assert found.keys() >= {"ok", "commits", "head", "level", "problems"}
        assert (found["ok"], found["problems"]) == (True, [])
        wrong = cli("verify", "--anchor", f"{told['prod']['seq']}:{'0' * 64}", "--json")
        assert wrong.code == 6
        assert wrong.json["problems"][0].keys() >= {"seq", "kind", "detail"}

    def test_what_was_rolled_back_comes_back_only_on_purpose(self, cli: Cli) -> None:
        assert cli.ok("promote", "fraud/card@2", "--to", "prod", code=3)["outcome"] == "refused"
        ran = cli("promote", "fraud/card@2", "--to", "prod", "--again")
        assert (ran.code, ran.out) == (2, "")


def test_a_transaction_id_makes_a_write_happen_once(cli: Cli, told: dict[str, Any]) -> None:
    assert told
    line = ("eval", "log", "fraud/card@1", "--suite", "once", "--metric", "a=1", "--txid", "t-1")
    first = cli.ok(*line)
    assert cli.ok(*line) == first
    reused = cli(*line[:-3], "a=2", "--txid", "t-1", "--json")
    assert reused.code == 2
    assert reused.error["code"] == "txid_reused"


def test_a_job_that_is_run_again_finds_its_registration_by_the_transaction_id(
    cli: Cli, told: dict[str, Any]
) -> None:
    assert told
    line = ("register", "retried", "first", "--txid", "t-3")
    jobs = [{"GITLAB_CI": "1", "CI_JOB_URL": f"https://ci.example/{number}"} for number in (1, 2)]
    first, again = (cli(*line, "--json", environ=job) for job in jobs)
    assert (again.code, again.json) == (first.code, first.json)
    assert cli.ok("show", "retried@1")["source"]["ci_job_url"] == "https://ci.example/1"


def test_a_refusal_is_repeated_by_its_transaction_id(cli: Cli, told: dict[str, Any]) -> None:
    assert told
    cli.ok("register", "other", "first/model.txt")
    line = ("promote", "other@1", "--to", "staging", "--txid", "t-2")
    first = cli.ok(*line, code=3)
    cli.ok("eval", "log", "other@1", "--suite", "s", "--metric", "a=1")
    assert cli.ok(*line, code=3) == first


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """A registry with one version in dev."""
    cli = Cli(tmp_path_factory.mktemp("small"))
    (cli.folder / "m.txt").write_text("m")
    cli.ok("init")
    cli.ok("register", "m", "m.txt")
    return cli


ERRORS = [
    (2, "usage", ["promote", "m@1"]),
    (2, "usage", ["nonsense"]),
    (2, "usage", ["list", "--nonsense"]),
    (2, "usage", ["resolve", "m@1", "--timeout", "nan"]),
    (2, "invalid_input", ["register", "m", "gone.txt"]),
    (2, "invalid_input", ["create", "a/../b", "--kind", "model"]),
    (2, "invalid_input", ["create", "a\x1b[2Jb", "--kind", "model"]),
    (2, "invalid_input", ["create", "n" * 10_000, "--kind", "model"]),
    (2, "invalid_input", ["eval", "log", "m@1", "--suite", "s", "--metric", "a=NaN"]),
    (2, "invalid_input", ["eval", "log", "m@1", "--suite", "s", "--metric", "a=1e999"]),
    (2, "invalid_input", ["show", "m", "--as-of", "yesterday"]),
    (2, "invalid_input", ["sql", "DROP TABLE versions"]),
    (2, "invalid_input", ["create", "x", "--kind", "model", "--actor", "a\nb"]),
    (2, "invalid_input", ["policy", "apply", "gone.yaml"]),
    (2, "invalid_input", ["promote", "m@1", "--to", "nowhere"]),
    (3, "refused", ["archive", "m@1"]),
    (4, "not_found", ["resolve", "m@prod"]),
    (4, "not_found", ["show", "gone"]),
    (4, "not_found", ["rollback", "m", "--stage", "prod"]),
    (4, "not_found", ["list", "--registry", "nowhere"]),
    (4, "not_found", ["log", "--as-of", "99"]),
]


@pytest.mark.parametrize(("code", "name", "line"), ERRORS, ids=lambda item: str(item)[:40])
def test_an_error_is_one_line_with_the_exit_code_of_the_contract(
    small: Cli, code: int, name: str, line: list[str]
) -> None:
    plain = small(*line)
    assert (plain.code, plain.out) == (code, "")
    assert plain.err.startswith("error: ")
    assert plain.err.count("\n") == 1
    assert "\x1b" not in plain.err
    as_json = small.inside(*line, "--json")
    assert (as_json.code, as_json.out) == (code, "")
    assert as_json.error.keys() == {"code", "message", "hint"}
    assert as_json.error["code"] == name
    assert small.inside("log", "-n", "1", "--json").json[0]["seq"] == 2


def test_common_options_stand_before_or_after_the_command(small: Cli) -> None:
    before = small("--registry", "registry_data", "--json", "resolve", "m@1")
    after = small("resolve", "m@1", "--registry", "registry_data", "--json")
    assert before.json == after.json


def test_the_registry_is_found_from_a_folder_below(small: Cli) -> None:
    (small.folder / "regista.toml").write_text('registry = "registry_data"')
    inner = small.folder / "a" / "b"
    inner.mkdir(parents=True)
    assert Cli(inner)("resolve", "m@latest").out == "1\n"


def test_a_damaged_artifact_is_an_integrity_failure(tmp_path: Path) -> None:
    cli = Cli(tmp_path)
    (tmp_path / "m.txt").write_text("whole")
    cli.ok("init")
    cli.ok("register", "m", "m.txt")
    for blob in (tmp_path / "registry_data" / "blobs").rglob("*"):
        if blob.is_file() and blob.read_bytes() == b"whole":
            blob.chmod(0o644)
            blob.write_bytes(b"whol3")
    assert cli("get", "m@1", "out").code == 6
    assert not (tmp_path / "out" / "m.txt").exists()
    assert cli("verify", "--deep").code == 6
    (tmp_path / "registry_data" / "registry.json").write_text("{")
    assert cli("resolve", "m@1").code == 7
    (tmp_path / "registry_data" / "registry.json").write_text('{"format":99,"id":"x"}')
    newer = cli("resolve", "m@1", "--json")
    assert (newer.code, newer.error["code"]) == (2, "newer_format")


def test_a_list_of_operations_is_one_commit(small: Cli) -> None:
    operations = [
        {"op": "create", "name": "applied", "kind": "prompt"},
        {"op": "tag", "subject": "applied", "tags": {"owner": "risk"}},
    ]
    (small.folder / "ops.json").write_text(json.dumps(operations))
    before = small.ok("log", "-n", "1")[0]["seq"]
    done = small.ok("apply", "ops.json", "--txid", "applied-1")
    assert [item["seq"] for item in done] == [before + 1, before + 1]
    assert small.ok("apply", "ops.json", "--txid", "applied-1") == done
    (small.folder / "ops.json").write_text(
        json.dumps([{"op": "promote", "ref": "m@1", "stage": "prod"}])
    )
    assert small.ok("apply", "ops.json", code=3)[0]["outcome"] == "refused"


def test_statuses_aliases_tags_and_names(small: Cli) -> None:
    def ok(*line: str) -> Any:
        ran = small.inside(*line, "--json")
        assert ran.code == 0, ran
        return ran.json

    (small.folder / "n.txt").write_text("n")
    ok("register", "names", "n.txt")
    ok("register", "names", "m.txt")
    assert ok("alias", "names@1", "champion")["version"] == 1
    assert ok("deprecate", "names@1", "--reason", "old")["status"] == "deprecated"
    warned = small("resolve", "names@champion")
    assert (warned.out, warned.err) == ("1\n", "warning: names version 1 is deprecated\n")
    assert ok("restore", "names@1")["status"] == "active"
    assert ok("alias", "names", "champion", "--remove")["version"] is None
    assert ok("tag", "names@1", "a=1", "b=x=y")["tags"] == {"a": "1", "b": "x=y"}
    assert ok("tag", "names@1", "--remove", "a")["tags"] == {"b": "x=y"}
    assert small("describe", "names", "--file", "-", stdin="What it is.\n").code == 0
    assert ok("show", "names")["description"] == "What it is.\n"
    assert ok("rename", "names", "new/names")["from_name"] == "names"
    assert ok("delete", "new/names@1", "--purge")["status"] == "deleted"
    assert small("resolve", "new/names@1").code == 4
    assert len(ok("gc", "--dry-run")["blobs"]) >= 1
    assert ok("gc")["dry_run"] is False
    assert ok("verify", "--deep")["ok"] is True


def test_maintenance_says_what_it_did(small: Cli) -> None:
    head = small.ok("log", "-n", "1")[0]["seq"]
    assert small.ok("rebuild")["seq"] == head
    assert small.ok("compact")["seq"] == head
    assert small.ok("doctor")["ok"] is True
    assert small.ok("verify")["ok"] is True


def test_a_policy_is_shown_linted_and_applied(small: Cli) -> None:
    text = small("policy", "show").out
    (small.folder / "policy.yaml").write_text(text.replace("stages: [dev", "stages: [dev, qa"))
    assert small.ok("policy", "lint", "policy.yaml")["ok"] is True
    applied = small.ok("policy", "apply", "policy.yaml", "--reason", "more stages")
    assert small.ok("policy", "show")["digest"] == applied["policy"]
    (small.folder / "bad.yaml").write_text("format: 1\nstages: [dev]\nrulez: []\n")
    bad = small("policy", "lint", "bad.yaml", "--json")
    assert bad.code == 2
    assert bad.json["problems"][0]["message"]
    assert small("policy", "apply", "bad.yaml").code == 2


def test_github_gets_summary_and_outputs(small: Cli) -> None:
    environ = {
        "GITHUB_ACTIONS": "true", "GITHUB_ACTOR": "ada", "REGISTA_ACTOR": "",
        "GITHUB_STEP_SUMMARY": str(small.folder / "summary.md"),
        "GITHUB_OUTPUT": str(small.folder / "output.txt"),
    }  # fmt: skip
    assert small("promote", "m@1", "--to", "staging", environ=environ).code == 3
    assert "refused" in (small.folder / "summary.md").read_text()
    assert "outcome<<" in (small.folder / "output.txt").read_text()
    assert small.ok("log", "-n", "1")[0]["actor"] == "ada"


def test_a_reader_that_goes_away_is_no_error(small: Cli) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        small.command("log"), cwd=small.folder, env=small.environment(), stdout=write,
        stderr=subprocess.PIPE, check=False, timeout=60,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_under_the_output_is_a_storage_error(small: Cli) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            small.command("log"), cwd=small.folder, env=small.environment(), stdout=full,
            stderr=subprocess.PIPE, check=False, timeout=60,
        )  # fmt: skip
    assert done.returncode == 7
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.count(b"\n") == 1


def on_a_terminal(cli: Cli, *arguments: str, environ: dict[str, str]) -> tuple[int, str, str]:
    """Run a command whose standard input is a terminal."""
    ours, theirs = pty.openpty()
    done = subprocess.run(
        cli.command(*arguments), cwd=cli.folder, env=cli.environment(environ), stdin=theirs,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    os.close(ours)
    os.close(theirs)
    return done.returncode, done.stdout, done.stderr


def test_sql_on_a_terminal_starts_the_shell_with_the_views(small: Cli) -> None:
    folder = small.folder / "bin"
    folder.mkdir()
    shell = folder / "duckdb"
    shell.write_text('#!/bin/sh\ncat "$2"\n')
    shell.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    code, out, _ = on_a_terminal(small, "sql", environ={"PATH": path})
    assert code == 0
    assert "current_stages" in out


def test_sql_on_a_terminal_without_the_shell_says_what_to_do(small: Cli) -> None:
    code, out, err = on_a_terminal(small, "sql", environ={"PATH": str(small.folder / "none")})
    assert (code, out) == (2, "")
    assert "duckdb shell is not installed" in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_name_the_program(small: Cli, shell: str) -> None:
    assert "_REGISTA_COMPLETE" in small("completion", shell).out


def test_the_shell_completes_entries_and_stages(small: Cli) -> None:
    def completed(line: str, word: int) -> list[str]:
        environ = {
            "_REGISTA_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(word)
        }  # fmt: skip
        return [item.partition(",")[2] for item in small(environ=environ).out.splitlines()]

    assert completed("regista show m", 2) == ["m"]
    assert "staging" in completed("regista promote m@1 --to ", 4)
    assert completed("regista prom", 1) == ["promote"]
    assert "m" not in completed("regista show zzz", 2)


def test_a_whole_past_is_imported_as_one_commit(small: Cli) -> None:
    folder = small.folder / "past"
    folder.mkdir()
    connection = duckdb.connect(":memory:")
    for file, columns in (
        ("entries", "'model' AS kind, '' AS description"),
        ("versions", "1 AS version, 's3://old/' || i AS uri"),
    ):
        rows = connection.sql(f"SELECT 'old/' || i AS entry, {columns} FROM range(3) t(i)")
        rows.write_parquet(str(folder / f"{file}.parquet"))
    done = small.ok("import", "past", "--source", "the old registry")
    assert done["rows"]["versions"] == 3
    assert small.ok("show", "old/2@1")["uri"] == "s3://old/2"
    assert small("import", "past").code == 3
