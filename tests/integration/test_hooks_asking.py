"""Pre-hooks through the command line and the Python API: who may veto what, and that it replays."""

import json
import os
import shutil
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pytest

import regista
from regista.errors import InvalidInputError, NotFoundError
from regista.registry.core import Registry
from support.cli import Cli
from support.hooking import (
    SECRET,
    command,
    configure,
    hang,
    receiving,
    status,
    webhook,
)

VETO = "echo 'no changes on Fridays'; exit 3"
PRE = 'when = "pre"'


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with two versions in prod, one after the other."""
    folder = tmp_path_factory.mktemp("template")
    cli = Cli(folder)
    (folder / "policy.yaml").write_text(
        "format: 1\nstages: [dev, prod]\non_register: dev\nungated: allow\nrules: []\n"
    )
    assert cli.inside("init", "--policy", "policy.yaml").code == 0
    for version in ("1", "2"):
        (folder / "m.txt").write_text(version)
        assert cli.inside("register", "fraud/card", "m.txt").code == 0
        assert cli.inside("promote", f"fraud/card@{version}", "--to", "prod").code == 0
    return folder


@pytest.fixture
def cli(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A copy of the template of a test's own."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    return Cli(tmp_path, {"HOOK_SECRET": SECRET})


def holder(cli: Cli) -> str:
    return cli.inside("resolve", "fraud/card@prod").out.strip()


def shown(cli: Cli) -> dict[str, Any]:
    """Return what is known of the entry, but for how far the log is."""
    told: dict[str, Any] = cli.inside("show", "fraud/card", "--json").json
    return {key: value for key, value in told.items() if key != "seq"}


def verified(cli: Cli) -> None:
    """Check that the history replays without the hooks' configuration, as anybody may do it."""
    (cli.folder / "regista.toml").unlink(missing_ok=True)
    ran = cli.inside("verify", "--json")
    assert (ran.code, ran.json["problems"]) == (0, [])


@pytest.mark.parametrize(
    "line",
    [
        ["promote", "fraud/card@1", "--to", "prod", "--again", "--reason", "x"],
        ["rollback", "fraud/card", "--stage", "prod"],
        ["demote", "fraud/card", "--stage", "prod"],
        ["drill", "fraud/card", "--stage", "prod"],
        ["register", "fraud/card", "policy.yaml"],
        ["create", "other", "--kind", "prompt"],
        ["eval", "log", "fraud/card@1", "--suite", "s", "--metric", "auc=0.9"],
        ["deprecate", "fraud/card@1"],
        ["alias", "fraud/card@1", "champion"],
        ["tag", "fraud/card", "a=b"],
        ["describe", "fraud/card", "what it is"],
        ["rename", "fraud/card", "fraud/cards"],
        ["policy", "apply", "other.yaml"],
    ],
    ids=lambda line: line[0],
)
def test_a_veto_refuses_any_operation_and_replays(cli: Cli, line: list[str]) -> None:
    policy = (cli.folder / "policy.yaml").read_text()
    (cli.folder / "other.yaml").write_text(policy.replace("prod]", "prod, late]"))
    configure(cli.folder, command("freeze", VETO, PRE))
    before = shown(cli)
    ran = cli.inside(*line, "--json")
    assert ran.code == 3, ran
    assert ran.json["vetoes"] == [{"hook": "freeze", "reason": "no changes on Fridays"}]
    assert ran.json["applied"] is False
    plain = cli.inside(*line)
    assert (plain.code, "no changes on Fridays" in plain.out) == (3, True)
    assert "freeze" in plain.out
    assert shown(cli) == before
    verified(cli)


