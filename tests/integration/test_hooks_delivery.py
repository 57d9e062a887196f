"""Post-hooks through the command line, with receivers as bad as they come."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from support.cli import Cli
from support.hooking import (
    OK,
    OLD_SECRET,
    SECRET,
    command,
    configure,
    create,
    dribble,
    flood,
    hang,
    receiving,
    states,
    status,
    webhook,
)

CLOSED = "http://127.0.0.1:9/"


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    cli = Cli(tmp_path, {"HOOK_SECRET": SECRET, "HOOK_OLD": OLD_SECRET})
    assert cli.inside("init").code == 0
    return cli


def test_a_write_is_told_at_once_and_signed(cli: Cli) -> None:
    with receiving() as receiver:
        configure(
            cli.folder,
            webhook("w", receiver.url, 'secret_env = ["HOOK_SECRET", "HOOK_OLD"]'),
        )
        assert create(cli, "fraud/card") == ""
    (got,) = receiver.received
    assert got.head.startswith("POST /hook?token=in-the-url HTTP/1.1\r\n")
    assert got.headers["content-type"] == "application/json"
    assert got.signed_by(SECRET)
    assert got.signed_by(OLD_SECRET)
    assert not got.signed_by("whsec_" + "A" * 32)
    assert abs(int(got.headers["webhook-timestamp"]) - time.time()) < 60
    assert (got.json["type"], got.json["data"]["seq"]) == ("create.applied", 2)


def test_what_was_before_a_hook_is_not_told_unless_asked_for(cli: Cli) -> None:
    create(cli, "a")
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        create(cli, "b")
        assert receiver.seqs == [3]
        assert cli.inside("hooks", "run", "w", "--from", "1").code == 0
        # the commit that made the registry is no event
        assert receiver.seqs == [3, 2, 3]
    ids = [item.headers["webhook-id"] for item in receiver.received]
    assert ids[0] == ids[2] != ids[1]


def test_no_hooks_leaves_it_to_the_next_run(cli: Cli) -> None:
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        create(cli, "a", "--no-hooks")
        create(cli, "b", "--no-hooks")
        assert receiver.received == []
        assert states(cli)["w"]["backlog"] == 2
        assert cli.inside("hooks", "run").code == 0
        assert cli.inside("hooks", "run").code == 0
    assert receiver.seqs == [2, 3]
    assert states(cli)["w"]["backlog"] == 0


def test_the_doctor_tells_what_waits_and_what_fails(cli: Cli) -> None:
    def finding() -> Any:
        ran = cli.inside("doctor", "--json")
        (found,) = (one for one in ran.json["findings"] if one["check"] == "hooks")
        assert ran.code == (0 if found["ok"] else 6)
        return found

    assert finding()["detail"] == "0 events waiting for 0 post-hooks"
    configure(cli.folder, webhook("w", CLOSED))
    create(cli, "a", "--no-hooks")
    waiting = finding()
    assert waiting["detail"] == "1 event waiting for 1 post-hook"
    create(cli, "b")
    failing = finding()
    assert failing["detail"].startswith("w fails since ")
    assert failing["detail"].endswith("; 2 events waiting for it")
    assert waiting["fix"] == failing["fix"] == "regista hooks run"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (status(500, body="boom"), "status 500"),
        (status(404), "status 404"),
        (status(410), "wants no more"),
        (status(302, "Location: https://example.org/"), "redirects are not followed"),
        (b"", "closed the connection"),
        (b"HTTP/1.1 2", "not HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, "not HTTP"),
        (hang(30), "did not answer within 1 s"),
        (dribble, "did not answer within 1 s"),
    ],
    ids=range(11),
)
def test_a_bad_receiver_is_a_warning_and_is_told_again(cli: Cli, answer: bytes, said: str) -> None:
    with receiving(answer, OK) as receiver:
        configure(cli.folder, webhook("w", receiver.url, "timeout = 1"))
        started = time.monotonic()
        err = create(cli, "a")
        assert time.monotonic() - started < 5
        assert said in err
        assert "1 waiting" in err
        assert "in-the-url" not in err
        state = states(cli)["w"]
        assert (state["backlog"], state["delivered"], state["seq"]) == (1, 0, 2)
        assert cli.inside("hooks", "run").code == 0
    assert receiver.seqs == [2, 2]
    state = states(cli)["w"]
    assert (state["backlog"], state["delivered"], state["failing"]) == (0, 1, None)


def test_a_body_without_end_is_read_to_a_limit(cli: Cli) -> None:
    with receiving(flood) as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        assert create(cli, "a") == ""
    assert states(cli)["w"]["delivered"] == 1


def test_a_run_tries_again_within_its_patience(cli: Cli) -> None:
    with receiving(status(503), status(429, "Retry-After: 0"), OK) as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        create(cli, "a", "--no-hooks")
        ran = cli.inside("hooks", "run", "--json")
        assert ran.code == 0, ran
    assert receiver.seqs == [2, 2, 2]
    assert len({item.headers["webhook-id"] for item in receiver.received}) == 1


def test_a_receiver_that_asks_for_a_long_pause_gets_it(cli: Cli) -> None:
    with receiving(status(429, "Retry-After: 3600"), OK) as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        create(cli, "a", "--no-hooks")
        started = time.monotonic()
        ran = cli.inside("hooks", "run", "--json")
        assert time.monotonic() - started < 5
        assert ran.code == 7
        (report,) = ran.json
        assert (report["status"], report["backlog"]) == ("failing", 1)
        # a write does not try before the pause is over, and says so; a person may
        assert "hook w fails since" in create(cli, "b")
        assert receiver.seqs == [2]
        assert cli.inside("hooks", "run").code == 0
    assert receiver.seqs == [2, 2, 3]


def test_one_dead_receiver_holds_up_no_other(cli: Cli) -> None:
    with receiving() as receiver:
        configure(
            cli.folder, webhook("dead", CLOSED), webhook("live", receiver.url),
            command("file", "cat >> told"),
        )  # fmt: skip
        err = create(cli, "a")
        create(cli, "b")
    assert err.count("warning:") == 1
    assert "hook dead: http://127.0.0.1:9" in err
    assert receiver.seqs == [2, 3]
    assert (cli.folder / "told").read_text().count("create.applied") == 2
    found = states(cli)
    assert {name: state["backlog"] for name, state in found.items()} == {
        "dead": 2, "live": 0, "file": 0,
    }  # fmt: skip


def test_order_is_kept_and_only_a_person_passes_over_an_event(cli: Cli) -> None:
    with receiving(status(400), status(400), OK) as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        create(cli, "a", "--no-hooks")
        create(cli, "b", "--no-hooks")
        assert cli.inside("hooks", "run", "--retry-for", "0").code == 7
        assert cli.inside("hooks", "run", "--retry-for", "0").code == 7
        assert receiver.seqs == [2, 2]
        skipped = cli.inside("hooks", "skip", "w", "--json")
        assert skipped.code == 0, skipped
        assert cli.inside("hooks", "run").code == 0
    assert receiver.seqs == [2, 2, 3]
    state = states(cli)["w"]
    (skip,) = state["skipped"]
    assert (skip["from"], skip["to"], skip["actor"]) == ([2, 0], [3, 0], "tester")
    assert "skipped by tester" in cli.inside("hooks", "list").out
    nothing = cli.inside("hooks", "skip", "w")
    assert (nothing.code, "nothing waits" in nothing.err) == (2, True)


def test_a_private_address_is_refused_unless_allowed(cli: Cli) -> None:
    with receiving() as receiver:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            url = f"http://{host}:{receiver.port}/"
            table = webhook("w", url).replace("allow_private = true\n", "")
            configure(cli.folder, table)
            ran = cli.inside("hooks", "test", "w", "--json")
            assert ran.code == 7, ran
            assert "which is not a public address" in ran.json["error"]
    assert receiver.received == []


def test_secrets_are_in_no_output_no_file_and_no_command(cli: Cli) -> None:
    with receiving(status(500, body="no")) as receiver:
        configure(
            cli.folder, webhook("w", receiver.url),
            command("env", "env > environment; cat > /dev/null"),
        )  # fmt: skip
        runs = [
            cli("create", "a", "--kind", "model"),
            cli("hooks", "run", "--retry-for", "0", "--json"),
            cli("hooks", "test", "w", "--json"), cli("hooks", "list", "--json"),
        ]  # fmt: skip
    seen = "".join(ran.out + ran.err for ran in runs)
    files = [path for path in cli.folder.rglob("*") if path.is_file()]
    seen += "".join(path.read_bytes().decode("latin-1") for path in files)
    assert "REGISTA_HOOK=env" in seen
    assert SECRET not in seen
    assert SECRET.removeprefix("whsec_") not in seen
    told = "".join(ran.out + ran.err for ran in runs)
    assert "in-the-url" not in told


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"HOOK_SECRET": ""}, "HOOK_SECRET of hook w is not set"),
        ({"HOOK_SECRET": "whsec_c2hvcnQ="}, "has 5 bytes"),
        ({"HOOK_SECRET": "hunter2"}, "holds no secret of a webhook"),
    ],
)
def test_a_wrong_secret_sends_nothing(cli: Cli, environ: dict[str, str], said: str) -> None:
    cli.environ |= environ
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        err = create(cli, "a")
    assert said in err
    assert "hunter2" not in err
    assert receiver.received == []


def test_a_url_may_come_from_the_environment(cli: Cli) -> None:
    with receiving() as receiver:
        table = webhook("w", receiver.url).replace(f'url = "{receiver.url}"', 'url_env = "URL"')
        configure(cli.folder, table)
        assert "the variable URL of hook w is not set" in create(cli, "a")
        assert states(cli)["w"]["target"] == "$URL"
        cli.environ["URL"] = receiver.url
        assert states(cli)["w"]["target"] == f"http://127.0.0.1:{receiver.port}"
        assert cli.inside("hooks", "run").code == 0
    assert receiver.seqs == [2]


def test_a_test_sends_and_moves_nothing(cli: Cli) -> None:
    with receiving() as receiver:
        configure(cli.folder, webhook("w", receiver.url, on="create"))
        create(cli, "a", "--no-hooks")
        before = states(cli)
        sample = cli.inside("hooks", "test", "w", "--json")
        past = cli.inside("hooks", "test", "w", "--seq", "2", "--json")
        assert states(cli) == before
        assert (sample.code, past.code) == (0, 0)
        assert cli.inside("hooks", "test", "w", "--seq", "1").code == 2
        assert cli.inside("hooks", "test", "w", "--seq", "9").code == 4
        assert cli.inside("hooks", "test", "x").code == 4
    assert (sample.json["type"], past.json["type"]) == ("promote.applied", "create.applied")
    assert past.json["body"] == receiver.received[1].body.decode()
    assert past.json["status"] == 200


def test_a_command_that_fails_hangs_or_is_missing(cli: Cli) -> None:
    configure(
        cli.folder,
        command("fails", "echo to-nobody; exit 9"),
        command("hangs", "sleep 60 & sleep 60", "timeout = 1"),
        command("leaves", "(sleep 60; echo) & exit 0", "timeout = 5"),
        command("dies", "kill -9 $$"),
        command("talks", "yes | head -c 3000000; cat > /dev/null"),
        "[[hooks]]\nid = 'missing'\non = '*'\ncommand = ['./not-here']\n",
    )
    started = time.monotonic()
    err = create(cli, "a")
    assert time.monotonic() - started < 10
    for line in (
        "fails: the command exited with 9", "hangs: the command took longer than 1 s",
        "dies: the command was killed by signal 9", "missing: the command cannot be started",
    ):  # fmt: skip
        assert line in err
    assert "to-nobody" not in err
    assert {name: state["delivered"] for name, state in states(cli).items()} == {
        "fails": 0, "hangs": 0, "leaves": 1, "dies": 0, "talks": 1, "missing": 0,
    }  # fmt: skip


def test_a_hook_may_write_and_does_not_run_in_itself(cli: Cli) -> None:
    program = json.dumps([*cli.command("tag", "a", "told=yes")])
    configure(
        cli.folder, f"[[hooks]]\nid = 'tags'\non = 'create'\ncommand = {program}\n",
        command("all", "cat >> told"),
    )  # fmt: skip
    ran = cli("create", "a", "--kind", "model")
    assert (ran.code, ran.err) == (0, "")
    assert cli("hooks", "run").code == 0
    told = (cli.folder / "told").read_text()
    assert (told.count("create.applied"), told.count("tag.applied")) == (1, 1)


def test_one_commit_of_many_operations_is_many_events(cli: Cli) -> None:
    operations = [{"op": "create", "name": f"m{number}"} for number in range(3)]
    (cli.folder / "ops.json").write_text(json.dumps(operations))
    with receiving(OK, status(500), OK) as receiver:
        configure(cli.folder, webhook("w", receiver.url))
        assert "1 waiting" not in cli.inside("apply", "ops.json").err
        assert states(cli)["w"]["backlog"] == 2
        assert cli.inside("hooks", "run").code == 0
    assert [item.json["data"]["index"] for item in receiver.received] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("config", "hooked"),
    [
        ("", True),
        ('registry = "registry_data"\n', True),
        ('registry = "./x/../registry_data"\n', True),
        ('registry = "another"\n', False),
        ('registry = "memory://another"\n', False),
    ],
)
def test_hooks_are_for_the_registry_that_the_file_names(
    cli: Cli, config: str, *, hooked: bool
) -> None:
    (cli.folder / "x").mkdir()
    configure(cli.folder, config, command("file", "cat > told"))
    registry = str(cli.folder / "registry_data")
    assert cli.inside("--registry", registry, "create", "a", "--kind", "model").code == 0
    assert (cli.folder / "told").exists() is hooked


def test_a_place_where_no_cursor_can_be_kept_stops_no_write(cli: Cli) -> None:
    configure(cli.folder, command("file", "cat >> told"))
    (cli.folder / "registry_data/hooks").write_text("in the way")
    err = create(cli, "a")
    assert "warning: the cursors of hooks cannot be kept" in err
    ran = cli.inside("hooks", "run")
    assert ran.code == 7
    assert "Not a directory" in ran.out
    (cli.folder / "registry_data/hooks").unlink()
    assert create(cli, "b") == ""
    assert (cli.folder / "told").read_text().count("create.applied") == 1


def test_a_malformed_configuration_stops_a_write_and_says_where(cli: Cli) -> None:
    configure(cli.folder, command("x", "true", 'on_error = "allow"'))
    ran = cli.inside("create", "a", "--kind", "model", "--json")
    assert ran.code == 2
    assert "regista.toml': hook 1 (x): on_error is for pre-hooks alone" in ran.error["message"]
    assert cli.inside("show", "a").code == 4
    assert cli.inside("hooks", "run").code == 2
