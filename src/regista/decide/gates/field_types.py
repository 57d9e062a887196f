"""The field types that gate kinds use, and how their values are read once they are checked."""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from regista.decide.gates.fields import (
    CheckContext,
    FieldType,
    Problems,
    choice_problems,
    list_problems,
    stage_problems,
    text_problems,
    tried,
)
from regista.decide.policy_problem import PolicyProblem, described, meant, problem
from regista.model.names import shown, tag_key
from regista.model.numbers import parse_decimal
from regista.model.times import parse_duration

MAX_DURATION = timedelta(days=36_525)
MAX_SQL = 65_536

_DECIMAL = re.compile(r"[-+]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?")
_DURATION_HINT = "write a number and a unit: 90s, 15m, 24h, 7d, 2w"
_FILE = re.compile(r"[^\\:\x00-\x1f\x7f]{1,255}")

Params = Mapping[str, Any]


def decimal_of(params: Params, name: str, default: str = "0") -> Decimal:
    """Return a checked decimal parameter."""
    return Decimal(str(params.get(name, default)))


def duration_of(params: Params, name: str, default: str = "0s") -> timedelta:
    """Return a checked duration parameter."""
    return parse_duration(params.get(name, default))


def _decimal(value: object, _context: CheckContext) -> Problems:
    hint = "write a finite decimal such as 0.95"
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return problem(f"must be a number, not {described(value)}", hint)
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        return problem(f"must be a number, not {described(value)}", hint)
    return tried(lambda number: parse_decimal(number, "the number"), value)


def _not_negative(value: object, context: CheckContext) -> Problems:
    problems = _decimal(value, context)
    if not problems and Decimal(str(value)) < 0:
        return problem(f"must not be negative, and is {value}", f"write {str(value)[1:]}")
    return problems


def _share(value: object, context: CheckContext) -> Problems:
    problems = _not_negative(value, context)
    if not problems and Decimal(str(value)) >= 1:
        return problem(f"must be a share below 1, and is {value}", "write 0.01 for 1 %")
    return problems


def _confidence(value: object, context: CheckContext) -> Problems:
    problems = _decimal(value, context)
    if not problems and not Decimal("0.5") <= Decimal(str(value)) <= Decimal("0.999999"):
        return problem(f"must be from 0.5 to 0.999999, and is {value}", "write 0.95")
    return problems


def _duration(value: object, _context: CheckContext) -> Problems:
    if not isinstance(value, str):
        return problem(f"must be a duration, not {described(value)}", _DURATION_HINT)
    problems = tried(parse_duration, value)
    if not problems and parse_duration(value) > MAX_DURATION:
        return problem(f"{shown(value)} is longer than a hundred years")
    return problems


def _boolean(value: object, _context: CheckContext) -> Problems:
    if isinstance(value, bool):
        return []
    return problem(f"must be true or false, not {described(value)}")


def _stage_or_version(value: object, context: CheckContext) -> Problems:
    if not isinstance(value, dict):
        return stage_problems(value, context)
    number = value.get("version")
    whole = isinstance(number, int) and not isinstance(number, bool) and number > 0
    if set(value) == {"version"} and whole:
        return []
    return problem("must be a stage or {version: N}", "write prod, or {version: 12}")


def _tags(value: object, _context: CheckContext) -> Problems:
    return list_problems(value, "tags", _tag)


def _tag(value: object) -> Problems:
    if isinstance(value, str):
        return tried(tag_key, value)
    if not isinstance(value, dict) or len(value) != 1:
        return problem(f"a tag is key or {{key: value}}, not {described(value)}")
    [(key, wanted)] = value.items()
    problems = tried(tag_key, key)
    for item in wanted if isinstance(wanted, list) and wanted else [wanted]:
        if not isinstance(item, str):
            hint = "put the value in quotes, or give a list of values"
            problems.append(PolicyProblem((key,), f"a tag is text, not {described(item)}", hint))
    return problems