def test_the_veto_is_in_the_record(cli: Cli) -> None:
    configure(cli.folder, command("freeze", VETO, PRE, on="promote"))
    assert cli.inside("register", "fraud/card", "policy.yaml").code == 0
    assert cli.inside("promote", "fraud/card@3", "--to", "prod").code == 3
    query = "SELECT outcome FROM decisions ORDER BY seq DESC LIMIT 1"
    assert cli.inside("sql", query, "--format", "csv").out.split() == ["outcome", "refused"]
    query = "SELECT gate, status, reason FROM verdicts WHERE kind = 'hook'"
    told = cli.inside("sql", query, "--format", "csv").out
    assert "hook:freeze,failed,no changes on Fridays" in told
    assert "refused" in cli.inside("log").out
    verified(cli)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 1", "the command exited with 1"),
        ("kill -9 $$", "the command was killed by signal 9"),
        ("sleep 60", "the command took longer than 1 s"),
    ],
)
def test_a_broken_hook_refuses_but_never_the_way_back(cli: Cli, script: str, reason: str) -> None:
    configure(cli.folder, command("freeze", script, PRE, "timeout = 1"))
    ran = cli.inside("tag", "fraud/card", "a=b", "--json")
    assert (ran.code, ran.json["vetoes"]) == (3, [{"hook": "freeze", "reason": reason}])
    back = cli.inside("rollback", "fraud/card", "--stage", "prod")
    assert back.code == 0, back
    assert f"warning: hook freeze did not answer ({reason}), and rollback went on" in back.err
    assert holder(cli) == "1"
    assert cli.inside("demote", "fraud/card", "--stage", "prod").code == 0
    verified(cli)


def test_a_broken_hook_may_be_told_to_allow(cli: Cli) -> None:
    configure(cli.folder, command("freeze", "exit 1", PRE, 'on_error = "allow"'))
    ran = cli.inside("tag", "fraud/card", "a=b")
    assert (ran.code, "tag went on without it" in ran.err) == (0, True)
    verified(cli)


def test_a_malformed_configuration_does_not_stop_the_way_back(cli: Cli) -> None:
    configure(cli.folder, command("freeze", VETO, PRE, "nonsense = 1"))
    assert cli.inside("tag", "fraud/card", "a=b").code == 2
    back = cli.inside("rollback", "fraud/card", "--stage", "prod")
    assert (back.code, holder(cli)) == (0, "1")
    assert "warning: no hook was asked or told" in back.err
    assert "'nonsense' is not a setting" in back.err


def test_somebody_who_rolls_back_waits_little(cli: Cli) -> None:
    configure(cli.folder, command("freeze", "sleep 60", PRE, "timeout = 60"))
    started = time.monotonic()
    assert cli.inside("rollback", "fraud/card", "--stage", "prod").code == 0
    assert time.monotonic() - started < 8


def test_a_hook_gets_the_request_on_standard_input(cli: Cli) -> None:
    configure(cli.folder, command("look", "cat > asked", PRE, on="promote"))
    (cli.folder / "m.txt").write_text("3")
    assert cli.inside("register", "fraud/card", "m.txt").code == 0
    line = ["promote", "fraud/card@3", "--to", "prod", "--reason", "better"]
    assert cli.inside(*line).code == 0
    asked = json.loads((cli.folder / "asked").read_text())
    data = asked["data"]
    assert (asked["type"], data["actor"], data["args"]["reason"], data["commit"]) == (
        "promote.requested", "tester", "better", None,
    )  # fmt: skip
    assert (data["decision"]["from_version"], data["decision"]["version"]) == (2, 3)
    assert data["kind"] == "model"
    assert len(data["digest"]) == 64


def test_matching_leaves_out_the_others(cli: Cli) -> None:
    configure(
        cli.folder,
        command("a", VETO, PRE, 'match = { entry = "fraud/*", stage = "late" }'),
        command("b", VETO, PRE, 'match = { kind = "prompt" }'),
        command("c", VETO, PRE, on="delete"),
    )
    assert cli.inside("rollback", "fraud/card", "--stage", "prod").code == 0
    assert cli.inside("create", "p", "--kind", "prompt").code == 3
    verified(cli)


