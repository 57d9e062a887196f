"""The pinned state: heads at one commit, with what a plan has added so far on top.

A planner reads state here and nowhere else. `State` looks heads up lazily through a function
that its maker supplies; changes stay in the overlay, so planning never alters what it stands on.
"""

from collections.abc import Callable
from typing import Any

from regista.decide import equals, fold, keys
from regista.decide.heads import EntryHead, SlotHead, Status, VersionHead
from regista.errors import InvalidInputError, NotFoundError
from regista.model.commit import Row
from regista.model.names import shown
from regista.model.selectors import Selector, VersionRef

_GONE = object()


class Overlay:
    """Heads that were changed on top of a lookup; implements `keys.Heads`."""

    def __init__(self, lookup: Callable[[str], Any]) -> None:
        self._lookup = lookup
        self.changed: dict[str, Any] = {}

    def get(self, key: str) -> Any:  # noqa: ANN401 - the head type follows from the key
        """Return the head, changed or looked up; None when there is none."""
        value = self.changed.get(key, _GONE)
        return self._lookup(key) if value is _GONE else value

    def put(self, key: str, value: Any) -> None:  # noqa: ANN401
        """Change the head in the overlay only."""
        self.changed[key] = value


class State:
    """Typed access to the heads at one commit.

    Attributes:
        registry: id of the registry.
        seq: number of the commit that the state follows.
        digest: sha256 of that commit; the registry's id before the first.
        time: recorded time of that commit; '' before the first.
    """

    def __init__(
        self, registry: str, seq: int, digest: str, time: str, lookup: Callable[[str], Any]
    ) -> None:
        self.registry = registry
        self.seq = seq
        self.digest = digest
        self.time = time
        self.heads = Overlay(lookup)

    def fork(self) -> "State":
        """Return a state on top of this one, whose changes stay its own."""
        return State(self.registry, self.seq, self.digest, self.time, self.heads.get)

    def apply(self, stamp: fold.Stamp, row: Row) -> None:
        """Apply one row to the overlay."""
        fold.apply_row(self.heads, stamp, row)

    @property
    def facts(self) -> dict[str, Any]:
        """What is known of the registry as a whole, such as its policy and that one's commit."""
        return self.heads.get(keys.REGISTRY) or {}

    @property
    def policy_digest(self) -> str:
        """Digest of the policy in force; '' before any."""
        return str(self.facts.get("policy", ""))

    def find_entry(self, name: str) -> EntryHead | None:
        """Return the entry of this name, or None."""
        head: EntryHead | None = self.heads.get(keys.name(name))
        return head

    def entry_by_id(self, entry_id: str) -> EntryHead:
        """Return the entry of this id, which exists."""
        return fold.entry_of(self.heads, entry_id)

    def entry(self, name: str) -> EntryHead:
        """Return the entry of this name.

        Raises:
            NotFoundError: no such entry.
        """
        head = self.find_entry(name)
        if head is None:
            raise NotFoundError(f"there is no entry {shown(name)}", hint="regista list")
        return head

    def find_version(self, entry_id: str, number: int) -> VersionHead | None:
        """Return a version, deleted ones included, or None."""
        head: VersionHead | None = self.heads.get(keys.version(entry_id, number))
        return head

    def version(self, entry: EntryHead, number: int) -> VersionHead:
        """Return a version of an entry, deleted ones included.

        Raises:
            NotFoundError: no such version.
        """
        head = self.find_version(entry.entry_id, number)
        if head is None:
            raise NotFoundError(
                f"{shown(entry.name)} has no version {number}; the last is {entry.last_version}",
                hint=f'regista show "{entry.name}"',
            )
        return head

    def slot(self, entry_id: str, stage: str) -> SlotHead:
        """Return the stack and drill of a stage."""
        return self.heads.get(keys.slot(entry_id, stage)) or SlotHead()

    def select(self, ref: VersionRef, *, deleted: bool = False) -> tuple[EntryHead, VersionHead]:
        """Return the entry and version that a reference names.

        Raises:
            NotFoundError: no such entry or version, an empty stage, or a deleted version
                unless `deleted` asks for these too.
            InvalidInputError: a digest prefix that fits several versions.
        """
        entry = self.entry(ref.name)
        version = self.version(entry, self._number(entry, ref.selector))
        if version.status == Status.DELETED and not deleted:
            raise NotFoundError(
                f"{shown(entry.name)} version {version.version} was deleted",
                hint=f'regista history "{entry.name}"',
            )
        return entry, version

    def _number(self, entry: EntryHead, selector: Selector) -> int:
        match selector.how:
            case "number":
                return int(selector.value)
            case "latest":
                return self._latest(entry)
            case "digest":
                return self._by_digest(entry, selector.value)
            case "stage":
                return self._in_stage(entry, selector.value, selector.back)
            case "alias":
                found = self._by_alias(entry, selector.value)
            case "label":
                found = self._by_label(entry, selector.value)
            case _:
                return self._any(entry, selector)
        if found is None:
            raise self._nothing(entry, selector)
        return found

    def _any(self, entry: EntryHead, selector: Selector) -> int:
        value = selector.value
        if names_stage(entry, selector):
            return self._in_stage(entry, value, selector.back)
        found = self._by_alias(entry, value)
        if found is None:
            found = self._by_label(entry, value)
        if found is None:
            raise self._nothing(entry, selector)
        return found

    def _latest(self, entry: EntryHead) -> int:
        for number in range(entry.last_version, 0, -1):
            head = self.find_version(entry.entry_id, number)
            if head and head.status != Status.DELETED:
                return number
        raise NotFoundError(
            f"{shown(entry.name)} has no version yet", hint=f'regista register "{entry.name}" PATH'
        )

    def _in_stage(self, entry: EntryHead, stage: str, back: int) -> int:
        if back:
            targets = rollback_candidates(entry, stage, self.slot(entry.entry_id, stage))
            eligible = [number for number in targets if self._restorable(entry, number)]
            if len(eligible) < back:
                raise NotFoundError(
                    f"{shown(entry.name)} has no version {back} back from {shown(stage)}",
                    hint=f'regista history "{entry.name}"',
                )
            return eligible[back - 1]
        holder = entry.holder(stage)
        if holder is None:
            raise NotFoundError(
                f"nothing of {shown(entry.name)} is in {shown(stage)}",
                hint=f'regista show "{entry.name}"',
            )
        return holder

    def _restorable(self, entry: EntryHead, number: int) -> bool:
        return not unrestorable(self.version(entry, number))

    def _by_alias(self, entry: EntryHead, alias: str) -> int | None:
        pointer = entry.aliases.get(alias)
        return pointer.version if pointer else None

    def _by_label(self, entry: EntryHead, label: str) -> int | None:
        found: int | None = self.heads.get(keys.label(entry.entry_id, label))
        return found

    def _by_digest(self, entry: EntryHead, prefix: str) -> int:
        listed = self.heads.get(keys.equals(entry.entry_id, prefix)) or []
        fitting = [item for item in listed if item[0].startswith(prefix)]
        if len({item[0] for item in fitting}) > 1:
            raise InvalidInputError(f"sha256:{prefix} fits several versions; give more digits")
        if not fitting:
            raise NotFoundError(
                f"{shown(entry.name)} has no version with digest {prefix}",
                hint=f'regista show "{entry.name}"',
            )
        return self._counting(entry, fitting)

    def newest_equal(self, entry: EntryHead, digest: str) -> VersionHead | None:
        """Return the newest version with a digest that was not deleted; None if there is none."""
        listed = self.heads.get(keys.equals(entry.entry_id, digest)) or []
        equal = [item for item in listed if item[0] == digest]
        if not equal:
            return None
        version = self.version(entry, self._counting(entry, equal))
        return None if version.status == Status.DELETED else version

    def _counting(self, entry: EntryHead, items: list[equals.Item]) -> int:
        def is_deleted(number: int) -> bool:
            return self.version(entry, number).status == Status.DELETED

        return equals.counting(items, is_deleted)

    def _nothing(self, entry: EntryHead, selector: Selector) -> NotFoundError:
        from difflib import get_close_matches

        known = [*entry.slots, *entry.aliases]
        near = get_close_matches(selector.value, known, 1)
        hint = f"did you mean {near[0]}?" if near else f'regista show "{entry.name}"'
        return NotFoundError(
            f"{shown(entry.name)} has no stage, alias or label {shown(selector.value)}", hint=hint
        )


def names_stage(entry: EntryHead, selector: Selector) -> bool:
    """Say whether a selector means a stage of the entry, and no alias or label.

    An emptied stage is meant still, unless an alias has its name: the policy dropped it then.
    """
    if selector.how == "stage" or selector.back:
        return True
    value = selector.value
    return selector.how == "any" and value in entry.slots and value not in entry.aliases


def rollback_candidates(entry: EntryHead, stage: str, slot: SlotHead) -> list[int]:
    """Return the versions below the holder on the stack, the next one first."""
    holder = entry.holder(stage)
    stack = slot.stack
    if holder in stack:
        stack = stack[: stack.index(holder)]
    return stack[::-1]


def unrestorable(version: VersionHead) -> str:
    """Return why a rollback may not restore a version as far as its record says; '' if it may."""
    if version.status in {Status.DELETED, Status.ARCHIVED}:
        return f"it is {version.status}"
    if version.purged:
        return "its artifacts were purged"
    return ""
