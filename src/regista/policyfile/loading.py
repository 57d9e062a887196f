"""Loading a policy: read the YAML, check it, gather the files that it names, bundle it all."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from unicodedata import normalize

from regista.decide.policy import named_files
from regista.decide.policy_bundle import PolicyBundle
from regista.decide.policy_check import check_policy
from regista.decide.policy_problem import PolicyProblem, Severity, meant
from regista.errors import InvalidInputError, NewerFormatError, RegistaError
from regista.model.names import shown
from regista.policyfile.yaml_reader import MAX_BYTES, Position, Positions, YamlError, load_yaml

MAX_FILE_BYTES = 65_536
MAX_FILES_BYTES = 1_048_576
DEFAULT_NAME = "default.yaml"
# policies to start from, each in a folder with its tests
STARTERS = ("team", "strict", "llm", "regulated")
STARTER_POLICY, STARTER_TESTS = "policy.yaml", "policy.test.yaml"

ReadFile = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class PositionedProblem:
    """A problem of a policy file, with its place in the text.

    Attributes:
        file: name of the policy file.
        position: line and column, from 1.
        message: what is wrong, in one line.
        hint: what to write instead; may be empty.
        severity: an error makes the policy unusable, a warning does not.
    """

    file: str
    position: Position
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.position.line}:{self.position.column}"
        return f"{place}: {self.severity}: {self.message}"


@dataclass(frozen=True, slots=True)
class _Reading:
    """What became of a policy file; `newer` when it is of a format of the future."""

    value: Any
    files: dict[str, str]
    problems: list[PositionedProblem]
    newer: bool = False


def load_policy(text: str, file: str, read_file: ReadFile) -> PolicyBundle:
    """Load a policy that is fit for use.

    Args:
        text: the policy in YAML.
        file: its name, for messages.
        read_file: gives the text of a file below the policy's folder; see `files_beside`.

    Raises:
        NewerFormatError: the policy has a format that this Regista does not know.
        InvalidInputError: the policy has an error; the message names the first one's place.
    """
    reading = _read(text, file, read_file)
    errors = [problem for problem in reading.problems if problem.severity == "error"]
    if errors:
        raise _refusal(file, errors, NewerFormatError if reading.newer else InvalidInputError)
    return PolicyBundle.of(reading.value, reading.files, text)


def lint(text: str, file: str, read_file: ReadFile) -> list[PositionedProblem]:
    """Return every problem of a policy file in the order of the text, warnings too."""
    try:
        return _read(text, file, read_file).problems
    except YamlError as error:
        return [PositionedProblem(file, error.position, error.detail, error.hint)]


def files_beside(policy_file: Path) -> ReadFile:
    """Return a reader of the files below a policy file's folder, links resolved."""
    # realpath, as Path.resolve raises a RuntimeError on a loop of links
    folder = Path(os.path.realpath(policy_file)).parent

    def read(name: str) -> str:
        path = Path(os.path.realpath(folder / name))
        if not path.is_relative_to(folder):
            raise InvalidInputError(f"{shown(name)} leads out of the policy's folder")
        if not path.is_file():
            raise InvalidInputError(f"there is no file {shown(name)} beside the policy")
        # one byte more than allowed is enough to know, whatever the size
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise _too_large(name)
        return data.decode("utf-8")

    return read


def read_policy(path: Path) -> PolicyBundle:
    """Load a policy file that is fit for use, with the files that it names.

    The name of a starter stands for that policy, unless there is a file of this name.

    Raises:
        NewerFormatError, InvalidInputError: as `load_policy`; or the file cannot be read.
    """
    if str(path) in STARTERS and not path.exists():
        return starter_policy(str(path))
    return load_policy(read_text(path), str(path), files_beside(path))


def starter_policy(name: str) -> PolicyBundle:
    """Return a policy to start from."""
    no_files: dict[str, str] = {}
    return load_policy(starter_text(name, STARTER_POLICY), name, no_files.__getitem__)


def starter_text(name: str, file: str) -> str:
    """Return the text of a starter's policy or tests.

    Args:
        name: one of `STARTERS`.
        file: `STARTER_POLICY` or `STARTER_TESTS`.

    Raises:
        InvalidInputError: there is no starter of this name.
    """
    if name not in STARTERS:
        raise InvalidInputError(
            f"there is no starter policy {shown(name)}", hint=meant(name, STARTERS)
        )
    folder = resources.files("regista.policyfile").joinpath("starters", name)
    return folder.joinpath(file).read_text("utf-8")