@pytest.mark.parametrize(
    ("answer", "vetoes"),
    [
        (status(200, body='{"allow": true}'), None),
        (status(200, body='{"allow": false, "reason": "budget\\n\\u001b[31m"}'), "budget [31m"),
        (status(200, body='{"allow": false}'), "it gave no reason"),
        (status(200), 'its answer is not {"allow": true} or {"allow": false}'),
        (status(200, body='{"allow": "true"}'), 'its answer is not {"allow"'),
        (status(200, body="[" * 50_000), 'its answer is not {"allow"'),
        (status(500, body='{"allow": true}'), "it answered with status 500"),
        (status(301, "Location: /x", body='{"allow": true}'), "it answered with status 301"),
        (hang(30), "did not answer within 1 s"),
    ],
    ids=range(9),
)
def test_a_webhook_answers_in_json(cli: Cli, answer: bytes, vetoes: str | None) -> None:
    with receiving(answer) as receiver:
        configure(cli.folder, webhook("w", receiver.url, PRE, "timeout = 1"))
        ran = cli.inside("tag", "fraud/card", "a=b", "--json")
    (got,) = receiver.received
    assert got.signed_by(SECRET)
    if vetoes is None:
        assert ran.code == 0, ran
    else:
        assert ran.code == 3, ran
        assert vetoes in ran.json["vetoes"][0]["reason"]
    verified(cli)


def test_all_hooks_are_asked_and_one_veto_is_enough(cli: Cli) -> None:
    configure(
        cli.folder, command("a", VETO, PRE), command("b", "touch asked", PRE),
        command("c", "echo also; exit 3", PRE),
    )  # fmt: skip
    ran = cli.inside("tag", "fraud/card", "a=b", "--json")
    assert [veto["hook"] for veto in ran.json["vetoes"]] == ["a", "c"]
    assert (cli.folder / "asked").exists()


def test_a_repeat_with_the_transaction_id_asks_nobody(cli: Cli) -> None:
    configure(cli.folder, command("freeze", VETO, PRE))
    line = ["tag", "fraud/card", "a=b", "--txid", "t1", "--json"]
    first = cli.inside(*line)
    configure(cli.folder, command("freeze", "touch asked", PRE))
    again = cli.inside(*line)
    assert (again.code, again.out) == (first.code, first.out) == (3, first.out)
    assert not (cli.folder / "asked").exists()


def test_no_hooks_does_not_leave_out_pre_hooks(cli: Cli) -> None:
    configure(cli.folder, command("freeze", VETO, PRE))
    assert cli.inside("tag", "fraud/card", "a=b", "--no-hooks").code == 3


def test_a_pre_hook_that_writes_is_not_asked_by_itself(cli: Cli) -> None:
    program = " ".join(cli.command("tag", "fraud/card", "inner=yes"))
    configure(cli.folder, command("loop", f"{program} || exit 3", PRE, "timeout = 30"))
    ran = cli("tag", "fraud/card", "outer=yes", "--json")
    assert ran.code == 3
    tags = cli.ok("show", "fraud/card")["tags"]
    assert tags == {}
    log = cli("log", "--json").json
    assert "tag" in str(log)


def test_a_bulk_import_can_be_vetoed(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "bulk"
    folder.mkdir()
    for table, row in {
        "entries": "'old/m' AS entry, 'model' AS kind",
        "versions": "'old/m' AS entry, 1 AS version, 's3://x/1' AS uri",
    }.items():
        duckdb.execute(f"COPY (SELECT {row}) TO '{folder / table}.parquet'")
    configure(cli.folder, command("freeze", VETO, PRE))
    ran = cli.inside("import", str(folder), "--json")
    assert ran.code == 3, ran
    assert cli.inside("show", "old/m").code == 4
    verified(cli)


def test_hooks_are_asked_while_others_write(cli: Cli) -> None:
    configure(
        cli.folder,
        command("slow", "touch started; sleep 2", PRE, 'match = { entry = "fraud/card" }'),
    )
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(cli("tag", "fraud/card", "a=b").code))
    thread.start()
    while not (cli.folder / "started").exists():
        time.sleep(0.02)
    (cli.folder / "started").unlink()
    began = time.monotonic()
    assert cli("create", "other", "--kind", "model").code == 0
    assert time.monotonic() - began < 2
    thread.join()
    assert done == [0]
    # the other commit does not touch the entry, so the answer held and was not asked for again
    assert not (cli.folder / "started").exists()


