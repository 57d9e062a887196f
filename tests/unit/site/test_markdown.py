"""Markdown of strangers: only what the list allows comes out, whatever goes in."""

import re

import nh3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regista.site.markdown import MAX_LENGTH, plain, to_html
from support import site_hostile
from support.site_html import read_page

TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title", "rel"}, "ol": {"start"}}
FORBIDDEN = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
    "<style>*{display:none}</style>", "<iframe src=https://e.example>", "<b>bold</b>",
    "<object data=x>", "<embed src=x>", "<form action=x><input name=q></form>", "<base href=x>",
    "<meta http-equiv=refresh content=0>", "<link rel=stylesheet href=x>",
    "<math><mi>x</mi></math>",
    '<p style="position:fixed">x</p>', '<div id="main" class="x">x</div>', "<video src=x></video>",
    "<details open ontoggle=alert(1)>x</details>", "<template>x</template>", "<!-- x -->",
    "<?php x ?>", "<![CDATA[x]]>", "<!DOCTYPE html>", "</main></body>", "![x](https://e.example/x.png)",
    "[![x](https://e.example/x.png)](https://e.example)", "<a href=x onclick=alert(1)>x</a>",
    "```html\n<script>alert(1)</script>\n```", "    <script>alert(1)</script>", "`<script>`",
    "| a |\n|---|\n| <img src=x> |", "# <script>alert(1)</script>", "> <svg onload=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;", "\u0000<script>", "<scr\u0000ipt>alert(1)</script>",
    "```<img/src=x>\nx\n```", '[x](https://e.example "<script>")', "<https://e.example/<script>>",
)  # fmt: skip
NO_LINKS = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "vbscript:x",
    "data:text/html,x", "file:///etc/passwd", "ftp://e.example/x", "tel:1", "blob:x", "x:y",
    "//e.example/x", "/etc/passwd", "../../../index.html", "index.html", "#top", "?q", "",
    "\\\\e.example\\share", "&#106;avascript:alert(1)", "javascript&colon;alert(1)",
    "%6aavascript:alert(1)", "\u0001javascript:alert(1)", "view-source:https://e.example",
)  # fmt: skip
LINKS = (
    "https://e.example/a?b=c&d#e",
    "http://e.example",
    "mailto:a@e.example",
    "HTTPS://E.example",
)


def elements(html: str) -> list[tuple[str, set[str]]]:
    """Return each element with its attributes, as a browser would read them."""
    return [
        (tag.lower(), set(re.findall(r"([a-z-]+)=\"", rest)))
        for tag, rest in re.findall(r"<([A-Za-z!?][^\s>/]*)([^>]*)>", html)
    ]


def assert_listed(html: str) -> None:
    for tag, attributes in elements(html):
        assert tag in TAGS, html[:300]
        assert attributes <= ATTRIBUTES.get(tag, set()), html[:300]


def assert_harmless(html: str) -> None:
    assert_listed(html)
    allowed = {tag: names - {"rel"} for tag, names in ATTRIBUTES.items()}
    # a second pass of the sanitiser finds nothing more to do
    again = nh3.clean(
        html, tags=TAGS, attributes=allowed, link_rel="noopener noreferrer nofollow",
        url_schemes={"http", "https", "mailto"}, url_relative="deny",
    )  # fmt: skip
    assert again == html


@pytest.mark.parametrize("text", FORBIDDEN)
def test_nothing_but_the_list_comes_out(text: str) -> None:
    for around in (
        "{}",
        "before\n\n{}\n\nafter",
        "*x {} y*",
        "- {}",
        "[x]({})",
        "[{}](https://e.e)",
    ):
        html = str(to_html(around.format(text)))
        assert_harmless(html)
        assert "<img" not in html
        assert "<script" not in html


@pytest.mark.parametrize("url", NO_LINKS)
def test_a_link_that_may_not_be_is_none(url: str) -> None:
    for text in (f"[x]({url})", f"[x](<{url}>)", f"<{url}>", f"[x][r]\n\n[r]: {url}"):
        html = str(to_html(text))
        assert_harmless(html)
        assert "href" not in html, (text, html)


