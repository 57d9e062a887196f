"""Facts that are found by themselves: who writes, from which code, in which CI job.

Nothing here fails a command: what cannot be found out is left out, and a strange value from the
environment is cleaned until it may be recorded. Only what a person gave on purpose
(`REGISTA_ACTOR`) is refused when it is malformed.
"""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regista.errors import InvalidInputError
from regista.model import names

ACTOR = "REGISTA_ACTOR"
GIT_TIMEOUT_S = 5.0
# a folder's own configuration may not make our look at it run a program
_GIT = ("git", "--no-optional-locks", "-c", "core.fsmonitor=false")


@dataclass(frozen=True, slots=True)
class CiSystem:
    """One CI system, by the environment variables that it sets.

    Attributes:
        name: as it is recorded.
        sign: the variable that is set in its jobs.
        actors: variables with who started the job, the best first.
        branches: variables with the branch, the best first.
        url: where the job is seen: variables joined with fixed text, as `str.format` takes it.
    """

    name: str
    sign: str
    actors: tuple[str, ...]
    branches: tuple[str, ...]
    url: str


CI_SYSTEMS = (
    CiSystem(
        "github-actions",
        "GITHUB_ACTIONS",
        ("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        ("GITHUB_HEAD_REF", "GITHUB_REF_NAME"),
        "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    ),
    CiSystem(
        "gitlab-ci",
        "GITLAB_CI",
        ("GITLAB_USER_LOGIN", "GITLAB_USER_NAME"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "CI_COMMIT_REF_NAME"),
        "{CI_JOB_URL}",
    ),
    CiSystem(
        "jenkins",
        "JENKINS_URL",
        ("BUILD_USER_ID", "BUILD_USER", "CHANGE_AUTHOR"),
        ("CHANGE_BRANCH", "BRANCH_NAME", "GIT_BRANCH"),
        "{BUILD_URL}",
    ),
    CiSystem(
        "circleci", "CIRCLECI", ("CIRCLE_USERNAME",), ("CIRCLE_BRANCH",), "{CIRCLE_BUILD_URL}"
    ),
    CiSystem(
        "azure-pipelines",
        "TF_BUILD",
        ("BUILD_REQUESTEDFOR", "BUILD_REQUESTEDFOREMAIL"),
        ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "BUILD_SOURCEBRANCHNAME"),
        "{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    ),
    CiSystem(
        "buildkite",
        "BUILDKITE",
        ("BUILDKITE_UNBLOCKER", "BUILDKITE_BUILD_CREATOR"),
        ("BUILDKITE_BRANCH",),
        "{BUILDKITE_BUILD_URL}#{BUILDKITE_JOB_ID}",
    ),
)


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """Where a version comes from.

    Attributes:
        code: commit of the git repository around the folder; '' when there is none.
        facts: git_branch, git_dirty (`true` or `false`, untracked files aside), ci, ci_job_url;
            only those that were found.
    """

    code: str
    facts: dict[str, str]


def valid_actor(text: str) -> str:
    """Validate who writes, as given on purpose: 1 to 255 characters on one line.

    Raises:
        InvalidInputError: longer, empty, or with control characters.
    """
    return names.identifier(text, "an actor")


def current_actor(environ: Mapping[str, str] | None = None) -> str:
    """Return who writes: `REGISTA_ACTOR`, the CI system's identity, git's user, the OS user.

    Args:
        environ: the environment; the process's own by default.

    Raises:
        InvalidInputError: `REGISTA_ACTOR` is malformed.
    """
    environ = os.environ if environ is None else environ
    if environ.get(ACTOR):
        try:
            return valid_actor(environ[ACTOR])
        except InvalidInputError as error:
            raise InvalidInputError(f"{ACTOR}: {error.message}", hint=f"set {ACTOR}") from error
    system = ci_system(environ)
    return (_first(environ, system.actors) if system else "") or _git_user() or _os_user()


def ci_system(environ: Mapping[str, str]) -> CiSystem | None:
    """Return the CI system that the environment belongs to, or None."""
    for system in CI_SYSTEMS:
        if environ.get(system.sign, "").lower() not in {"", "false", "0"}:
            return system
    return None


def source_facts(
    folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> SourceFacts:
    """Return where what is registered now comes from, as far as it can be found out.

    Args:
        folder: a folder in the git repository; the current one by default.
        environ: the environment; the process's own by default.
    """
    environ = os.environ if environ is None else environ
    code, facts = _git_facts(folder)
    system = ci_system(environ)
    if system:
        branch = _first(environ, system.branches)
        found = {"git_branch": branch, "ci": system.name, "ci_job_url": _url(system, environ)}
        facts |= {name: value for name, value in found.items() if value}
    return SourceFacts(code, facts)


def _url(system: CiSystem, environ: Mapping[str, str]) -> str:
    try:
        url = system.url.format_map(environ)
    except KeyError:
        return ""
    return _cleaned(url) if "://" in url else ""


def _git_facts(folder: Path | None) -> tuple[str, dict[str, str]]:
    """Return HEAD's commit, and branch and dirtiness, from one call of git."""
    status = _run([*_GIT, "status", "--porcelain=v2", "--branch", "--untracked-files=no"], folder)
    headers, dirty = {}, "false"
    for line in status.splitlines():
        if line.startswith("# branch."):
            name, _, value = line.removeprefix("# branch.").partition(" ")
            headers[name] = _cleaned(value)
        else:
            dirty = "true"
    commit = headers.get("oid", "")
    if not commit or commit.startswith("("):
        return "", {}
    branch = headers.get("head", "")
    facts = {"git_branch": branch} if branch and not branch.startswith("(") else {}
    return commit, {**facts, "git_dirty": dirty}


def _git_user() -> str:
    """Return git's user name, else the e-mail address; '' without either."""
    found = {}
    for line in _run([*_GIT, "config", "--get-regexp", r"^user\.(name|email)$"]).splitlines():
        key, _, value = line.partition(" ")
        found[key.lower()] = _cleaned(value)
    return found.get("user.name") or found.get("user.email") or ""


def _os_user() -> str:
    from getpass import getuser

    try:
        return _cleaned(getuser()) or "unknown"
    except (OSError, KeyError, ImportError):
        # a container's arbitrary user id has no name
        number = getattr(os, "getuid", lambda: None)()
        return "unknown" if number is None else f"uid-{number}"


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    """Return what a program prints; '' when it fails, hangs or is not there."""
    import subprocess

    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""


def _first(environ: Mapping[str, str], variables: Sequence[str]) -> str:
    for variable in variables:
        value = _cleaned(environ.get(variable, ""))
        if value:
            return value
    return ""


def _cleaned(text: str) -> str:
    """Return a found text as it may be recorded: one line, no control characters, not too long."""
    kept = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in text)
    return unicodedata.normalize("NFC", " ".join(kept.split()))[: names.MAX_NAME].strip()
