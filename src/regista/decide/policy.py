"""The policy as a value: stages, rules, gates, and which rules apply to what.

A policy is made from parsed JSON that `regista.decide.policy_check` found right; nothing is
checked again here. Where the text comes from, and how it is stored, is `policy_bundle`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from regista.decide.gates.kind import as_params
from regista.decide.gates.registry import find_kind
from regista.decide.patterns import matches
from regista.decide.people import Groups
from regista.errors import InvalidInputError
from regista.model import canonical
from regista.model.names import shown

FORMAT = 1
ANY = "*"
ALLOW = "allow"
REFUSE = "refuse"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waivable:
    """Who may waive a gate, and for how long.

    Attributes:
        by: groups whose people may.
        max: longest time, as a duration such as `14d`.
    """

    by: tuple[str, ...]
    max: str

    @classmethod
    def from_json(cls, value: Json | None) -> Self | None:
        """Read what a checked gate or rule says; None where nobody may."""
        return cls(tuple(value["by"]), value["max"]) if value else None


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition of a rule.

    Attributes:
        id: its own id, or one made from its parameters; not unique across rules.
        kind: name of its kind.
        params: its parameters, with the text of any file that they name.
        waivable: who may waive it; None where nobody may.
    """

    id: str
    kind: str
    params: Mapping[str, Any]
    waivable: Waivable | None = None

    @classmethod
    def from_json(
        cls, value: object, files: Mapping[str, str], waivable: Json | None = None
    ) -> Self:
        """Read a checked gate of a rule that says `waivable` of all of its gates.

        Raises:
            InvalidInputError: it names a file that is not among `files`.
            NewerFormatError: its kind is not known to this Regista.
        """
        name, params = split_gate(value)
        kind = find_kind(name)
        given = as_params(params)
        for names_it, becomes in kind.files.items():
            if names_it in given:
                given[becomes] = _file(given[names_it], files)
        waived_by = Waivable.from_json(given.get("waivable", waivable))
        return cls(given.get("id") or kind.default_id(given), name, given, waived_by)

    def to_json(self) -> Json:
        """Return the gate with all that its verdict can depend on."""
        value = {"id": self.id, "kind": self.kind, "params": dict(self.params)}
        if self.waivable and "waivable" not in self.params:
            waivable = {"by": list(self.waivable.by), "max": self.waivable.max}
            return {**value, "waivable": waivable}
        return value


@dataclass(frozen=True, slots=True)
class Rule:
    """The gates in front of one stage, for the entries that it matches.

    Attributes:
        index: its place in the policy, from 0.
        match_kind: kind of entry, or `*`.
        match_names: name patterns; one that matches is enough.
        stage: the stage, or gated alias, that it guards.
        from_stage: stage that the candidate must hold now; None when it need not hold any.
        gates: its conditions, in order.
    """

    index: int
    match_kind: str
    match_names: tuple[str, ...]
    stage: str
    from_stage: str | None
    gates: tuple[Gate, ...]

    @classmethod
    def from_json(cls, index: int, value: Json, files: Mapping[str, str]) -> Self:
        """Read a checked rule."""
        match, waivable = value.get("match") or {}, value.get("waivable")
        names = match.get("name", ANY)
        return cls(
            index,
            match.get("kind", ANY),
            (names,) if isinstance(names, str) else tuple(names),
            value["stage"],
            value.get("from"),
            tuple(Gate.from_json(gate, files, waivable) for gate in value.get("gates") or []),
        )

    def to_json(self) -> Json:
        """Return what the rule asks, without its place in the policy."""
        return {
            "match": {"kind": self.match_kind, "name": list(self.match_names)},
            "stage": self.stage,
            "from": self.from_stage,
            "gates": [gate.to_json() for gate in self.gates],
        }

    def covers(self, kind: str, name: str) -> bool:
        """Say whether the rule is about an entry."""
        if self.match_kind not in (ANY, kind):
            return False
        return any(matches(pattern, name) for pattern in self.match_names)


@dataclass(frozen=True, slots=True)
class Policy:
    """What an entry's versions may enter, and on what conditions.

    Attributes:
        stages: the stages in order.
        side_stages: stages beside that order.
        on_register: stage that takes every new version without a gate; None for none.
        ungated: `allow` or `refuse` a placement that no rule covers.
        gated_aliases: aliases that are guarded by rules as stages are.
        rules: the rules in order.
        groups: people by the name of their group.
        policy_change: gates in front of the next policy, none of which needs a version.
    """

    format: int
    stages: tuple[str, ...]
    side_stages: tuple[str, ...]
    on_register: str | None
    ungated: str
    gated_aliases: tuple[str, ...]
    rules: tuple[Rule, ...]
    groups: Groups = field(default_factory=dict)
    policy_change: tuple[Gate, ...] = ()

    @classmethod
    def from_json(cls, value: Json, files: Mapping[str, str] | None = None) -> Self:
        """Read a checked policy.

        Args:
            value: the parsed policy.
            files: texts of the files that its gates name, by path as written there.

        Raises:
            InvalidInputError: a gate names a file that is not among `files`.
            NewerFormatError: a gate's kind is not known to this Regista.
        """
        rules = enumerate(value.get("rules") or [])
        return cls(
            value["format"],
            tuple(value["stages"]),
            tuple(value.get("side_stages") or ()),
            value.get("on_register"),
            value.get("ungated", ALLOW),
            tuple(value.get("gated_aliases") or ()),
            tuple(Rule.from_json(index, rule, files or {}) for index, rule in rules),
            {name: tuple(people) for name, people in (value.get("groups") or {}).items()},
            tuple(Gate.from_json(gate, {}) for gate in value.get("policy_change") or []),
        )

    @property
    def all_stages(self) -> tuple[str, ...]:
        """All stages: those in order, then those beside."""
        return self.stages + self.side_stages


def matching_rules(policy: Policy, kind: str, name: str, stage: str) -> tuple[Rule, ...]:
    """Return every rule for an entry's way into a stage or gated alias, in policy order."""
    return tuple(rule for rule in policy.rules if rule.stage == stage and rule.covers(kind, name))


def rules_digest(rules: Iterable[Rule]) -> str:
    """Return the digest of what rules ask; it stays when other rules come or go."""
    return canonical.digest([rule.to_json() for rule in rules])


def gates_digest(gates: Iterable[Gate]) -> str:
    """Return the digest of what gates outside of a rule ask."""
    return canonical.digest([gate.to_json() for gate in gates])


def split_gate(value: object) -> tuple[str, Any]:
    """Return the kind and the parameters of a gate as written: `{kind: params}` or `kind`."""
    if isinstance(value, dict):
        [(kind, params)] = value.items()
        return str(kind), params
    return str(value), None


def named_files(value: Json) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give every file that the gates of a checked policy name, with its place in the policy."""
    for index, rule in enumerate(value.get("rules") or []):
        for place, gate in enumerate(rule.get("gates") or []):
            kind, params = split_gate(gate)
            for name in find_kind(kind).files:
                if name in as_params(params):
                    yield ("rules", index, "gates", place, kind, name), params[name]


def _file(name: str, files: Mapping[str, str]) -> str:
    if name not in files:
        raise InvalidInputError(
            f"the policy names {shown(name)}, which is not stored with it",
            hint="regista policy apply FILE again, beside the file that it names",
        )
    return files[name]
