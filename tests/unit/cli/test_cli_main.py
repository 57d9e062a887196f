import json
from pathlib import Path

import pytest

from regista.cli import options
from regista.cli.main import run
from regista.registry.core import Registry
from regista.storage.creating import Creation
from regista.storage.log import Log

LINE = ["create", "m", "--kind", "model", "--actor", "tester"]
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REGISTA_DEBUG", raising=False)
    assert run(["init", "--actor", "tester"]) == 0
    capsys.readouterr()
    return tmp_path


def appending(monkeypatch: pytest.MonkeyPatch, outcome: Creation) -> None:
    def append(_log: Log, _data: bytes, _seq: int) -> Creation:
        return outcome

    monkeypatch.setattr(Log, "append", append)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def create(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(Registry, "create", create)


@pytest.mark.usefixtures("folder")
class TestEndings:
    def test_losing_every_race_until_the_timeout_is_a_conflict(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        appending(monkeypatch, Creation.LOST)
        assert run([*LINE, "--timeout", "0"]) == 5
        assert "--timeout" in capsys.readouterr().err

    def test_an_unknown_outcome_is_told_with_the_txid(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        appending(monkeypatch, Creation.UNKNOWN)
        assert run([*LINE, "--txid", "t-1", "--json"]) == 5
        error = json.loads(capsys.readouterr().err)["error"]
        assert (error["code"], error["txid"]) == ("outcome_unknown", "t-1")

    def test_a_bug_is_one_line_and_exit_1(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        failing(monkeypatch, TypeError("a\nb"))
        assert run(LINE) == 1
        err = capsys.readouterr().err
        assert err.startswith("internal error: TypeError: a b (this is a bug")
        assert err.count("\n") == 1

    def test_a_bug_is_json_on_request(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        failing(monkeypatch, KeyError("x"))
        assert run([*LINE, "--json"]) == 1
        assert json.loads(capsys.readouterr().err)["error"]["code"] == "internal"

    def test_the_traceback_of_a_bug_is_shown_on_request(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing(monkeypatch, TypeError("boom"))
        monkeypatch.setenv("REGISTA_DEBUG", "1")
        with pytest.raises(TypeError, match="boom"):
            run(LINE)

    def test_ctrl_c_ends_quietly(self, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
        failing(monkeypatch, KeyboardInterrupt())
        assert run(LINE) == 130
        assert capsys.readouterr() == ("", "")

    def test_an_error_of_the_system_is_a_storage_error(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        failing(monkeypatch, OSError(28, "No space left on device"))
        assert run(LINE) == 7
        assert "No space left on device" in capsys.readouterr().err

    def test_what_went_wrong_after_a_commit_is_a_warning(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        def open_with_warning(call: options.Call) -> Registry:
            registry = opened(call)
            registry.writer.warnings.append("commit 2 stands, but\nits tables were not written")
            return registry

        opened = options.Call.open
        monkeypatch.setattr(options.Call, "open", open_with_warning)
        assert run(LINE) == 0
        err = capsys.readouterr().err
        assert err == "warning: commit 2 stands, but its tables were not written\n"

    def test_an_ungated_promotion_is_warned_about(self, folder: Path, capsys: Captured) -> None:
        (folder / "open.yaml").write_text("format: 1\nstages: [dev, prod]\nrules: []\n")
        (folder / "m.txt").write_text("m")
        for line in (["policy", "apply", "open.yaml"], ["register", "m", "m.txt"]):
            assert run([*line, "--actor", "tester"]) == 0
        capsys.readouterr()
        assert run(["promote", "m@1", "--to", "prod", "--actor", "tester"]) == 0
        assert "without any gate (ungated)" in capsys.readouterr().err

    def test_what_a_repeated_registration_ignores_is_warned_about(
        self, folder: Path, capsys: Captured
    ) -> None:
        (folder / "m.txt").write_text("m")
        assert run(["register", "m", "m.txt", "--actor", "tester"]) == 0
        capsys.readouterr()
        assert run(["register", "m", "m.txt", "--tag", "a=b", "--actor", "tester"]) == 0
        assert "ignored: tags" in capsys.readouterr().err


def test_without_a_command_help_is_shown_and_it_is_a_usage_error(capsys: Captured) -> None:
    assert run([]) == 2
    assert "Register and evaluate:" in capsys.readouterr().err


def test_help_and_version_exit_0(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    assert "promote" in capsys.readouterr().out
    assert run(["promote", "-h"]) == 0
    assert "Options of every command:" in capsys.readouterr().out
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("regista ")


@pytest.mark.parametrize("group", ["eval", "policy"])
def test_a_group_alone_is_a_usage_error_with_help(group: str, capsys: Captured) -> None:
    assert run([group]) == 2
    assert f"regista {group}" in capsys.readouterr().err


def test_json_after_two_dashes_is_an_argument(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["resolve", "--", "--json"]) == 4
    assert capsys.readouterr().err.startswith("error: ")
