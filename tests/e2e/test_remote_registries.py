"""The whole job with a registry in an object store, through the real command line.

What it prints must be what it prints for a local folder, but for what differs from run to run.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import emulators
from support.cli import Cli, Ran

VOLATILE = {"commit", "id", "uri", "registry", "head", "anchor", "duration_s", "out"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")


def scrubbed(value: Any) -> Any:
    """Return a JSON value without what differs from run to run."""
    match value:
        case dict():
            return {k: scrubbed(v) for k, v in value.items() if k not in VOLATILE}
        case list():
            return [scrubbed(item) for item in value]
        case str():
            return TIME.sub("TIME", value)
    return value


def folder_cli(folder: Path) -> Cli:
    folder.mkdir()
    return Cli(folder)


def remote_cli(folder: Path, server: emulators.Emulator) -> Cli:
    folder.mkdir()
    place = {"REGISTA_REGISTRY": server.new_uri(), "REGISTA_CACHE_DIR": str(folder / "cache")}
    return Cli(folder, {**server.environ, **place})


def artifact(folder: Path, name: str, text: str) -> str:
    (folder / name / "deep").mkdir(parents=True)
    (folder / name / "model.txt").write_text(text)
    (folder / name / "deep" / "config.json").write_text('{"depth": 3}')
    return name


def whole_job(cli: Cli, run: Callable[..., Ran]) -> dict[str, Any]:
    """Do everything once; return what each command printed.

    Args:
        cli: whose folder.
        run: runs a command line of it.
    """

    def ok(*line: str, code: int = 0) -> Any:
        ran = run(*line, "--json")
        assert ran.code == code, ran
        return ran.json

    for number in (1, 2):
        artifact(cli.folder, f"model-{number}", f"weights {number}" * 1000)
    samples = [{"sample_id": f"s{k}", "metric": "correct", "value": k % 2} for k in range(40)]
    (cli.folder / "samples.jsonl").write_text("\n".join(map(json.dumps, samples)))
    told: dict[str, Any] = {
        "init": ok("init"),
        "again": ok("init"),
        "register": ok("register", "fraud/card", "model-1", "--tag", "owner=risk"),
        "twin": ok("register", "fraud/card", "model-1"),
        "refused": ok("promote", "fraud/card@1", "--to", "staging", code=3),
        "eval": ok(
            "eval", "log", "fraud/card@1", "--suite", "holdout", "--metric", "auc=0.90",
            "--samples", "samples.jsonl",
        ),
        "staging": ok("promote", "fraud/card@1", "--to", "staging"),
        "prod": ok("promote", "fraud/card@1", "--to", "prod"),
        "second": ok("register", "fraud/card", "model-2", "--txid", "once"),
        "repeated": ok("register", "fraud/card", "model-2", "--txid", "once"),
    }  # fmt: skip
    ok("eval", "log", "fraud/card@2", "--suite", "holdout", "--metric", "auc=0.95")
    ok("promote", "fraud/card@2", "--to", "staging")
    told |= {
        "better": ok("promote", "fraud/card@2", "--to", "prod"),
        "drill": ok("drill", "fraud/card", "--stage", "prod"),
        "rollback": ok("rollback", "fraud/card", "--stage", "prod"),
        "resolve": ok("resolve", "fraud/card@prod"),
        "show": ok("show", "fraud/card"),
        "history": ok("history", "fraud/card"),
        "get": ok("get", "fraud/card@prod", "out"),
        "verify": ok("verify", "--deep"),
        "compact": ok("compact"),
        "verify after": ok("verify"),
        "rebuild": ok("rebuild"),
        "gc": ok("gc"),
        "nobody": run("resolve", "nobody@prod").code,
        "stages": run(
            "sql",
            "SELECT entry, version, stage, reason FROM current_stages ORDER BY ALL",
            "--format",
            "csv",
        ).out,
        "samples": run("sql", "SELECT sum(value), count(*) FROM eval_samples").out,
        # pages name the registry, which has not the same length everywhere
        "site": {**ok("site", "build", "--out", "site"), "bytes": 0},
    }
    told["files"] = {
        str(path.relative_to(cli.folder)): path.read_text()
        for path in sorted((cli.folder / "out").rglob("*"))
        if path.is_file()
    }
    told["pages"] = sorted(
        str(path.relative_to(cli.folder)) for path in (cli.folder / "site").rglob("*.html")
    )
    told["doctor"] = {found["check"]: found["ok"] for found in ok("doctor")["findings"]}
    return told


def test_a_registry_on_s3_does_what_one_in_a_folder_does(tmp_path: Path) -> None:
    here, there = folder_cli(tmp_path / "local"), remote_cli(tmp_path / "remote", emulators.s3())
    # what processes print for a folder, other tests look at
    local = scrubbed(whole_job(here, here.inside))
    remote = scrubbed(whole_job(there, there))
    for step, said in local.items():
        assert remote[step] == said, step
    assert remote["verify"]["ok"]
    assert remote["files"] == {
        "out/model.txt": "weights 1" * 1000, "out/deep/config.json": '{"depth": 3}',
    }  # fmt: skip


@pytest.mark.parametrize("server", [emulators.gcs, emulators.azure], ids=["gcs", "azure"])
def test_a_registry_lives_in_the_other_clouds_too(
    tmp_path: Path, server: Callable[[], emulators.Emulator]
) -> None:
    cli = remote_cli(tmp_path / "remote", server())
    artifact(cli.folder, "model", "weights")
    for line in (
        ["init"], ["register", "m", "model"], ["get", "m@1", "out"], ["verify", "--deep"],
        ["sql", "FROM versions"], ["compact"], ["verify"], ["doctor"],
    ):  # fmt: skip
        ran = cli.inside(*line)
        assert ran.code == 0, ran
    assert cli.inside("resolve", "m@dev").out == "1\n"
    assert (cli.folder / "out/model.txt").read_text() == "weights"


def test_init_refuses_a_store_that_ignores_conditions_and_leaves_nothing(tmp_path: Path) -> None:
    cli = remote_cli(tmp_path / "remote", emulators.careless_s3())
    ran = cli("init", "--json")
    assert ran.code == 7
    assert "cannot create a file exactly once" in ran.error["message"]
    assert cli("resolve", "m@prod").code == 4


def test_a_bucket_that_does_not_exist_is_exit_7_and_names_the_command(tmp_path: Path) -> None:
    cli = remote_cli(tmp_path / "remote", emulators.s3())
    for line in (["init"], ["resolve", "m@prod"]):
        ran = cli(*line, "--registry", "s3://no-such-bucket/models", "--json")
        assert ran.code == 7
        assert ran.error["hint"] == "aws s3 mb s3://no-such-bucket"
