"""AWS's configuration files, which the client does not read: profiles, their keys and regions.

The order is that of AWS's own tools: a profile asked for by name, then keys in the environment,
then web identity and container roles, then the profile `default`, then the instance's role. What
needs a conversation (single sign-on, assumed roles) is left to AWS's own command line; see
https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html for the format.
"""

from collections.abc import Callable, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from datetime import datetime
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError, StorageError
from regista.model.names import shown
from regista.storage.remote.failures import ASK_BY_HAND

_IN_ENVIRONMENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
_CONVERSATION = ("sso_session", "sso_start_url", "role_arn", "source_profile", "credential_source")
_PROCESS_TIMEOUT_S = 60


def settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the client's settings that AWS's files give, and those that suit every S3.

    Raises:
        InvalidInputError: the profile that was asked for does not exist, or it or a file is
            malformed.
    """
    # one request removes one file: the bulk request is not known to every S3-compatible store
    found: dict[str, Any] = {"disable_bulk_delete": True}
    name = environ.get("AWS_PROFILE") or environ.get("AWS_DEFAULT_PROFILE") or ""
    profile = _profile(name or "default", environ)
    if name and profile is None:
        raise InvalidInputError(
            f"AWS has no profile {shown(name)}", hint="aws configure list-profiles"
        )
    profile = profile or {}
    if profile.get("endpoint_url"):
        found["endpoint"] = profile["endpoint_url"]
    if profile.get("region") and not environ.get("AWS_REGION", environ.get("AWS_DEFAULT_REGION")):
        found["region"] = profile["region"]
    if not name and any(environ.get(variable) for variable in _IN_ENVIRONMENT):
        return found
    return {**found, **_credentials(name or "default", profile)}


def _credentials(name: str, profile: Mapping[str, str]) -> dict[str, Any]:
    if profile.get("aws_access_key_id") and profile.get("aws_secret_access_key"):
        keys = {
            "access_key_id": profile["aws_access_key_id"],
            "secret_access_key": profile["aws_secret_access_key"],
        }
        if profile.get("aws_session_token"):
            keys["session_token"] = profile["aws_session_token"]
        for key, value in keys.items():
            # the client panics over it
            if not value.isprintable():
                raise InvalidInputError(
                    f"aws_{key} of AWS's profile {shown(name)} has a line break in it",
                    hint="mend the file",
                )
        return keys
    if profile.get("credential_process"):
        return {"credential_provider": _provider(_words(name, profile["credential_process"]))}
    if any(profile.get(key) for key in _CONVERSATION):
        command = ["aws", "configure", "export-credentials", "--profile", name]
        return {"credential_provider": _provider([*command, "--format", "process"])}
    return {}


def _words(name: str, command: str) -> list[str]:
    import shlex

    try:
        return shlex.split(command)
    except ValueError as error:
        # the command itself may hold a secret
        raise InvalidInputError(
            f"credential_process of AWS's profile {shown(name)} is malformed: {error}",
            hint="mend the file",
        ) from error


def _profile(name: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return what both files say of a profile; None where neither knows it."""
    home = Path(environ.get("HOME") or "~").expanduser()
    config = Path(environ.get("AWS_CONFIG_FILE") or home / ".aws" / "config")
    credentials = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / ".aws" / "credentials")
    section = name if name == "default" else f"profile {name}"
    parts = [_section(config, section), _section(credentials, name)]
    known = [part for part in parts if part is not None]
    return {key: value for part in known for key, value in part.items()} if known else None


def _section(path: Path, section: str) -> dict[str, str] | None:
    # AWS has no section whose values are those of all others
    parser = ConfigParser(interpolation=None, default_section="\0", strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (ConfigError, UnicodeDecodeError) as error:
        first = str(error).splitlines()[0]
        raise InvalidInputError(
            f"cannot read AWS's {shown(str(path), 200)}: {shown(first, 200)}", hint="mend the file"
        ) from error
    return dict(parser[section]) if parser.has_section(section) else None


def _provider(command: list[str]) -> Callable[[], dict[str, Any]]:
    """Return what the client calls for credentials, and again before they expire."""

    def ask() -> dict[str, Any]:
        import json
        import subprocess

        try:
            done = subprocess.run(
                command, capture_output=True, check=True, timeout=_PROCESS_TIMEOUT_S
            )
            answer = json.loads(done.stdout)
            expiration = answer.get("Expiration")
            return {
                "access_key_id": answer["AccessKeyId"],
                "secret_access_key": answer["SecretAccessKey"],
                "token": answer.get("SessionToken"),
                "expires_at": datetime.fromisoformat(expiration) if expiration else None,
            }
        except (OSError, subprocess.SubprocessError, ValueError, KeyError, TypeError) as error:
            # its output may hold a secret
            raise StorageError(
                f"{shown(command[0])} gave no AWS credentials ({type(error).__name__})",
                hint=ASK_BY_HAND,
            ) from error

    return ask
