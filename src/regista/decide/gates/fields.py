"""Fields: what a mapping of the policy may hold, said once, for the lint and for the reference.

A field type checks one value and returns problems whose paths start at that value. Types raise
nothing, and change nothing: a policy stays as it was written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from regista.decide.policy_problem import (
    MAX_PROBLEMS,
    PolicyProblem,
    described,
    meant,
    problem,
    unknown,
)
from regista.errors import InvalidInputError
from regista.model.names import identifier, shown


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What a gate's parameters are checked against.

    Attributes:
        stages: all stages of the policy.
        aliases: its gated aliases.
        target: the stage, or gated alias, that the rule guards.
        groups: names of its groups of people.
    """

    stages: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    target: str = ""
    groups: tuple[str, ...] = ()


Problems = list[PolicyProblem]
Check = Callable[[Any, CheckContext], Problems]


@dataclass(frozen=True, slots=True)
class FieldType:
    """A type of value: how the reference calls it, and how a value is checked."""

    name: str
    check: Check


class Stricter(StrEnum):
    """Which values of a field let in less."""

    HIGHER = "higher"
    LOWER = "lower"
    MORE = "more"
    """More items of a list; a word such as `all` in place of it is more than any list."""
    FEWER = "fewer"
    TRUE = "true"
    EQUAL = "equal"
    """All of them let in the same."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a mapping.

    Attributes:
        name: the key.
        type: what its value may be.
        doc: what it means, in Markdown.
        required: whether the mapping is wrong without it.
        default: what stands when it is left out, for the reference.
        stricter: which of two values lets in less: an order, or words from loose to strict, with
            all others beyond them; None when that cannot be told.
        assumed: the value that it has when it is left out; None when it asks nothing then.
    """

    name: str
    type: FieldType
    doc: str
    required: bool = False
    default: str = ""
    stricter: Stricter | tuple[str, ...] | None = None
    assumed: Any = None


def check_fields(
    fields: Iterable[Field], value: object, context: CheckContext, what: str
) -> Problems:
    """Check a mapping: its keys, what it must have, and every value.

    Args:
        fields: the keys that it may have.
        value: the parsed value; anything but a mapping is one problem.
        context: the stages that it may name.
        what: what the mapping is, for messages, with its article.
    """
    known = {field.name: field for field in fields}
    if not isinstance(value, dict):
        return problem(f"{what} is a mapping, not {described(value)}", f"keys: {', '.join(known)}")
    problems: Problems = []
    for key, item in value.items():
        if len(problems) >= MAX_PROBLEMS:
            break
        field = known.get(key)
        if field is None:
            problems.append(unknown(key, known, f"{what} has no key"))
        else:
            problems += [found.under(key) for found in field.type.check(item, context)]
    for field in known.values():
        if field.required and field.name not in value:
            problems += problem(f"{what} needs {field.name}", f"add {field.name}: {field.doc}")
    return problems


def exclusive(params: Mapping[str, Any], *names: str) -> Problems:
    """Refuse more than one of the names."""
    given = [name for name in names if name in params]
    if len(given) > 1:
        return problem(f"{' and '.join(given)} exclude each other", f"keep one of {_listed(names)}")
    return []


def one_needed(params: Mapping[str, Any], *names: str) -> Problems:
    """Refuse none of the names."""
    if not any(name in params for name in names):
        return problem(f"needs {_listed(names)}", f"add one of {_listed(names)}")
    return []


def tried(validate: Callable[[Any], object], value: object) -> Problems:
    """Return the refusal of a validator as a problem."""
    try:
        validate(value)
    except InvalidInputError as error:
        return problem(error.message, error.hint)
    return []


def text_problems(value: object, what: str) -> Problems:
    """Check a one-line name such as a suite's."""
    if isinstance(value, str):
        return tried(lambda text: identifier(text, what), value)
    quote = isinstance(value, (int, bool)) or value is None
    return problem(f"{what} is text, not {described(value)}", "put it in quotes" if quote else "")


def list_problems(value: object, what: str, item: Callable[[object], Problems]) -> Problems:
    """Check a list that is not empty and has no text twice."""
    if not isinstance(value, list):
        return problem(f"{what} must be a list, not {described(value)}", "write [a, b]")
    if not value:
        return problem(f"{what} is empty", "name at least one, or leave it out")
    problems: Problems = []
    seen: set[str] = set()
    for index, entry in enumerate(value):
        if len(problems) >= MAX_PROBLEMS:
            break
        problems += [found.under(index) for found in item(entry)]
        if isinstance(entry, str):
            if entry in seen:
                problems.append(PolicyProblem((index,), f"{what} has {described(entry)} twice"))
            seen.add(entry)
    return problems


def choice_problems(value: object, choices: Sequence[str]) -> Problems:
    """Check one of a few words."""
    if isinstance(value, str) and value in choices:
        return []
    message = f"must be one of {', '.join(choices)}, not {described(value)}"
    return problem(message, meant(value, choices) if isinstance(value, str) else "")


def stage_problems(value: object, context: CheckContext) -> Problems:
    """Check the name of a stage that the policy has."""
    if not isinstance(value, str):
        return problem(f"a stage is text, not {described(value)}")
    if value in context.stages:
        return []
    return problem(f"the policy has no stage {shown(value)}", meant(value, context.stages))


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]