def _file(value: object, _context: CheckContext) -> Problems:
    hint = "write a path below the policy's own folder, such as gates/latency.sql"
    if not isinstance(value, str):
        return problem(f"a file is a path, not {described(value)}", hint)
    parts = value.split("/")
    if not _FILE.fullmatch(value) or {"", ".", ".."} & set(parts):
        return problem(f"{shown(value)} is not a path inside the policy's folder", hint)
    return []


def _sql(value: object, _context: CheckContext) -> Problems:
    if not isinstance(value, str) or not value.strip():
        return problem(f"a query is text, not {described(value)}")
    if len(value) > MAX_SQL:
        return problem(f"the query has {len(value):,} characters; at most {MAX_SQL:,} are allowed")
    return []


def text(what: str) -> FieldType:
    """Return the type of a one-line name."""
    return FieldType("text", lambda value, _context: text_problems(value, what))


def texts(what: str) -> FieldType:
    """Return the type of a list of names."""
    return FieldType(
        "list of text",
        lambda value, _context: list_problems(value, what, lambda item: text_problems(item, what)),
    )


def texts_or(word: str, what: str) -> FieldType:
    """Return the type of a list of names, or one word that stands for them."""

    def check(value: object, _context: CheckContext) -> Problems:
        if value == word:
            return []
        if isinstance(value, str):
            return problem(f"{what} is a list or {word}, not {described(value)}", "write [a, b]")
        return list_problems(value, what, lambda item: text_problems(item, what))

    return FieldType(f"list of text, or `{word}`", check)


def groups(what: str) -> FieldType:
    """Return the type of a list of groups of people that the policy names."""

    def one(value: object, context: CheckContext) -> Problems:
        if not isinstance(value, str):
            return problem(f"a group is text, not {described(value)}", "put it in quotes")
        if value in context.groups:
            return []
        hint = meant(value, context.groups) if context.groups else "add groups: {NAME: [WHO]}"
        return problem(f"the policy has no group {shown(value)}", hint)

    return FieldType(
        "list of groups",
        lambda value, context: list_problems(value, what, lambda item: one(item, context)),
    )


def choice(*words: str) -> FieldType:
    """Return the type of one of a few words."""
    name = " or ".join(f"`{word}`" for word in words)
    return FieldType(name, lambda value, _context: choice_problems(value, words))


def choices(what: str, *words: str) -> FieldType:
    """Return the type of a list of some of a few words."""
    name = "list of " + ", ".join(f"`{word}`" for word in words)
    return FieldType(
        name,
        lambda value, _context: list_problems(
            value, what, lambda item: choice_problems(item, words)
        ),
    )


def whole(low: int, high: int) -> FieldType:
    """Return the type of a whole number within limits, both allowed."""

    def check(value: object, _context: CheckContext) -> Problems:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return problem(f"must be a whole number from {low} to {high}, not {described(value)}")
        return []

    return FieldType(f"whole number, {low} to {high}", check)


def short_duration(longest: timedelta) -> FieldType:
    """Return the type of a duration from one second to the longest."""

    def check(value: object, context: CheckContext) -> Problems:
        problems = _duration(value, context)
        if problems or timedelta(seconds=1) <= parse_duration(str(value)) <= longest:
            return problems
        return problem(f"must be from 1s to {longest.seconds}s, and is {value}")

    return FieldType(f"duration up to {longest.seconds}s", check)


DECIMAL = FieldType("decimal", _decimal)
NOT_NEGATIVE = FieldType("decimal from 0", _not_negative)
SHARE = FieldType("decimal from 0, below 1", _share)
CONFIDENCE = FieldType("decimal, 0.5 to 0.999999", _confidence)
DURATION = FieldType("duration", _duration)
BOOLEAN = FieldType("true or false", _boolean)
STAGE = FieldType("stage", stage_problems)
STAGE_OR_VERSION = FieldType("stage, or `{version: N}`", _stage_or_version)
TAGS = FieldType("list of `key` or `{key: value}`", _tags)
FILE = FieldType("path", _file)
SQL = FieldType("SQL text", _sql)
