"""Strictness: whether one gate, or one waiver clause, lets in less than another of its kind.

What each field of a kind means for that stands with the field (`gates.fields.Stricter`). A field
that says nothing of it counts as looser whenever it changes: nobody is told that nothing became
easier unless it is certain.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.kind import WAIVABLE
from regista.decide.gates.registry import find_kind
from regista.decide.policy import Gate, Waivable
from regista.errors import InvalidInputError
from regista.model import canonical
from regista.model.times import parse_duration


def looser_fields(old: Gate, new: Gate) -> list[str]:
    """Return, in words, what makes a gate let in more than one of the same kind did."""
    found = [
        f"{field.name} {_shown(old.params.get(field.name))} became"
        f" {_shown(new.params.get(field.name))}"
        for field in find_kind(old.kind).all_fields
        if field is not WAIVABLE and _is_looser(field, old.params, new.params)
    ]
    return found + looser_waivable(old.waivable, new.waivable)


def looser_waivable(old: Waivable | None, new: Waivable | None) -> list[str]:
    """Return, in words, what makes it easier to waive a gate."""
    if new is None or old == new:
        return []
    if old is None:
        return [f"it may be waived by {' or '.join(new.by)} for {new.max}"]
    found = [f"{name} may waive it" for name in new.by if name not in old.by]
    if parse_duration(new.max) > parse_duration(old.max):
        found.append(f"it may be waived for {new.max}, not {old.max}")
    return found


def _is_looser(field: Field, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    before, after = old.get(field.name, field.assumed), new.get(field.name, field.assumed)
    if before == after or field.stricter is Stricter.EQUAL:
        return False
    if field.stricter is None:
        return True
    if before is None or after is None:
        return after is None
    if isinstance(field.stricter, tuple):
        return _comes_before(field.stricter, after, before)
    return _lets_in_more(field.stricter, before, after)


def _comes_before(words: tuple[str, ...], one: str, other: str) -> bool:
    """Say whether a word is looser, or may be; those that are not listed are stricter than all."""
    if one not in words:
        return other not in words
    return other not in words or words.index(one) < words.index(other)


def _lets_in_more(order: Stricter, before: Any, after: Any) -> bool:  # noqa: ANN401 - as in YAML
    match order:
        case Stricter.HIGHER:
            return _measure(after) < _measure(before)
        case Stricter.LOWER:
            return _measure(after) > _measure(before)
        case Stricter.TRUE:
            return bool(before) and not after
        case Stricter.MORE:
            # a word stands for any list: `all` asks for no less than one, `any` for no more
            if isinstance(after, str):
                return after != "all"
            return before == "all" or not _items(after) >= _items(before)
        case _:
            return not _items(after) <= _items(before)


def _items(value: Any) -> set[str]:  # noqa: ANN401
    if isinstance(value, str):
        return set() if value == "any" else {value}
    return {canonical.encode(item).decode() for item in value}


def _measure(value: Any) -> Decimal:  # noqa: ANN401
    """Return a number or a duration as something to compare."""
    try:
        return Decimal(int(parse_duration(str(value)).total_seconds()))
    except InvalidInputError:
        return Decimal(str(value))


def _shown(value: Any) -> str:  # noqa: ANN401
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else canonical.encode(value).decode()
