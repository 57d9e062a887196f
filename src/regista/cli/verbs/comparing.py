"""`diff`: what differs between two versions."""

from typing import Any

from regista.cli.exits import ExitCode
from regista.cli.options import Call, as_of, command, entry_argument
from regista.cli.render import Page, number, short, size


@command(name="diff", examples=("regista diff fraud/card@prod fraud/card@latest",))
@entry_argument("one", metavar="A")
@entry_argument("other", metavar="B")
@as_of
def diff(call: Call, one: str, other: str, as_of: str | None) -> ExitCode:
    """Show what differs between two versions.

    Files, parameters, tags, lineage, and the scores over all of the data. - is what only A has,
    + what only B has.
    """
    found = call.reading().diff(one, other, as_of=as_of)
    call.answer(found, lambda page: _diff(page, found))
    return ExitCode.DONE


def _diff(page: Page, found: dict[str, Any]) -> None:
    for mark, side in (("-", found["from"]), ("+", found["to"])):
        page.line(f"{mark} {side['name']} version {side['version']} {short(side['digest'])}")
    if found["same_artifacts"]:
        page.line("  the artifacts are the same")
    _part(page, "Files", _changes(found["files"], _file))
    _part(page, "Facts", [f"~ {name}: {_change(item)}" for name, item in found["facts"].items()])
    _part(page, "Parameters", _changes(found["params"], str))
    _part(page, "Tags", _changes(found["tags"], str))
    _part(
        page,
        "Lineage",
        [
            f"{mark} {item['relation']} {item['target']}"
            for mark, name in (("-", "removed"), ("+", "added"))
            for item in found["lineage"][name]
        ],
    )
    _part(page, "Texts", [f"~ {name} differs" for name in found["texts"]])
    _scores(page, found["scores"])


def _part(page: Page, title: str, lines: list[str]) -> None:
    if lines:
        page.heading(title)
        for line in lines:
            page.line(line, {"-": "red", "+": "green"}.get(line[0], ""))


def _changes(found: dict[str, dict[str, Any]], shown: Any) -> list[str]:  # noqa: ANN401
    return [
        *(f"- {key}: {shown(value)}" for key, value in found["removed"].items()),
        *(f"+ {key}: {shown(value)}" for key, value in found["added"].items()),
        *(
            f"~ {key}: {shown(item['from'])} -> {shown(item['to'])}"
            for key, item in found["changed"].items()
        ),
    ]


def _file(item: dict[str, Any]) -> str:
    return f"{short(item['sha256'])} {size(item['size'])}"


def _change(item: dict[str, Any]) -> str:
    return f"{item['from'] or 'none'} -> {item['to'] or 'none'}"


def _scores(page: Page, scores: list[dict[str, Any]]) -> None:
    if not scores:
        return
    page.heading("Scores")
    page.table(
        ("SUITE", "METRIC", "A", "B", "B - A"),
        [
            (
                item["suite"],
                "/".join(filter(None, (item["task"], item["metric"]))),
                _score(item["from"]),
                _score(item["to"]),
                _score(item["difference"], signed=True),
            )
            for item in scores
        ],
        right=("A", "B", "B - A"),
    )


def _score(text: str | None, *, signed: bool = False) -> str:
    return number(None if text is None else float(text), signed=signed)
