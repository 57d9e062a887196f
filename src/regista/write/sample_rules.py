"""What the values of a per-example result must be, and how they are kept, as SQL.

Each function speaks of the columns that a `SampleSource` gives: the typed values, null where a
value has a wrong type, and `has_*`, which says whether there is one at all.
"""

from regista.model.canonical import MAX_INT
from regista.model.names import MAX_NAME, MAX_TEXT
from regista.model.secrets import all_patterns
from regista.read.duck import quoted
from regista.write.rules import NAMEABLE, no_identifier, no_pairs

# the optional columns of a result, in the table's order
MEASURES = ("slices", "latency_s", "cost_usd", "tokens_in", "tokens_out")
AMOUNTS = ("latency_s", "cost_usd")
COUNTS = ("tokens_in", "tokens_out")
TEXTS = ("input", "output")
REDACTED = "[redacted]"
MAX_SLICES = 4000


def typed() -> dict[str, str]:
    """Return the expression of each column as it is kept, by name."""
    # what is too long is refused in the end, but must not fill the disk until then
    names = {
        name: f"nfc_normalize(left({name}, {MAX_NAME + 1}))" for name in ("sample_id", "metric")
    }
    return {
        **names,
        "task": f"nfc_normalize(left(coalesce(task, ''), {MAX_NAME + 1}))",
        "value": "coalesce(value, passed::DOUBLE) + 0.0",
        "passed": "passed",
        "slices": f"CASE WHEN length(slices) <= {MAX_SLICES} THEN slices END",
        # 0.0 + -0.0 is 0.0, so that equal values have one text
        **{name: f"{name} + 0.0" for name in AMOUNTS},
        **{name: f"TRY_CAST({name} AS BIGINT)" for name in COUNTS},
    }


def redacted(column: str) -> str:
    """Return the expression of a text of an example, cut and without what looks like a secret."""
    patterns = quoted(all_patterns())
    return f"regexp_replace(left({column}, {MAX_TEXT}), {patterns}, {quoted(REDACTED)}, 'g')"


def problem() -> str:
    """Return the SQL that says what is wrong with a row; null when nothing is."""
    cases = [
        ("sample_id IS NULL", "it has no sample_id that is text or an integer"),
        (no_identifier("sample_id"), f"its sample_id is not {NAMEABLE}"),
        ("metric IS NULL", "it has no metric that is text"),
        (no_identifier("metric"), f"its metric is not {NAMEABLE}"),
        ("has_task AND task IS NULL", "its task is not text"),
        (f"task <> '' AND {no_identifier('task')}", f"its task is not {NAMEABLE}"),
        ("has_value AND value IS NULL", "its value is not a number"),
        ("NOT isfinite(value)", "its value is not a finite number"),
        ("has_passed AND passed IS NULL", "its passed is neither true nor false"),
        ("NOT has_value AND NOT has_passed", "it has neither value nor passed"),
        ("has_slices AND slices IS NULL", "its slices are not an object of text to text"),
        (f"length(slices) > {MAX_SLICES}", f"its slices are longer than {MAX_SLICES:,} characters"),
        (no_pairs("slices"), "its slices are not an object of text to text"),
        *((_no_amount(name), f"its {name} is not a finite number from 0") for name in AMOUNTS),
        *((_no_count(name), f"its {name} is not a count") for name in COUNTS),
    ]
    whens = " ".join(f"WHEN {condition} THEN {quoted(text)}" for condition, text in cases)
    return f"CASE {whens} END"


def _no_amount(name: str) -> str:
    return f"has_{name} AND coalesce(NOT isfinite({name}) OR {name} < 0, true)"


def _no_count(name: str) -> str:
    whole = f"{name} BETWEEN 0 AND {MAX_INT} AND {name} = trunc({name})"
    return f"has_{name} AND NOT coalesce({whole}, false)"


def parsed(text: str) -> str:
    """Return the expression of a text as JSON; a number, which is no object, where it is none."""
    return f"CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) ELSE '0' END"


def sorted_object(text: str) -> str:
    """Return the expression of a JSON object of plain values as one text, keys in order.

    Args:
        text: an expression that is valid JSON; null where it is no such object.
    """
    pairs = f"list_sort(map_entries(from_json({text}, '\"MAP(VARCHAR, VARCHAR)\"')))"
    nested = (
        f"len(list_filter(json_extract({text}, '$.*'), lambda v:"
        " json_type(v) IN ('OBJECT', 'ARRAY', 'NULL')))"
    )
    written = (
        f"'{{' || array_to_string(list_transform({pairs}, lambda e:"
        " to_json(e.key)::VARCHAR || ':' || to_json(e.value)::VARCHAR), ',') || '}'"
    )
    twice = f"len(json_keys({text})) <> len(list_distinct(json_keys({text})))"
    return (
        f"CASE WHEN json_type({text}) <> 'OBJECT' THEN NULL WHEN {twice} THEN NULL"
        f" WHEN {nested} > 0 THEN NULL ELSE {written} END"
    )