def test_what_a_hook_allowed_is_decided_again_when_others_changed_it(cli: Cli) -> None:
    other = regista.open(str(cli.folder / "registry_data"), actor="other")

    def interfere(connection: socket.socket) -> None:
        other.rollback("fraud/card", "prod")
        connection.sendall(status(200, body='{"allow": true}'))

    with receiving(interfere) as receiver:
        configure(cli.folder, webhook("w", receiver.url, PRE, on="rollback"))
        with pytest.raises(NotFoundError, match="no rollback target"):
            opened(cli).rollback("fraud/card", "prod")
    assert len(receiver.received) == 1


def test_what_comes_to_something_else_is_asked_about_again(cli: Cli) -> None:
    other = regista.open(str(cli.folder / "registry_data"), actor="other")
    (cli.folder / "m.txt").write_text("3")
    other.register("fraud/card", cli.folder / "m.txt")

    def interfere(connection: socket.socket) -> None:
        other.rollback("fraud/card", "prod")
        connection.sendall(status(200, body='{"allow": true}'))

    allow = status(200, body='{"allow": true}')
    with receiving(interfere, allow) as receiver:
        configure(cli.folder, webhook("w", receiver.url, PRE, on="promote"))
        assert opened(cli).promote("fraud/card@3", "prod").from_version == 1
    told = [item.json["data"]["decision"]["from_version"] for item in receiver.received]
    assert told == [2, 1]
    verified(cli)


def test_many_may_register_at_once_and_each_is_asked_about_once(cli: Cli) -> None:
    configure(cli.folder, command("slow", "echo >> asked; sleep 0.3", PRE, on="register"))
    for number in range(12):
        (cli.folder / f"m{number}.txt").write_text(f"content {number}")
    with ThreadPoolExecutor(12) as pool:
        ran = list(
            pool.map(lambda n: cli("register", "fraud/card", f"m{n}.txt", "--json"), range(12))
        )
    assert {item.code for item in ran} == {0}
    assert sorted(item.json["version"] for item in ran) == list(range(3, 15))
    assert len((cli.folder / "asked").read_text().splitlines()) == 12
    verified(cli)


def opened(cli: Cli) -> Registry:
    """Open the registry from the folder with the configuration."""
    before = Path.cwd()
    os.chdir(cli.folder)
    try:
        return regista.open("registry_data", actor="tester")
    finally:
        os.chdir(before)


def test_the_python_api_asks_and_tells(cli: Cli) -> None:
    configure(
        cli.folder, command("freeze", VETO, PRE, on="promote"), command("all", "cat >> told"),
    )  # fmt: skip
    registry = opened(cli)
    decided = registry.promote("fraud/card@1", "prod", again=True, reason="x")
    assert (decided.refused, decided.vetoes[0]["hook"]) == (True, "freeze")
    assert registry.tag("fraud/card", {"a": "b"}).vetoes == []
    assert (cli.folder / "told").read_text().count('"type"') == 2
    assert [state.id for state in registry.hooks.states()] == ["freeze", "all"]
    assert registry.hooks.run() == registry.hooks.run(["all"])
    with pytest.raises(InvalidInputError, match="not from 0 to"):
        registry.hooks.run(retry_s=-1)


def test_a_transaction_is_vetoed_as_a_whole(cli: Cli) -> None:
    configure(cli.folder, command("freeze", VETO, PRE, on="tag"))
    registry = opened(cli)
    (cli.folder / "m.txt").write_text("3")
    with registry.transaction() as tx:
        version = tx.register("fraud/card", cli.folder / "m.txt").version
        tx.tag(f"fraud/card@{version}", {"a": "b"})
        tx.alias(f"fraud/card@{version}", "champion")
    assert [result.applied for result in tx.results] == [False] * 3
    assert [bool(result.vetoes) for result in tx.results] == [False, True, False]
    assert registry.resolve("fraud/card@latest").version == 2
    verified(cli)
