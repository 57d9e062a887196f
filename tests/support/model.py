"""A registry as plain dictionaries: what the operations should come to, said as simply as possible.

Written from the contract, not from the code: no folds, no planners, no gates. An operation either
raises what the registry should raise, or returns what it should say. `commits` counts how many
commits there should be.
"""

import copy
from dataclasses import dataclass, field
from decimal import Decimal

from regista.errors import NotFoundError, RefusedError, RegistaError

STAGES = ("dev", "staging", "prod", "shadow")
OUT_OF_USE = ("archived", "deleted")


@dataclass
class ModelVersion:
    """A version: its content, status, latest score, tags."""

    content: str
    status: str = "active"
    acc: Decimal | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class ModelEntry:
    """An entry: versions by number, and for each stage the holder, the stack, the barred."""

    versions: dict[int, ModelVersion] = field(default_factory=dict)
    slots: dict[str, int | None] = field(default_factory=lambda: dict.fromkeys(STAGES))
    stacks: dict[str, list[int]] = field(default_factory=lambda: {stage: [] for stage in STAGES})
    barred: dict[str, set[int]] = field(default_factory=lambda: {stage: set() for stage in STAGES})
    aliases: dict[str, int] = field(default_factory=dict)

    def stages_of(self, number: int) -> list[str]:
        """Return the stages that hold a version."""
        return [stage for stage, holder in self.slots.items() if holder == number]


@dataclass
class Model:
    """A registry whose policy is either open to all or the gated one of the tests' support."""

    gated: bool = False
    commits: int = 1
    entries: dict[str, ModelEntry] = field(default_factory=dict)

    def snapshot(self) -> "Model":
        """Return the model as it is now."""
        return copy.deepcopy(self)

    def entry(self, name: str) -> ModelEntry:
        """Return an entry, or raise what the registry should."""
        if name not in self.entries:
            raise NotFoundError(name)
        return self.entries[name]

    def version(self, name: str, number: int) -> ModelVersion:
        """Return an undeleted version, or raise what the registry should."""
        entry = self.entry(name)
        if number not in entry.versions or entry.versions[number].status == "deleted":
            raise NotFoundError(f"{name}@{number}")
        return entry.versions[number]

    def register(self, name: str, content: str, *, force_new: bool) -> tuple[int, bool]:
        """Return the number, and whether it is a new version."""
        entry = self.entries.get(name, ModelEntry())
        twins = [
            number
            for number, version in entry.versions.items()
            if version.content == content and version.status != "deleted"
        ]
        if twins and not force_new:
            return max(twins), False
        number = len(entry.versions) + 1
        self.entries[name] = entry
        entry.versions[number] = ModelVersion(content)
        entry.slots["dev"] = number
        self.commits += 1
        return number, True

    def log_eval(self, name: str, number: int, acc: Decimal) -> None:
        """Log a score of the suite that the gates ask for."""
        self.version(name, number).acc = acc
        self.commits += 1

    def promote(self, name: str, number: int, stage: str, *, again: bool) -> str:
        """Return the outcome."""
        version, entry = self.version(name, number), self.entry(name)
        if stage == "dev":
            raise RefusedError(stage)
        if entry.slots[stage] == number:
            return "passed"
        self.commits += 1
        barred = number in entry.barred[stage] and not again
        if version.status != "active" or barred or not self._gates_pass(entry, number, stage):
            return "refused"
        entry.stacks[stage] = [item for item in entry.stacks[stage] if item != number] + [number]
        entry.barred[stage].discard(number)
        entry.slots[stage] = number
        return "passed"

    def _gates_pass(self, entry: ModelEntry, number: int, stage: str) -> bool:
        if not self.gated:
            return True
        acc = entry.versions[number].acc
        if stage == "staging":
            return acc is not None and acc >= Decimal("0.8")
        if stage != "prod" or entry.slots["staging"] != number:
            return False
        holder = entry.slots["prod"]
        if holder is None:
            return True
        before = entry.versions[holder].acc
        return acc is not None and before is not None and before - acc <= Decimal("0.005")

    def demote(self, name: str, stage: str) -> None:
        """Empty a slot."""
        entry = self.entry(name)
        holder = entry.slots[stage]
        if holder is None:
            raise NotFoundError(stage)
        if stage != "dev":
            entry.stacks[stage].remove(holder)
        entry.slots[stage] = None
        self.commits += 1

    def rollback(self, name: str, stage: str, to: int | None) -> int:
        """Return the version restored."""
        entry = self.entry(name)
        holder, stack = entry.slots[stage], entry.stacks[stage]
        if to is not None and to == holder:
            return to
        below = [number for number in reversed(stack) if number != holder]
        if to is not None:
            below = [number for number in below if number == to]
        targets = [item for item in below if entry.versions[item].status not in OUT_OF_USE]
        if not targets:
            raise NotFoundError(stage)
        keep = stack.index(targets[0]) + 1
        entry.barred[stage] |= set(stack[keep:])
        entry.stacks[stage] = stack[:keep]
        entry.slots[stage] = targets[0]
        self.commits += 1
        return targets[0]

    def change_status(self, op: str, name: str, number: int) -> None:
        """Deprecate, restore, archive or delete."""
        entry = self.entry(name)
        if number not in entry.versions:
            raise NotFoundError(f"{name}@{number}")
        version = entry.versions[number]
        status = {
            "deprecate": "deprecated",
            "restore": "active",
            "archive": "archived",
            "delete": "deleted",
        }[op]
        if version.status == status:
            return
        if version.status == "deleted":
            raise RefusedError("deleted for good")
        if status in OUT_OF_USE and entry.stages_of(number):
            raise RefusedError("holds a stage")
        version.status = status
        if status == "deleted":
            entry.aliases = {key: item for key, item in entry.aliases.items() if item != number}
        self.commits += 1

    def alias(self, name: str, number: int, alias: str) -> None:
        """Point an alias at a version."""
        self.version(name, number)
        entry = self.entry(name)
        if entry.aliases.get(alias) != number:
            entry.aliases[alias] = number
            self.commits += 1

    def remove_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        if alias not in self.entry(name).aliases:
            raise NotFoundError(alias)
        del self.entries[name].aliases[alias]
        self.commits += 1

    def tag(self, name: str, number: int, key: str, value: str) -> None:
        """Set a tag of a version."""
        version = self.version(name, number)
        if version.tags.get(key) != value:
            version.tags[key] = value
            self.commits += 1

    def rename(self, name: str, to: str) -> None:
        """Rename an entry."""
        entry = self.entry(name)
        if to == name:
            return
        if to in self.entries:
            raise RefusedError(to)
        del self.entries[name]
        self.entries[to] = entry
        self.commits += 1

    def apply_policy(self, *, gated: bool) -> None:
        """Put the open or the gated policy in force."""
        if gated != self.gated:
            self.gated = gated
            self.commits += 1


def same_error(one: RegistaError | None, other: RegistaError | None) -> bool:
    """Say whether two outcomes are the same: both fine, or both the same kind of error."""
    return type(one) is type(other)
