"""What the mappings of a policy may hold: the policy itself, a rule, a rule's match, a gate."""

from collections.abc import Callable
from dataclasses import replace

from regista.decide.gates.approvals import KIND as APPROVALS
from regista.decide.gates.field_types import STAGE, choice
from regista.decide.gates.fields import (
    CheckContext,
    Field,
    FieldType,
    Problems,
    check_fields,
    list_problems,
    stage_problems,
    text_problems,
    tried,
)
from regista.decide.gates.kind import WAIVABLE
from regista.decide.gates.registry import KINDS
from regista.decide.people import person
from regista.decide.policy import ALLOW, ANY, FORMAT, REFUSE, split_gate
from regista.decide.policy_problem import (
    MAX_PROBLEMS,
    PolicyProblem,
    described,
    problem,
    unknown,
)
from regista.model.names import KINDS as ENTRY_KINDS
from regista.model.names import slug

_OF_VERSIONS = ("not_author", "waivable")
_CHANGE_HINT = "use approvals with count, from, not_committer, max_age or meaning"
_GATE_HINT = "write - kind: {field: value}, or indent the fields further than the kind"


def _format(value: object, _context: CheckContext) -> Problems:
    if value == FORMAT and not isinstance(value, bool):
        return []
    return problem(f"format must be {FORMAT}, not {described(value)}")


def _names(what: str, field: str) -> Callable[[object, CheckContext], Problems]:
    def one(value: object) -> Problems:
        if not isinstance(value, str):
            return problem(f"{what} name is text, not {described(value)}", "put it in quotes")
        return tried(lambda text: slug(text, what), value)

    return lambda value, _context: list_problems(value, field, one)


def _target(value: object, context: CheckContext) -> Problems:
    if isinstance(value, str) and value in context.aliases:
        return []
    return stage_problems(value, context)


def _patterns(value: object, _context: CheckContext) -> Problems:
    if isinstance(value, list):
        return list_problems(value, "name", lambda item: text_problems(item, "a pattern"))
    return text_problems(value, "a pattern")


def _match(value: object, context: CheckContext) -> Problems:
    return check_fields(MATCH_FIELDS, value, context, "a match")


def _gates(value: object, context: CheckContext) -> Problems:
    if value is None or value == []:
        return []
    return list_problems(value, "gates", lambda item: _gate(item, context))


def _gate(value: object, context: CheckContext) -> Problems:
    if not isinstance(value, str) and not (isinstance(value, dict) and len(value) == 1):
        keys = f" with {len(value)} keys" if isinstance(value, dict) else ""
        message = f"a gate is one kind with its fields, not {described(value)}{keys}"
        return problem(message, _GATE_HINT)
    kind, params = split_gate(value)
    found = KINDS.get(kind)
    if found is None:
        lost = unknown(kind, KINDS, "there is no gate kind")
        return [lost if isinstance(value, dict) else replace(lost, path=(), on_key=False)]
    problems = found.check({} if params is None else params, context)
    return [item.under(kind) if isinstance(value, dict) else item for item in problems]


def _policy_change(value: object, context: CheckContext) -> Problems:
    if value is None or value == []:
        return []
    return list_problems(value, "policy_change", lambda item: _change_gate(item, context))


def _change_gate(value: object, context: CheckContext) -> Problems:
    problems = _gate(value, context)
    if problems:
        return problems
    kind, params = split_gate(value)
    if kind != APPROVALS.kind:
        message = f"a change of the policy has no version, so no {kind} gate can judge it"
        return [PolicyProblem((kind,) if isinstance(value, dict) else (), message, _CHANGE_HINT)]
    wrong = [name for name in _OF_VERSIONS if name in (params or {})]
    return [
        PolicyProblem((kind, name), f"{name} says nothing where there is no version", _CHANGE_HINT)
        for name in wrong
    ]


def _groups(value: object, _context: CheckContext) -> Problems:
    if not isinstance(value, dict):
        return problem(f"groups is a mapping, not {described(value)}", "write {risk: [ann, bob]}")
    problems: Problems = []
    for name, people in value.items():
        if len(problems) >= MAX_PROBLEMS:
            break
        found = tried(lambda text: slug(text, "a group"), name)
        problems += [replace(item, path=(str(name),), on_key=True) for item in found]
        found = list_problems(people, "the group", lambda item: text_problems(item, "an actor"))
        problems += [item.under(name) for item in found or _same_people(people)]
    return problems


def _same_people(people: list[str]) -> Problems:
    seen: dict[str, str] = {}
    problems: Problems = []
    for index, actor in enumerate(people):
        first = seen.setdefault(person(actor), actor)
        if first != actor:
            message = f"{described(actor)} is the same person as {described(first)}"
            problems.append(PolicyProblem((index,), message, "keep one: case does not count"))
    return problems


def _rules(value: object, context: CheckContext) -> Problems:
    if value is None or value == []:
        return []
    return list_problems(value, "rules", lambda item: _rule(item, context))


def _rule(value: object, context: CheckContext) -> Problems:
    stage = value.get("stage") if isinstance(value, dict) else None
    inside = replace(context, target=stage if isinstance(stage, str) else "")
    problems = check_fields(RULE_FIELDS, value, inside, "a rule")
    if isinstance(value, dict) and stage is not None and value.get("from") == stage:
        message = f"a version cannot come from {described(stage)} to the same stage"
        problems.append(PolicyProblem(("from",), message, "name an earlier stage"))
    return problems


MATCH_FIELDS = (
    Field("kind", choice(*ENTRY_KINDS, ANY), "kind of entry", default="`*`, any"),
    Field(
        "name",
        FieldType("pattern, or list of patterns", _patterns),
        "names of entries: `*` is any text, also with `/`; `?` is one character",
        default="`*`, any",
    ),
)
RULE_FIELDS = (
    Field(
        "stage", FieldType("stage or gated alias", _target), "what the rule guards", required=True
    ),
    Field(
        "match", FieldType("mapping", _match), "which entries it is about", default="all entries"
    ),
    Field("from", STAGE, "stage that a candidate must hold now", default="none is asked for"),
    Field(
        "gates", FieldType("list of gates", _gates), "what a candidate must meet", default="none"
    ),
    replace(
        WAIVABLE,
        doc="who may waive those of its gates that do not say it themselves",
        default="nobody",
    ),
)
POLICY_FIELDS = (
    Field(
        "format", FieldType(f"`{FORMAT}`", _format), "version of the policy format", required=True
    ),
    Field(
        "stages",
        FieldType("list of names", _names("a stage", "stages")),
        "the stages, in order",
        required=True,
    ),
    Field(
        "side_stages",
        FieldType("list of names", _names("a stage", "side_stages")),
        "stages beside that order, such as `shadow`",
        default="none",
    ),
    Field(
        "on_register", STAGE, "stage that takes every new version, without gates", default="none"
    ),
    Field(
        "ungated", choice(ALLOW, REFUSE), "what to do where no rule matches", default=f"`{ALLOW}`"
    ),
    Field(
        "gated_aliases",
        FieldType("list of names", _names("an alias", "gated_aliases")),
        "aliases that rules guard as they do stages",
        default="none",
    ),
    Field(
        "rules",
        FieldType("list of rules", _rules),
        "the rules; all that match apply",
        default="none",
    ),
    Field(
        "groups",
        FieldType("mapping of names to lists of actors", _groups),
        "people who may approve and waive",
        default="none",
    ),
    Field(
        "policy_change",
        FieldType("list of `approvals` gates", _policy_change),
        "what the next policy must meet before it is put in force",
        default="none",
    ),
)
