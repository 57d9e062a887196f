"""What the mappings of a policy's test file may hold, said once: for the check and for the docs.

Names of stages, suites and gates are not checked here: the policy that is tested knows them, and
the planners say what is wrong with them.
"""

from collections.abc import Callable

from regista.decide.gates.field_types import BOOLEAN, DECIMAL, DURATION, choice, text, texts, whole
from regista.decide.gates.fields import (
    CheckContext,
    Field,
    FieldType,
    Problems,
    check_fields,
    text_problems,
)
from regista.decide.operations.evaluating import RUN_STATUSES
from regista.decide.policy_problem import MAX_PROBLEMS, described, problem
from regista.decide.verdict import Outcome, VerdictStatus
from regista.model.names import KINDS

WHOLE, MISSING, CORRUPT, ELSEWHERE = "whole", "missing", "corrupt", "elsewhere"
MAX_TESTS = 1_000
_MAX_COUNT = 1_000_000_000_000

Item = Callable[[object, CheckContext], Problems]


def _mapping_of(what: str, item: Item) -> Item:
    """Return the check of a mapping whose keys are names."""

    def check(value: object, context: CheckContext) -> Problems:
        if not isinstance(value, dict):
            return problem(f"{what} is a mapping, not {described(value)}")
        problems: Problems = []
        for key, entry in value.items():
            if len(problems) >= MAX_PROBLEMS:
                break
            problems += [found.under(key) for found in item(entry, context)]
        return problems

    return check


def _list_of(what: str, item: Item, most: int = MAX_TESTS) -> Item:
    """Return the check of a list."""

    def check(value: object, context: CheckContext) -> Problems:
        if not isinstance(value, list):
            return problem(f"{what} is a list, not {described(value)}", "write - for each")
        if len(value) > most:
            return problem(f"{what} has {len(value):,} items; at most {most:,} are taken")
        problems: Problems = []
        for index, entry in enumerate(value):
            if len(problems) >= MAX_PROBLEMS:
                break
            problems += [found.under(index) for found in item(entry, context)]
        return problems

    return check


def _mapping(fields: tuple[Field, ...], what: str) -> Item:
    return lambda value, context: check_fields(fields, value, context, what)


def _tests(value: object, context: CheckContext) -> Problems:
    if value in (None, []):
        return problem("there is no test", "add one: - name, to and expect")
    return _list_of("tests", _mapping(TEST_FIELDS, "a test"))(value, context)


def _one_or_more(fields: tuple[Field, ...], what: str) -> Item:
    one = _mapping(fields, what)
    several = _list_of(what, one)
    return lambda value, context: (several if isinstance(value, list) else one)(value, context)


def _texts_by_key(what: str) -> FieldType:
    return FieldType(
        "mapping of text", _mapping_of(what, lambda value, _context: text_problems(value, what))
    )


def _free_text(value: object, _context: CheckContext) -> Problems:
    return [] if isinstance(value, str) else problem(f"must be text, not {described(value)}")


def _score(value: object, context: CheckContext) -> Problems:
    if isinstance(value, dict):
        return check_fields(SCORE_FIELDS, value, context, "a score")
    return DECIMAL.check(value, context)


def _slice(value: object, context: CheckContext) -> Problems:
    if isinstance(value, dict):
        return check_fields(SLICE_FIELDS, value, context, "a score")
    return DECIMAL.check(value, context)


def _result(value: object, context: CheckContext) -> Problems:
    return [] if isinstance(value, bool) else DECIMAL.check(value, context)


def _run(value: object, context: CheckContext) -> Problems:
    if isinstance(value, dict) and "scores" in value:
        return check_fields(RUN_FIELDS, value, context, "a run")
    if isinstance(value, dict) and "status" in value:
        return check_fields(RUN_FIELDS, value, context, "a run")
    return _mapping_of("a run", _score)(value, context)


def _runs(value: object, context: CheckContext) -> Problems:
    if isinstance(value, list):
        return _list_of("runs", _run)(value, context)
    return _run(value, context)


def _holds(value: object, context: CheckContext) -> Problems:
    if isinstance(value, dict):
        return _mapping_of("holds", DURATION.check)(value, context)
    if isinstance(value, list):
        return texts("a stage").check(value, context)
    return text_problems(value, "a stage")


def _approval(value: object, context: CheckContext) -> Problems:
    if isinstance(value, dict):
        return check_fields(APPROVAL_FIELDS, value, context, "an approval")
    return text_problems(value, "who approves")


