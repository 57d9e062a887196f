from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.cli import render
from regista.cli.render import Page, Terminal
from regista.cli.text import width

NOW = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
CELLS = st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60), st.integers()), max_size=5)


def page(columns: int | None = 80, *, colour: bool = False) -> Page:
    return Page(Terminal(columns, colour))


def test_columns_are_aligned_numbers_to_the_right() -> None:
    made = page()
    made.table(("NAME", "N"), [("a", 5), ("longer", 1000)], right=("N",))
    assert made.lines == ["NAME       N", "a          5", "longer  1000"]


def test_wide_letters_do_not_shift_what_follows() -> None:
    made = page()
    made.table(("NAME", "X"), [("模型", "1"), ("abcd", "2")])
    assert made.lines[1:] == ["模型  1", "abcd  2"]


@given(CELLS, st.integers(40, 120))
def test_a_table_fits_the_terminal(rows: list[tuple[str, str, int]], columns: int) -> None:
    made = page(columns)
    made.table(("ONE", "OTHER", "N"), rows, wrapped=("OTHER",), right=("N",))
    number = max([width(str(row[2])) for row in rows], default=1)
    assert all(width(line) <= max(columns, number + 20) for line in made.lines)


def test_without_a_terminal_nothing_is_cut() -> None:
    made = page(None)
    made.table(("A", "B"), [("x" * 300, "y")])
    assert made.lines[1] == f"{'x' * 300}  y"


def test_cut_columns_give_way_before_wrapped_ones() -> None:
    made = page(60)
    made.table(("WHO", "DETAIL"), [("w" * 40, "d " * 18)], wrapped=("DETAIL",))
    assert made.lines[1].startswith("w" * 15 + "…") or made.lines[1].count("w") >= 15
    assert "d " * 15 in made.lines[1]


def test_kept_columns_are_never_narrowed() -> None:
    made = page(40)
    made.table(("WHEN", "TEXT"), [("2026-03-03 09:30", "t" * 50)], keep=("WHEN",))
    assert made.lines[1].startswith("2026-03-03 09:30  ttt")
    assert made.lines[1].endswith("…")


def test_optional_columns_are_shown_only_when_a_row_has_something_in_them() -> None:
    made = page()
    made.table(("A", "B"), [("1", None)], optional=("B",))
    assert made.lines == ["A", "1"]
    made.table(("A", "B"), [("1", None), ("2", "x")], optional=("B",))
    assert made.lines[2:] == ["A  B", "1", "2  x"]


def test_hostile_cells_are_made_visible() -> None:
    made = page()
    made.table(("NAME",), [("\x1b[31mred\x07",)])
    made.fields([("key\x1b", "va\nlue")])
    made.line("\x1b]0;title\x07")
    made.prose("one\n\x1b[2J")
    assert "\x1b" not in str(made)
    assert "\x07" not in str(made)


def test_colour_is_only_for_terminals_and_never_the_only_sign() -> None:
    plain, coloured = page(), page(colour=True)
    for made in (plain, coloured):
        made.table(("STATUS", "GATE"), [("failed", "x")])
        made.verdict("refused", "it stays out")
    assert "\x1b" not in str(plain)
    assert "\x1b[31mfailed\x1b[0m" in str(coloured)
    assert "failed" in str(plain)
    assert plain.lines[-1] == "refused: it stays out"


def test_fields_without_a_value_are_left_out_and_long_ones_wrap() -> None:
    made = page(40)
    made.fields([("a", None), ("name", "word " * 12), ("b", "")])
    assert made.lines[0].startswith("  name  word")
    assert all(line.startswith("        word") for line in made.lines[1:])
    assert all(width(line) <= 40 for line in made.lines)


def test_no_color_and_dumb_terminals_get_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert render.stdout_terminal({"COLUMNS": "90"}) == Terminal(90, colour=True)
    assert not render.stdout_terminal({"NO_COLOR": "1"}).colour
    assert not render.stdout_terminal({"TERM": "dumb"}).colour


def test_a_pipe_has_no_width_unless_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: False)
    assert render.stdout_terminal({}) == Terminal(None, colour=False)
    assert render.stdout_terminal({"COLUMNS": "72"}).width == 72
    assert render.stdout_terminal({"COLUMNS": "wide"}).width is None


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("2026-03-03T09:29:30.000000Z", "just now"),
        ("2026-03-03T09:20:00.000000Z", "10 min ago"),
        ("2026-03-03T04:00:00.000000Z", "5 h ago"),
        ("2026-02-28T09:30:00.000000Z", "3 d ago"),
        ("2025-12-20T09:30:00.000000Z", "2 mo ago"),
        ("2023-03-03T09:30:00.000000Z", "3 y ago"),
        ("2026-03-03T10:30:00.000000Z", "in the future"),
    ],
)
def test_times_are_told_in_their_largest_unit(time: str, text: str) -> None:
    assert render.ago(time, NOW) == text


def test_a_time_is_shown_absolute_and_relative() -> None:
    assert render.when("2026-02-28T09:30:00.000000Z", NOW) == "2026-02-28 09:30 UTC, 3 d ago"
    assert not render.when("")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_400_000, "1.4 MB"),
        (999_960, "1.0 MB"),
        (10**15, "1.0 PB"),
    ],
)
def test_sizes_are_in_decimal_units(count: int, text: str) -> None:
    assert render.size(count) == text


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.934, "0.934"), (0.1 + 0.2, "0.3"), (-1.5e-9, "-1.5e-09")]
)
def test_numbers_are_short(value: float | None, text: str) -> None:
    assert render.number(value) == text
    assert render.number(1.0, signed=True) == "+1"