def read_text(path: Path, what: str = "policy file") -> str:
    """Return the text of a policy file, or of what else it is.

    Raises:
        InvalidInputError: it is missing, cannot be read, is too large or is not UTF-8.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(
            f"cannot read {shown(str(path), 200)}: {error.strerror}", hint=f"give a {what}"
        ) from error
    if len(data) > MAX_BYTES:
        raise InvalidInputError(f"{shown(str(path), 200)} is larger than {MAX_BYTES:,} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{shown(str(path), 200)} is not UTF-8 text") from error


@cache
def default_policy() -> PolicyBundle:
    """Return the policy that `init` puts in force."""
    text = resources.files("regista.policyfile").joinpath(DEFAULT_NAME).read_text("utf-8")
    no_files: dict[str, str] = {}
    return load_policy(text, DEFAULT_NAME, no_files.__getitem__)


def refusal(
    file: str,
    problems: list[PolicyProblem],
    positions: Positions,
) -> InvalidInputError:
    """Return the error that names the first problem of a file that is no policy, with its place."""
    first, *others = _placed(problems, positions, file)
    more = f" (and {len(others)} more)" if others else ""
    place = f"{file}:{first.position.line}:{first.position.column}"
    return InvalidInputError(f"{place}: {first.message}{more}", hint=first.hint)


def _read(text: str, file: str, read_file: ReadFile) -> _Reading:
    value, positions = load_yaml(text, file)
    value = _composed(value)
    try:
        problems = check_policy(value)
    except NewerFormatError as error:
        place = positions.at(("format",))
        newer = PositionedProblem(file, place, error.message, error.hint)
        return _Reading(value, {}, [newer], newer=True)
    files: dict[str, str] = {}
    if not any(problem.severity == "error" for problem in problems):
        problems += _gather(value, files, read_file)
    return _Reading(value, files, _placed(problems, positions, file))


def _gather(
    value: dict[str, Any], files: dict[str, str], read_file: ReadFile
) -> list[PolicyProblem]:
    problems = []
    total = 0
    for path, name in named_files(value):
        try:
            content = files[name] if name in files else read_file(name)
            size = len(content.encode("utf-8"))
            total += 0 if name in files else size
            if size > MAX_FILE_BYTES or total > MAX_FILES_BYTES:
                raise _too_large(name)
        except RegistaError as error:
            problems.append(PolicyProblem(path, error.message, error.hint))
        except UnicodeError:
            problems.append(PolicyProblem(path, f"{shown(name)} is not UTF-8 text"))
        except OSError as error:
            why = error.strerror or type(error).__name__
            problems.append(PolicyProblem(path, f"{shown(name)} cannot be read: {why}"))
        else:
            files[name] = content
            if not content.strip():
                problems.append(PolicyProblem(path, f"{shown(name)} is empty"))
    return problems


def _too_large(name: str) -> InvalidInputError:
    return InvalidInputError(
        f"{shown(name)} is too large",
        hint=f"up to {MAX_FILE_BYTES:,} bytes, and {MAX_FILES_BYTES:,} for all files together",
    )


def _placed(
    problems: list[PolicyProblem], positions: Positions, file: str
) -> list[PositionedProblem]:
    placed = [
        PositionedProblem(
            file,
            positions.at(problem.path, key=problem.on_key),
            problem.message,
            problem.hint,
            problem.severity,
        )
        for problem in problems
    ]
    return sorted(placed, key=lambda problem: (problem.position, problem.message))


def _refusal(
    file: str, errors: list[PositionedProblem], error_type: type[InvalidInputError]
) -> InvalidInputError:
    first = errors[0]
    more = "" if len(errors) == 1 else f" (and {len(errors) - 1} more: regista policy lint {file})"
    place = f"{first.file}:{first.position.line}:{first.position.column}"
    return error_type(f"{place}: {first.message}{more}", hint=first.hint)


def _composed(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value with its texts in NFC, as names in the registry are.

    The recursion is bounded by the reader's limit on nesting.
    """
    match value:
        case str():
            return normalize("NFC", value)
        case list():
            return [_composed(item) for item in value]
        case dict():
            return {normalize("NFC", key): _composed(item) for key, item in value.items()}
        case _:
            return value