_SLICES = FieldType("mapping of slices to scores", _mapping_of("slices", _slice))
SLICE_FIELDS = (
    Field("value", DECIMAL, "the score", required=True),
    Field("stderr", DECIMAL, "its standard error"),
    Field("n", whole(0, _MAX_COUNT), "examples behind it"),
)
SCORE_FIELDS = (
    *SLICE_FIELDS,
    Field("direction", choice("higher", "lower"), "which is better"),
    Field("task", text("a task"), "task within the suite"),
    Field("slices", _SLICES, "the score on slices of the data: a number, or value, stderr and n"),
)
RUN_FIELDS = (
    Field(
        "scores",
        FieldType("mapping of metrics to scores", _mapping_of("scores", _score)),
        "a number each, or the fields of a score",
    ),
    Field(
        "samples",
        FieldType(
            "mapping of metrics to lists",
            _mapping_of("samples", _list_of("samples", _result, 100_000)),
        ),
        "per-example results; the same place in two runs is the same example",
    ),
    Field("status", choice(*RUN_STATUSES), "what became of the run", default="`complete`"),
    Field("dataset", text("a dataset"), "dataset that it was evaluated on"),
    Field("age", DURATION, "how long before the decision it was logged", default="`1h`"),
    Field("by", text("an actor"), "who logged it", default="`evaluator`"),
)
APPROVAL_FIELDS = (
    Field("by", text("an actor"), "who approves", required=True),
    Field("age", DURATION, "how long before the decision", default="`10m`"),
    Field("meaning", text("a meaning"), "what the yes stands for"),
)
WAIVER_FIELDS = (
    Field("gate", text("a gate"), "id of the gate", required=True),
    Field("by", text("an actor"), "who waives it", required=True),
    Field("age", DURATION, "how long before the decision", default="`5m`"),
    Field("lasts", DURATION, "how long it holds from then on", default="`1h`"),
)
VERSION_FIELDS = (
    Field(
        "evals",
        FieldType("mapping of suites to runs", _mapping_of("evals", _runs)),
        "`{metric: value}`, or the fields of a run, or a list of runs, the latest last",
    ),
    Field(
        "holds",
        FieldType("stage, list of stages, or `{stage: duration}`", _holds),
        "stages that it holds, and for how long",
        default="none, for `1d`; of an incumbent also the one asked for, since it was registered",
    ),
    Field("by", text("an actor"), "who registered it", default="`author`"),
    Field("age", DURATION, "how long before the decision it was registered", default="`90d`"),
    Field("tags", _texts_by_key("a tag"), "its tags"),
    Field("params", _texts_by_key("a parameter"), "its parameters"),
    Field("card", FieldType("text", _free_text), "its card"),
    Field("description", FieldType("text", _free_text), "its description"),
    Field("label", text("a label"), "its label"),
    Field("run", text("a run"), "the training run that it came from"),
    Field("code", text("a code revision"), "the code revision that it came from"),
    Field("dataset", texts("a dataset"), "datasets that it came from, `NAME@NUMBER`"),
    Field("base", texts("a base"), "versions that it came from, `NAME@NUMBER`"),
    Field("member", texts("a member"), "versions that a bundle holds, `NAME@NUMBER`"),
    Field(
        "artifacts",
        choice(WHOLE, MISSING, CORRUPT, ELSEWHERE),
        "what a look at its files finds",
        default=f"`{WHOLE}`",
    ),
    Field(
        "approvals",
        FieldType(
            "list of actors, or of approvals",
            _list_of("approvals", _approval),
        ),
        "who said yes to it for the stage",
    ),
    Field(
        "waivers",
        FieldType("list of waivers", _list_of("waivers", _mapping(WAIVER_FIELDS, "a waiver"))),
        "exceptions for it on its way to the stage",
    ),
)
DRILL_FIELDS = (
    Field("stage", text("a stage"), "the stage", default="the one asked for"),
    Field("age", DURATION, "how long before the decision", default="`1d`"),
    Field("ok", BOOLEAN, "whether it went well", default="true"),
)
TEST_FIELDS = (
    Field("name", text("a name"), "what it shows", required=True),
    Field("to", text("a stage"), "the stage, or gated alias, asked for", required=True),
    Field("expect", choice(*Outcome), "outcome of the decision", required=True),
    Field(
        "gates",
        FieldType(
            "mapping of gates to verdicts",
            _mapping_of(
                "gates", lambda value, context: choice(*VerdictStatus).check(value, context)
            ),
        ),
        "expected verdicts, by the gates' ids; those not named may be any",
    ),
    Field("entry", text("an entry"), "name of the entry", default="`example`"),
    Field("kind", choice(*KINDS), "kind of the entry", default="`model`"),
    Field(
        "candidate",
        FieldType("version", _mapping(VERSION_FIELDS, "a version")),
        "the version that asks",
        default="one with nothing on record",
    ),
    Field(
        "incumbent",
        FieldType("version, or list of versions", _one_or_more(VERSION_FIELDS, "a version")),
        "what the stage holds; of a list, the last, with the others below it on the stack",
    ),
    Field("drill", FieldType("drill", _mapping(DRILL_FIELDS, "a drill")), "a rehearsed rollback"),
    Field("by", text("an actor"), "who asks", default="`ci`"),
)
FILE_FIELDS = (
    Field("policy", FieldType("path", _free_text), "the policy, beside the test file"),
    Field("tests", FieldType("list of tests", _tests), "the tests", required=True),
)
