"""People: when two actors are the same person, and who is in a group.

An actor is a text that the writer gives (`--actor`, the CI system, git). Actors are compared
without regard to case, in NFC: `Ann` is `ann`, a member where either is named, and one person
when people are counted. Who may give which name is for the store's access rights to see to.
"""

from collections.abc import Iterable, Mapping
from unicodedata import normalize

Groups = Mapping[str, tuple[str, ...]]


def person(actor: str) -> str:
    """Return what is equal for all spellings of one person."""
    # folding may leave NFC, as for U+0345
    return normalize("NFC", normalize("NFC", actor).casefold())


def members(groups: Groups, names: Iterable[str]) -> tuple[str, ...]:
    """Return the people of several groups, each once, as the policy spells them."""
    found: dict[str, str] = {}
    for name in names:
        for actor in groups.get(name, ()):
            found.setdefault(person(actor), actor)
    return tuple(found.values())


def is_member(groups: Groups, names: Iterable[str], actor: str) -> bool:
    """Say whether an actor is in one of several groups."""
    return person(actor) in {person(member) for member in members(groups, names)}
