"""`[[hooks]]` of regista.toml: what it takes, and that every malformed value is named."""

import tomllib
from pathlib import Path

import pytest

from regista.decide.prehooks import OnError
from regista.errors import InvalidInputError
from regista.hooks.config import hooks_of
from regista.hooks.hook import Hook, Match, When

PATH = Path("project/regista.toml")
HOOK = 'id = "a"\non = "*"\n'
COMMAND = 'command = ["notify"]\n'
WEB = 'url = "https://example.org/"\nsecret_env = "S"\n'


def read(text: str) -> tuple[Hook, ...]:
    return hooks_of(tomllib.loads(text), PATH)


def one(text: str) -> Hook:
    (hook,) = read(f"[[hooks]]\n{text}")
    return hook


def test_a_configuration_without_hooks_has_none() -> None:
    assert read('registry = "data"') == ()
    assert read("hooks = []") == ()


def test_a_command_is_a_post_hook_unless_said() -> None:
    hook = one(HOOK + COMMAND)
    assert hook == Hook(
        "a", ("*",), When.POST, Match(), PATH.parent.absolute(), command=("notify",)
    )


def test_everything_that_a_pre_hook_may_say() -> None:
    hook = one(
        'id = "freeze-2"\nwhen = "pre"\non = ["promote", "policy_apply"]\ntimeout = 2.5\n'
        'match = { kind = "model", entry = ["fraud/*", "risk"], stage = "prod" }\n'
        'command = ["python3", "-c", "x y"]\non_error = "allow"\nemails = true\n'
    )
    assert (hook.when, hook.on, hook.timeout_s) == (When.PRE, ("promote", "policy_apply"), 2.5)
    assert hook.match == Match(("model",), ("fraud/*", "risk"), ("prod",))
    assert hook.command == ("python3", "-c", "x y")
    assert (hook.on_error, hook.emails) == (OnError.ALLOW, True)


def test_everything_that_a_webhook_may_say() -> None:
    hook = one(
        'id = "w"\non = ["promote.refused", "failed"]\nurl = "http://10.0.0.7:8080/x"\n'
        'secret_env = ["NEW", "OLD"]\nallow_http = true\nallow_private = true\n'
    )
    assert (hook.url, hook.secret_env) == ("http://10.0.0.7:8080/x", ("NEW", "OLD"))
    assert (hook.allow_http, hook.allow_private) == (True, True)
    assert one('id = "w"\non = "*"\nurl_env = "URL"\nsecret_env = "S"').url_env == "URL"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('on = "*"\n' + COMMAND, "id is missing"),
        ('id = ""\non = "*"\n' + COMMAND, "id is"),
        ('id = "A"\non = "*"\n' + COMMAND, "id is"),
        ('id = "../x"\non = "*"\n' + COMMAND, "id is"),
        ("id = 3\n" + COMMAND, "id is"),
        ('id = "a"\n' + COMMAND, "on is missing"),
        ('id = "a"\non = []\n' + COMMAND, "on is empty"),
        ('id = "a"\non = [3]\n' + COMMAND, "on is not a text"),
        ('id = "a"\non = "promoted"\n' + COMMAND, "on has 'promoted'"),
        ('id = "a"\non = "promote.lost"\n' + COMMAND, "on has 'promote.lost'"),
        ('id = "a"\non = "policy apply"\n' + COMMAND, "on has 'policy apply'"),
        ('id = "a"\non = "init"\n' + COMMAND, "on has 'init'"),
        ('id = "a"\nwhen = "pre"\non = "refused"\n' + COMMAND, "on has 'refused'"),
        ('id = "a"\nwhen = "pre"\non = "promote.refused"\n' + COMMAND, "on has"),
        (HOOK + 'when = "later"\n' + COMMAND, "when is 'later'"),
        (HOOK + "when = 3\n" + COMMAND, "when is '3'"),
        (HOOK, "has nothing to run"),
        (HOOK + COMMAND + WEB, "has command and url"),
        (HOOK + 'command = "rm -rf /"\n', "command is not a list"),
        (HOOK + "command = []\n", "command is not a list"),
        (HOOK + 'command = ["a", 3]\n', "command is not a list"),
        (HOOK + 'command = [""]\n', "command names no program"),
        (HOOK + 'command = ["a\\u0000b"]\n', "command is not a list"),
        (HOOK + 'url = "https://example.org/"\n', "secret_env is missing"),
        (HOOK + 'url = "http://example.org/"\nsecret_env = "S"\n', "url is without TLS"),
        (HOOK + 'url = 3\nsecret_env = "S"\n', "url is not a text"),
        (HOOK + 'url = "https://u:p@h/"\nsecret_env = "S"\n', "url holds a user"),
        (HOOK + 'url_env = "a b"\nsecret_env = "S"\n', "url_env is not the name"),
        (HOOK + 'url = "https://e.org/"\nsecret_env = "whsec_c2VjcmV0"\n', "secret_env is"),
        (HOOK + 'url = "https://e.org/"\nsecret_env = "whsec_a+/="\n', "secret_env is"),
        (HOOK + COMMAND + 'secret_env = "S"\n', "secret_env is for webhooks"),
        (HOOK + COMMAND + "allow_http = true\n", "allow_http is for webhooks"),
        (HOOK + COMMAND + "allow_private = true\n", "allow_private is for webhooks"),
        (HOOK + COMMAND + 'on_error = "allow"\n', "on_error is for pre-hooks"),
        (HOOK + 'when = "pre"\non_error = "ignore"\n' + COMMAND, "on_error is 'ignore'"),
        (HOOK + "timeout = 0\n" + COMMAND, "timeout is not above 0"),
        (HOOK + "timeout = 301\n" + COMMAND, "timeout is not above 0"),
        (HOOK + "timeout = nan\n" + COMMAND, "timeout is not above 0"),
        (HOOK + "timeout = true\n" + COMMAND, "timeout is not above 0"),
        (HOOK + 'timeout = "5"\n' + COMMAND, "timeout is not above 0"),
        (HOOK + 'emails = "yes"\n' + COMMAND, "emails is neither"),
        (HOOK + 'match = "fraud/*"\n' + COMMAND, "match is not a table"),
        (HOOK + 'match = { name = "x" }\n' + COMMAND, "'match.name' is not a setting"),
        (HOOK + 'match = { kind = "modle" }\n' + COMMAND, "match.kind has 'modle'"),
        (HOOK + "match = { entry = 3 }\n" + COMMAND, "match.entry is not a text"),
        (HOOK + "retries = 3\n" + COMMAND, "'retries' is not a setting"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named_with_file_and_key(text: str, key: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        one(text)
    assert caught.value.message.startswith("'project/regista.toml': hook 1")
    assert key in caught.value.message
    # nor is a secret shown that stands where its variable's name belongs
    assert "whsec_" not in caught.value.message


@pytest.mark.parametrize("text", ["hooks = 3", "[hooks]\nid = 'a'", "hooks = [3]"])
def test_hooks_are_a_list_of_tables(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a list of tables"):
        read(text)


def test_ids_are_unique_and_the_second_is_named() -> None:
    with pytest.raises(InvalidInputError, match="id is a, which another"):
        read(f"[[hooks]]\n{HOOK}{COMMAND}[[hooks]]\n{HOOK}{COMMAND}")


def test_there_are_so_many_hooks_at_most() -> None:
    hooks = "".join(f'[[hooks]]\nid = "a{i}"\non = "*"\n{COMMAND}' for i in range(65))
    with pytest.raises(InvalidInputError, match="there are 65 hooks"):
        read(hooks)