@pytest.mark.parametrize("url", LINKS)
def test_a_link_that_may_be_tells_nobody_where_it_was(url: str) -> None:
    html = str(to_html(f"[x]({url})"))
    assert 'rel="noopener noreferrer nofollow"' in html
    assert html.count("href=") == 1
    assert_harmless(html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A\n## B\n##### E\n###### F", "<h3>A</h3>\n<h4>B</h4>\n<h6>E</h6>\n<h6>F</h6>\n"),
        ("A\n=\n\nB\n-", "<h3>A</h3>\n<h4>B</h4>\n"),
        ("**b** *i* ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>\n"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>\n'),
        ("a  \nb", "<p>a<br>\nb</p>\n"),
        ("> q", "<blockquote>\n<p>q</p>\n</blockquote>\n"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>\n"),
        ("***", "<hr>\n"),
        ("", ""),
        ("{{ 7*7 }}", "<p>{{ 7*7 }}</p>\n"),
    ],
)
def test_what_people_write_looks_as_they_mean_it(text: str, html: str) -> None:
    assert to_html(text) == html


def test_tables_are_tables() -> None:
    html = str(to_html("| a | b |\n|---|:-:|\n| 1 | 2 |"))
    assert [tag for tag, _ in elements(html)] == [
        "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td",
    ]  # fmt: skip
    assert "style" not in html


def n_times(part: str) -> str:
    return (part * (MAX_LENGTH // len(part)))[:MAX_LENGTH]


HOSTILE = {
    **{part: n_times(part) for part in (
        "[", "]", "[a](", "![", "**_`", "*a ", "*a_ ", "<", "<!--", "&", ">", "> - ", "- ", "# a\n",
        "~~a ", "<http:", "_", "*", "\\", "[a]: <", '[a](b "', "\n", "`", "``` \n", "|", "a|",
        "1. ",
        "\t", "<a ", "]]>", "&#", "[^", "(((", "\u0000", "\u202e", "a\u0301", "=\n", "-\n", "> \n",
        "[a][", "[]", "[](", "<x@", "http://", "***", "* * ", "+\n ", "~", "!", "\r", "&amp;",
    )},
    "ticks": "".join(f"{'`' * n} " for n in range(1, 440)),
    "columns": "a|" * 5000 + "\n" + "-|" * 5000 + "\n" + "x\n" * 30_000,
    "rows": "a|" * 300 + "\n" + "-|" * 300 + "\n" + "x\n" * 49_000,
    "references": "".join(f"[a{n}]: b\n" for n in range(9000)),
    "spaces": f"a{' ' * 99_990}b",
    "lists": site_hostile.nested_lists(),
    "quotes": site_hostile.nested_quotes(),
    "table": site_hostile.wide_table(),
    "unclosed": site_hostile.unclosed(10_000),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
def test_a_text_made_to_be_slow_is_rendered(name: str) -> None:
    text = HOSTILE[name]
    html = str(to_html(text))
    assert_listed(html.removeprefix('<pre class="plain">'))
    assert html.startswith('<pre class="plain">') == (len(text) > MAX_LENGTH)


@given(
    st.text(st.sampled_from("<>[]()!*_`#&;\"'=|-~:/ \n\tascriptjhref@x1.{}%\\\u202e"), max_size=200)
)
def test_nothing_that_is_typed_gets_through(text: str) -> None:
    assert_harmless(str(to_html(text)))


def test_a_long_text_is_shown_as_written_and_cut() -> None:
    text = "# <b>\n" + "x" * MAX_LENGTH
    html = str(to_html(text))
    assert html.startswith('<pre class="plain"># &lt;b&gt;\nxxx')
    assert html.endswith("\n… cut here; all 100,006 characters are in the registry</pre>")
    assert len(html) < MAX_LENGTH + 200
    assert str(plain("x")) == '<pre class="plain">x</pre>'


def test_the_longest_text_that_is_rendered_is() -> None:
    assert str(to_html("x" * MAX_LENGTH)).startswith("<p>")
    assert str(to_html("x" * (MAX_LENGTH + 1))).startswith("<pre")


def test_a_hostile_card_leaves_its_page_whole() -> None:
    html = str(to_html(site_hostile.MARKDOWN))
    assert_harmless(html)
    page = read_page(f"<!doctype html><html lang='en'><body>{html}<p id='end'></p></body></html>")
    assert "end" in page.ids
