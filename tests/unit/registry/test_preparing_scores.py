"""Scores as callers give them, and as the log has them: exact, finite, each once."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.errors import InvalidInputError
from regista.registry.preparing import INLINE_ROWS, Preparing, score_row
from regista.storage.memory import MemoryStore

values = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9)
given_scores = st.lists(
    st.fixed_dictionaries(
        {"metric": st.sampled_from("abc"), "value": values},
        optional={"slice": st.sampled_from(("", "s=1")), "n": st.integers(0, 100)},
    ),
    max_size=5,
)


def preparing() -> Preparing:
    return Preparing(MemoryStore("test"))


@given(given_scores)
def test_scores_are_sorted_each_once_and_their_digest_is_that_of_what_was_given(
    scores: list[dict[str, Any]],
) -> None:
    grains = [(score["metric"], score.get("slice", "")) for score in scores]
    if len(set(grains)) < len(grains):
        with pytest.raises(InvalidInputError, match="given twice"):
            preparing().scores(scores)
        return
    payload, digest = preparing().scores(scores)
    rows = payload.rows["eval_scores"]
    assert [(row["metric"], row["slice"]) for row in rows] == sorted(grains)
    again, same = preparing().scores(scores[::-1])
    assert (again, same) == (payload, digest)


@pytest.mark.parametrize(
    ("score", "row"),
    [
        ({"metric": "a", "value": 0.1}, {"value": "0.1"}),
        ({"metric": "a", "value": "0.10"}, {"value": "0.1"}),
        ({"metric": "a", "value": 1, "stderr": 0.5, "n": "7"},
         {"value": "1", "stderr": "0.5", "n": 7}),
        ({"metric": "a", "value": 1, "direction": "lower"},
         {"value": "1", "higher_is_better": False}),
        ({"metric": "a", "value": 1, "higher_is_better": True, "stderr": None, "n": None},
         {"value": "1", "higher_is_better": True}),
        ({"metric": "a", "value": 1, "task": None, "slice": 3}, {"value": "1", "slice": "3"}),
    ],
)  # fmt: skip
def test_a_score_becomes_a_row(score: dict[str, Any], row: dict[str, Any]) -> None:
    assert score_row(score) == {"task": "", "metric": "a", "slice": "", **row}


@pytest.mark.parametrize(
    "score",
    [
        {},
        {"metric": "a"},
        {"value": 1},
        {"metric": None, "value": 1},
        {"metric": "", "value": 1},
        {"metric": "a\nb", "value": 1},
        {"metric": "a", "value": "NaN"},
        {"metric": "a", "value": float("inf")},
        {"metric": "a", "value": "1e999"},
        {"metric": "a", "value": True},
        {"metric": "a", "value": [1]},
        {"metric": "a", "value": 1, "stderr": -1},
        {"metric": "a", "value": 1, "stderr": "x"},
        {"metric": "a", "value": 1, "n": -1},
        {"metric": "a", "value": 1, "n": 1.5},
        {"metric": "a", "value": 1, "n": 1e300},
        {"metric": "a", "value": 1, "direction": "up"},
        {"metric": "a", "value": 1, "higher_is_better": "yes"},
        {"metric": "a", "value": 1, "slice": {"class": 3}},
        {"metric": "a", "value": 1, "slice": ["x"]},
        {"metric": "a", "value": 1, "task": b"x"},
        {"metric": "a", "value": 1, "weight": 2},
        {"metric": "a", "value": 1, 5: 6},
        ["metric", "value"],
        "metric",
        None,
    ],
    ids=repr,
)
def test_a_malformed_score_is_refused_in_one_line(score: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        preparing().scores([score])
    assert caught.value.message.isprintable()


def test_many_scores_of_slices_go_by_digest_and_those_over_all_data_stay_inline() -> None:
    scores = [{"metric": "a", "value": 1}] + [
        {"metric": "a", "value": k, "slice": f"s={k}"} for k in range(INLINE_ROWS + 1)
    ]
    payload, _digest = preparing().scores(scores)
    assert len(payload.rows["eval_scores"]) == 1
    assert [ref.rows for ref in payload.data] == [INLINE_ROWS + 1]
    assert payload.count("eval_scores") == len(scores)


def test_short_texts_are_arguments_and_long_ones_blobs() -> None:
    prepared = preparing()
    assert prepared.text("card", "") == {}
    assert prepared.text("card", "x" * 1000) == {"card": "x" * 1000}
    # the limit is in bytes
    assert set(prepared.text("card", "é" * 501)) == {"card_digest"}
    for hostile in ("a\x00", "x" * 1_000_001, "\ud800"):
        with pytest.raises(InvalidInputError):
            prepared.text("card", hostile)
