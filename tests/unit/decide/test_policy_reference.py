"""The policy reference: its generated parts are what the code says."""

import re
from pathlib import Path

import pytest

from regista.decide.policy_reference import generated_parts
from regista.policyfile import lint

PAGE = Path(__file__).parents[3] / "docs" / "policy.md"


@pytest.mark.parametrize("name", generated_parts())
def test_each_generated_part_stands_in_the_page_as_generated(name: str) -> None:
    begin, end = f"<!-- generated: {name} -->\n", "<!-- end generated -->"
    [written] = re.findall(f"{re.escape(begin)}(.*?){end}", PAGE.read_text("utf-8"), re.DOTALL)
    assert written.strip() == generated_parts()[name].strip()


def test_the_pages_first_example_is_a_right_policy() -> None:
    [example, *_others] = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    problems = lint(example, "policy.yaml", lambda _name: "SELECT 1")
    assert [problem for problem in problems if problem.severity == "error"] == []
