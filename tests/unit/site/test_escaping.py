import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from regista.site.escaping import EscapingEnvironment, escaped


@given(st.text() | st.integers() | st.none() | st.floats() | st.text().map(Markup))
def test_it_shows_what_markupsafe_shows(value: object) -> None:
    assert escaped(value) == escape(value)


@pytest.mark.parametrize(
    "text", ["{{ x }}", "{% set y %}{{ x }}{% endset %}{{ y }}", "{{ x|upper }}"]
)
def test_templates_escape(text: str) -> None:
    made = EscapingEnvironment(autoescape=True).from_string(text).render(x="<a href='&\">")
    assert made.lower() == "&lt;a href=&#39;&amp;&#34;&gt;"


def test_templates_call_our_escaping() -> None:
    # else pages are right but slow
    assert "environment.escaped(" in EscapingEnvironment(autoescape=True).compile(
        "{{ x }}", raw=True
    )


def test_a_name_that_is_not_there_is_an_error() -> None:
    environment = EscapingEnvironment(autoescape=True, undefined=StrictUndefined)
    with pytest.raises(UndefinedError):
        environment.from_string("{{ x }}").render()
