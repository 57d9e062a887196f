from pathlib import Path

from regista.cli.commands import COMMANDS
from regista.cli.reference import reference


def test_the_committed_reference_is_what_the_program_says() -> None:
    page = Path(__file__).parents[3] / "docs" / "cli.md"
    assert page.read_text(encoding="utf-8") == reference(), (
        "run: python -m regista.cli.reference > docs/cli.md"
    )


def test_the_reference_has_every_command() -> None:
    text = reference()
    assert all(f"\n### regista {name}\n" in text for name in COMMANDS)
