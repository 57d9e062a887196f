import pytest

from regista.cli.options import Call
from regista.cli.render import Page, Terminal
from regista.cli.sheets import Sheet, Told

SHEET = Sheet(
    "a | title",
    ("NAME", "N", "NOTHING", "0   1"),
    [("<b>x</b>", 5, None, "●"), ("@y", 10, "", "   ●")],
    right=("N",),
    optional=("NOTHING",),
    charts=("0   1",),
    about=["higher is better"],
    notes=["mind *this*"],
)


def test_a_terminal_gets_charts_and_notes() -> None:
    page = Page(Terminal(80))
    SHEET.draw(page)
    assert page.lines == [
        "a | title",
        "higher is better",
        "NAME       N  0   1",
        "<b>x</b>   5  ●",
        "@y        10     ●",
        "note: mind *this*",
    ]


def test_markdown_is_escaped_has_no_charts_and_can_be_pasted() -> None:
    assert SHEET.markdown() == [
        "### a \\| title",
        "",
        "higher is better",
        "",
        "| NAME | N |",
        "|---|--:|",
        "| &lt;b&gt;x&lt;/b&gt; | 5 |",
        "| &#64;y | 10 |",
        "",
        "- mind \\*this\\*",
        "",
    ]


def test_without_rows_it_says_so() -> None:
    page = Page(Terminal(80))
    empty = Sheet("", (), (), empty="there is nothing")
    empty.draw(page)
    assert page.lines == ["there is nothing"]
    assert empty.markdown() == ["there is nothing", ""]


@pytest.mark.parametrize(
    ("format_", "as_json", "text"),
    [
        ("csv", False, 'a,b\n0.1,\n"x,y",true\n'),
        ("json", False, '{"rows":2}\n'),
        ("csv", True, '{"rows":2}\n'),
        ("markdown", False, "there is nothing\n"),
        ("table", False, "there is nothing\n"),
    ],
)
def test_an_answer_has_every_format(
    format_: str, text: str, capsys: pytest.CaptureFixture[str], *, as_json: bool
) -> None:
    rows: list[dict[str, object]] = [{"a": 0.1, "b": None}, {"a": "x,y", "b": True}]
    told = Told({"rows": 2}, ["a", "b"], rows, [Sheet("", (), (), empty="there is nothing")])
    told.tell(Call(json=as_json), format_)
    assert capsys.readouterr().out == text
