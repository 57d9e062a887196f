import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.model import names
from regista.registry import environment
from regista.registry.environment import ci_system, current_actor, source_facts

CI_ENVIRONMENTS = {
    "github-actions": (
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTOR": "ada",
            "GITHUB_REF_NAME": "main",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_RUN_ID": "7",
        },
        "https://github.com/o/r/actions/runs/7",
    ),
    "gitlab-ci": (
        {
            "GITLAB_CI": "true",
            "GITLAB_USER_LOGIN": "ada",
            "CI_COMMIT_REF_NAME": "main",
            "CI_JOB_URL": "https://gitlab.example/j/7",
        },
        "https://gitlab.example/j/7",
    ),
    "jenkins": (
        {
            "JENKINS_URL": "https://ci.example",
            "BUILD_USER_ID": "ada",
            "BRANCH_NAME": "main",
            "BUILD_URL": "https://ci.example/7",
        },
        "https://ci.example/7",
    ),
    "circleci": (
        {
            "CIRCLECI": "true",
            "CIRCLE_USERNAME": "ada",
            "CIRCLE_BRANCH": "main",
            "CIRCLE_BUILD_URL": "https://circle.example/7",
        },
        "https://circle.example/7",
    ),
    "azure-pipelines": (
        {
            "TF_BUILD": "True",
            "BUILD_REQUESTEDFOR": "ada",
            "BUILD_SOURCEBRANCHNAME": "main",
            "SYSTEM_COLLECTIONURI": "https://dev.example/o/",
            "SYSTEM_TEAMPROJECT": "p",
            "BUILD_BUILDID": "7",
        },
        "https://dev.example/o/p/_build/results?buildId=7",
    ),
    "buildkite": (
        {
            "BUILDKITE": "true",
            "BUILDKITE_BUILD_CREATOR": "ada",
            "BUILDKITE_BRANCH": "main",
            "BUILDKITE_BUILD_URL": "https://bk.example/7",
            "BUILDKITE_JOB_ID": "j",
        },
        "https://bk.example/7#j",
    ),
}


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "train.py").write_text("pass\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_every_ci_system_is_tried() -> None:
    assert set(CI_ENVIRONMENTS) == {system.name for system in environment.CI_SYSTEMS}


@pytest.mark.parametrize("name", CI_ENVIRONMENTS)
def test_a_ci_system_tells_who_where_and_which_job(name: str, tmp_path: Path) -> None:
    environ, url = CI_ENVIRONMENTS[name]
    found = ci_system(environ)
    assert found is not None
    assert found.name == name
    assert current_actor(environ) == "ada"
    assert source_facts(tmp_path, environ).facts == {
        "ci": name,
        "ci_job_url": url,
        "git_branch": "main",
    }


def test_the_variable_comes_before_the_ci_system() -> None:
    assert current_actor({"REGISTA_ACTOR": "eve", **CI_ENVIRONMENTS["circleci"][0]}) == "eve"


@pytest.mark.parametrize("actor", ["a\nb", "a\x1b[31m", "x" * 256, " ", "\udc80"])
def test_a_malformed_actor_given_on_purpose_is_refused(actor: str) -> None:
    with pytest.raises(InvalidInputError, match="REGISTA_ACTOR"):
        current_actor({"REGISTA_ACTOR": actor})


@given(st.text())
def test_whatever_a_ci_system_says_the_actor_can_be_recorded(text: str) -> None:
    environ = {"CIRCLECI": "true", "CIRCLE_USERNAME": text + "x"}
    assert names.identifier(current_actor(environ), "an actor")


def test_without_ci_it_is_the_user_of_git(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(repository, "config", "user.name", "Grace  Hopper")
    monkeypatch.chdir(repository)
    assert current_actor({}) == "Grace Hopper"


def test_without_git_it_is_the_user_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_GIT", ("no-such-program",))
    monkeypatch.setattr("getpass.getuser", lambda: "joan")
    assert current_actor({}) == "joan"


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(environment, "_GIT", ("no-such-program",))
    monkeypatch.setattr("getpass.getuser", nameless)
    assert current_actor({}).startswith("uid-")


def test_a_switched_off_ci_variable_is_no_ci_system() -> None:
    assert ci_system({"CIRCLECI": "false", "GITLAB_CI": ""}) is None


def test_the_code_is_gits_head_and_dirt_is_a_fact_of_its_own(repository: Path) -> None:
    head = git(repository, "rev-parse", "HEAD").strip()
    found = source_facts(repository, {})
    assert found.code == head
    assert found.facts == {"git_branch": "main", "git_dirty": "false"}
    (repository / "new.txt").write_text("untracked files are not counted")
    assert source_facts(repository, {}).facts["git_dirty"] == "false"
    (repository / "train.py").write_text("changed\n")
    assert source_facts(repository, {}) == environment.SourceFacts(
        head, {"git_branch": "main", "git_dirty": "true"}
    )


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert source_facts(repository, {}).facts == {"git_dirty": "false"}


def test_a_folder_outside_of_git_or_without_commits_has_no_code(tmp_path: Path) -> None:
    assert source_facts(tmp_path, {}) == environment.SourceFacts("", {})
    git(tmp_path, "init", "-q")
    assert source_facts(tmp_path, {}) == environment.SourceFacts("", {})


def test_looking_at_a_repository_runs_no_program_of_it(repository: Path) -> None:
    marker = repository / "ran"
    git(repository, "config", "core.fsmonitor", f"touch {marker}")
    source_facts(repository, {})
    assert not marker.exists()
