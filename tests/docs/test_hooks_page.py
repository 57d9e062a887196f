"""The page about hooks: its programs work, and its lists are those of the code."""

import json
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from regista.hooks.config import hooks_of
from regista.hooks.events import OPERATIONS
from regista.hooks.payload import body_of
from support.cli import Cli
from support.hooking import EVENT, OLD_SECRET, SECRET, configure, receiving, webhook

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "hooks.md").read_text("utf-8")


def example(language: str, first_line: str = "") -> str:
    """Return the code of the page that begins with a line."""
    blocks = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(first_line)]
    return str(found)


def verified(*arguments: Any) -> bool:
    names: dict[str, Any] = {}
    exec(example("python", "# receiver.py"), names)  # noqa: S102 - it is our own page
    return bool(names["verified"](*arguments))


def test_the_receiver_believes_what_is_signed_and_nothing_else(tmp_path: Path) -> None:
    cli = Cli(tmp_path, {"HOOK_SECRET": SECRET, "OLD": OLD_SECRET})
    cli.inside("init")
    with receiving() as receiver:
        configure(tmp_path, webhook("w", receiver.url, 'secret_env = ["HOOK_SECRET", "OLD"]'))
        assert cli.inside("create", "a", "--kind", "model").code == 0
    (got,) = receiver.received
    assert verified(got.headers, got.body, SECRET)
    assert verified(got.headers, got.body, OLD_SECRET)
    assert not verified(got.headers, got.body + b" ", SECRET)
    assert not verified(got.headers, got.body, "whsec_" + "A" * 32)
    assert not verified({}, got.body, SECRET)
    for name, value in (
        ("webhook-id", "msg_other"), ("webhook-timestamp", str(int(time.time()) + 1)),
        ("webhook-timestamp", "soon"), ("webhook-signature", "v1,"),
    ):  # fmt: skip
        assert not verified({**got.headers, name: value}, got.body, SECRET)
    assert not verified(got.headers, got.body, SECRET, -1)


@pytest.mark.parametrize(
    ("actor", "weekday", "code"), [("ann", 4, 3), ("release-bot", 4, 0), ("ann", 3, 0)]
)
def test_the_freeze_stops_fridays(tmp_path: Path, actor: str, weekday: int, code: int) -> None:
    program = example("python", "# ops/freeze.py")
    fixed = program.replace("datetime.date.today().weekday()", str(weekday))
    assert fixed != program
    (tmp_path / "freeze.py").write_text(fixed)
    done = subprocess.run(
        [sys.executable, tmp_path / "freeze.py"],
        input=body_of(replace(EVENT, outcome="requested", actor=actor), emails=False),
        check=False,
        capture_output=True,
    )
    assert (done.returncode, bool(done.stdout)) == (code, code == 3)


def test_the_example_configuration_is_one() -> None:
    import tomllib

    hooks = hooks_of(tomllib.loads(example("toml")), Path("regista.toml"))
    assert [hook.id for hook in hooks] == ["freeze", "deploy"]


def test_the_example_body_is_what_the_schema_says() -> None:
    schema = json.loads((DOCS / "hooks.schema.json").read_text("utf-8"))
    jsonschema.validate(json.loads(example("json")), schema, jsonschema.Draft202012Validator)


def test_all_settings_and_operations_are_listed() -> None:
    settings = PAGE.partition("## Settings")[2].partition("## What")[0]
    rows = re.findall(r"^\| `(\w+)` \|", settings, re.MULTILINE)
    known = "command id match on when url url_env secret_env timeout on_error allow_http"
    assert sorted(rows) == sorted([*known.split(), "allow_private", "emails"])
    listed = settings.rpartition("Operations are")[2].partition("What is malformed")[0]
    assert set(re.findall(r"`(\w+)`", listed)) == set(OPERATIONS)
