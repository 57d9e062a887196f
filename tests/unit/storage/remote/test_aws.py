import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from regista.errors import InvalidInputError, StorageError
from regista.storage.remote import aws
from regista.storage.remote.location import Location
from regista.storage.remote.store import RemoteStore

CONFIG = """
[default]
region = eu-central-1

[profile work]
region = eu-north-1
endpoint_url = https://s3.example.org
s3 =
  max_concurrent_requests = 10

[profile by-process]
credential_process = {process}

[profile signed-on]
sso_session = company
"""
CREDENTIALS = """
[default]
aws_access_key_id = default-id
aws_secret_access_key = default%secret

[work]
aws_access_key_id = work-id
aws_secret_access_key = work-secret
aws_session_token = work-token
"""
Files = Callable[..., dict[str, str]]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Return a function that writes AWS's files and returns an environment that names them."""

    def write(process: str = "false", **environ: str) -> dict[str, str]:
        (tmp_path / ".aws").mkdir(exist_ok=True)
        (tmp_path / ".aws/config").write_text(CONFIG.format(process=process))
        (tmp_path / ".aws/credentials").write_text(CREDENTIALS)
        return {"HOME": str(tmp_path), **environ}

    return write


def test_a_key_that_goes_on_in_the_next_line_is_refused(files: Files, tmp_path: Path) -> None:
    environ = files()
    (tmp_path / ".aws/credentials").write_text(CREDENTIALS.replace("-id", "-id\n  more"))
    with pytest.raises(InvalidInputError, match=r"aws_access_key_id of .* 'default' has a line"):
        aws.settings(environ)


def test_the_default_profile_is_read_when_nothing_else_is_said(files: Files) -> None:
    found = aws.settings(files())
    assert found["access_key_id"] == "default-id"
    assert found["secret_access_key"] == "default%secret"
    assert found["region"] == "eu-central-1"
    assert "session_token" not in found


def test_a_profile_brings_keys_region_and_endpoint(files: Files) -> None:
    found = aws.settings(files(AWS_PROFILE="work", AWS_ACCESS_KEY_ID="ignored"))
    assert (found["access_key_id"], found["session_token"]) == ("work-id", "work-token")
    assert (found["region"], found["endpoint"]) == ("eu-north-1", "https://s3.example.org")


@pytest.mark.parametrize(
    "variable",
    ["AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_SKIP_SIGNATURE",
     "AWS_CONTAINER_CREDENTIALS_FULL_URI"],
)  # fmt: skip
def test_the_environment_counts_more_than_the_default_profile(files: Files, variable: str) -> None:
    found = aws.settings(files(**{variable: "x"}))
    assert "access_key_id" not in found


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_in_the_environment_counts_more_than_a_profile_s(
    files: Files, variable: str
) -> None:
    assert "region" not in aws.settings(files(**{variable: "us-west-2"}))


def test_a_profile_that_does_not_exist_is_refused(files: Files) -> None:
    with pytest.raises(InvalidInputError, match="no profile 'nobody'") as caught:
        aws.settings(files(AWS_PROFILE="nobody"))
    assert caught.value.hint == "aws configure list-profiles"


def test_without_files_there_is_nothing_to_add(tmp_path: Path) -> None:
    assert aws.settings({"HOME": str(tmp_path)}) == {"disable_bulk_delete": True}


def test_a_malformed_file_is_named(files: Files, tmp_path: Path) -> None:
    environ = files()
    (tmp_path / ".aws/config").write_text("region = nowhere\n")
    with pytest.raises(InvalidInputError, match="config"):
        aws.settings(environ)


def test_a_process_is_asked_for_credentials(files: Files, tmp_path: Path) -> None:
    answer = {"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "secret",
              "SessionToken": "token", "Expiration": "2030-01-01T00:00:00Z"}  # fmt: skip
    script = tmp_path / "give.py"
    script.write_text(f"print({json.dumps(json.dumps(answer))})")
    found = aws.settings(files(f"{sys.executable} {script}", AWS_PROFILE="by-process"))
    given = found["credential_provider"]()
    assert (given["access_key_id"], given["secret_access_key"]) == ("id", "secret")
    assert given["token"] == "token"
    assert given["expires_at"].isoformat() == "2030-01-01T00:00:00+00:00"


@pytest.mark.parametrize("process", ["false", "no-such-program", "echo not-json"])
def test_a_process_that_gives_none_is_said_to_give_none(files: Files, process: str) -> None:
    found = aws.settings(files(process, AWS_PROFILE="by-process"))
    with pytest.raises(StorageError, match="gave no AWS credentials") as caught:
        found["credential_provider"]()
    assert "not-json" not in caught.value.message


def test_a_process_that_no_shell_could_read_is_malformed(files: Files) -> None:
    with pytest.raises(InvalidInputError, match=r"'by-process'.*No closing quotation") as caught:
        aws.settings(files('tool "hidden', AWS_PROFILE="by-process"))
    assert "hidden" not in caught.value.message


def test_a_process_that_gave_none_is_named_by_whoever_asked_the_store(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = files("false", AWS_PROFILE="by-process")
    for name, value in {**environ, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)
    store = RemoteStore(Location.parse("s3", "bucket"))
    with pytest.raises(StorageError, match="'false' gave no AWS credentials") as caught:
        store.get("log/1")
    assert caught.value.hint == "run it by hand, or aws sso login"


def test_single_sign_on_is_left_to_aws_s_own_program(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "aws"
    program.write_text(
        '#!/bin/sh\ntest "$4" = signed-on || exit 9\n'
        """echo '{"AccessKeyId": "'$2'", "SecretAccessKey": "s"}'\n"""
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    found = aws.settings(files(AWS_PROFILE="signed-on"))
    given = found["credential_provider"]()
    assert given["access_key_id"] == "export-credentials"
    assert given["expires_at"] is None
