"""Which table files to read: any state that writers and mergers can leave gives a right cover."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.storage import cover
from regista.storage.cover import (
    FANOUT,
    MAX_LEVEL,
    Span,
    TableFile,
    blocks,
    choose_cover,
    covered_to,
    due_merges,
    is_aligned,
)

SHORT = (1, 2, 4, 8, 16, 32)


@st.composite
def spans(draw: st.DrawFn, max_level: int = MAX_LEVEL) -> Span:
    merged = [FANOUT**level for level in range(1, max_level + 1)]
    length = draw(st.sampled_from([*SHORT, *merged]))
    # numbers have twelve digits, as those of log files have
    index = draw(st.integers(0, min(200, 10**12 // length - 2)))
    return Span(index * length + 1, (index + 1) * length)


def seqs(chosen: set[Span] | tuple[Span, ...]) -> list[int]:
    return [seq for span in chosen for seq in range(span.first, span.last + 1)]


@given(spans())
def test_a_span_reads_back_as_itself_and_sorts_by_name_as_by_number(span: Span) -> None:
    assert Span.parse(str(span)) == span
    assert str(span) < str(Span(span.last + 1, span.last + span.commits))


@given(st.sampled_from(["versions", "eval_scores", "commits"]), spans())
def test_a_key_reads_back_as_the_file_that_it_names(table: str, span: Span) -> None:
    file = TableFile(table, span)
    assert TableFile.parse(file.key) == file


@pytest.mark.parametrize(
    "text",
    [
        "000000000002-000000000065",
        "000000000001-000000000063",
        "1-1",
        "schema",
        "000000000000-000000000000",
        "000000000001-000000000001 ",
        "000000000002-000000000001",
        "000000000002-000000000003",
        "000000000001-000000000003",
        "000000000001-000000000128",
    ],
)
def test_a_name_that_is_no_aligned_span_names_nothing(text: str) -> None:
    assert Span.parse(text) is None
    assert TableFile.parse(f"tables/versions/{text}.parquet") is None


@pytest.mark.parametrize(
    "key",
    [
        "tables/versions/schema.parquet",
        "tables/versions/000000000001-000000000001.txt",
        "data/versions/000000000001-000000000001.parquet",
        "tables/a/b/000000000001-000000000001.parquet",
    ],
)
def test_other_keys_are_no_table_files(key: str) -> None:
    assert TableFile.parse(key) is None


def test_an_unaligned_span_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="not an aligned span"):
        Span(2, 65)


@given(st.sets(spans(max_level=2), max_size=60))
def test_the_cover_of_any_files_holds_every_commit_once_and_none_is_lost(found: set[Span]) -> None:
    chosen = choose_cover(found)
    assert set(chosen.chosen) | set(chosen.superseded) == found
    assert all(
        before.last < after.first
        for before, after in zip(chosen.chosen, chosen.chosen[1:], strict=False)
    )
    assert all(any(longer.holds(short) for longer in chosen.chosen) for short in chosen.superseded)


@given(st.sets(spans(max_level=1), max_size=100))
def test_coverage_ends_before_the_first_gap(found: set[Span]) -> None:
    held = set(seqs(found))
    expected = next(seq for seq in range(1, 64 * 202) if seq not in held) - 1
    assert covered_to(found) == expected


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_blocks_are_the_fewest_aligned_spans_of_a_range(first: int, count: int) -> None:
    cut = blocks(first, first + count - 1)
    assert seqs(tuple(cut)) == list(range(first, first + count))
    assert all(is_aligned(span.first, span.last) for span in cut)
    assert not any(is_aligned(before.first, after.last) for before, after in pairwise(cut))
    assert len(cut) <= len({span.commits for span in cut}) * (FANOUT - 1)


@given(st.integers(0, 10_000))
def test_after_the_due_merges_none_is_due_and_coverage_is_the_same(head: int) -> None:
    found = {Span(seq, seq) for seq in range(1, head + 1)}
    due = due_merges(found)
    after = {span for span in found if not any(merged.holds(span) for merged in due)} | set(due)
    assert due_merges(after) == []
    assert covered_to(after) == head
    assert len(after) <= 63 * 3


def test_a_million_commits_are_at_most_some_two_hundred_files() -> None:
    assert max(len(blocks(1, head)) for head in range(999_000, 1_000_000)) <= 63 * 4


@given(spans(max_level=3), spans(max_level=3))
def test_two_spans_nest_or_are_disjoint(one: Span, other: Span) -> None:
    apart = one.last < other.first or other.last < one.first
    assert apart or one.holds(other) or other.holds(one)


@given(st.data())
def test_a_crash_between_any_two_steps_of_merges_leaves_every_commit_in_the_cover_once(
    data: st.DataObject,
) -> None:
    """Steps of writers and mergers, cut off anywhere, on a table with rows in some commits."""
    head = data.draw(st.integers(1, 300))
    with_rows = set(data.draw(st.lists(st.integers(1, head), max_size=40)))
    files = {"t": set[Span](), cover.COMMITS: set[Span]()}
    steps = data.draw(st.integers(0, 3 * head))
    for table, add, span in _steps(head, with_rows):
        if steps == 0:
            break
        steps -= 1
        if add:
            files[table].add(span)
        else:
            files[table].discard(span)
        covered = covered_to(files[cover.COMMITS])
        held = seqs(choose_cover(files["t"]).chosen)
        assert len(held) == len(set(held))
        assert {seq for seq in with_rows if seq <= covered} <= set(held)


def _steps(head: int, with_rows: set[int]) -> list[tuple[str, bool, Span]]:
    steps: list[tuple[str, bool, Span]] = []
    for seq in range(1, head + 1):
        single = Span(seq, seq)
        steps += [("t", True, single)] * (seq in with_rows) + [(cover.COMMITS, True, single)]
        if seq % FANOUT == 0:
            merged = Span(seq - FANOUT + 1, seq)
            inside = [Span(n, n) for n in range(merged.first, seq + 1)]
            rows = [span for span in inside if span.first in with_rows]
            steps += [("t", True, merged)] * bool(rows) + [(cover.COMMITS, True, merged)]
            steps += [("t", False, span) for span in rows]
            steps += [(cover.COMMITS, False, span) for span in inside]
    return steps
