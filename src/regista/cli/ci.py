"""What CI systems are told: GitHub's job summary and outputs, GitLab's dotenv file.

Everything a stranger may have written is escaped: a summary is Markdown that a browser shows, and
an output may not smuggle in another. What goes wrong here is a warning; the commit stands.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from regista.cli import output
from regista.cli.gates import HEADERS, OPEN, summary
from regista.cli.text import one_line
from regista.registry.results import Decided, EvalLogged

DOTENV = "REGISTA_DOTENV"
_MARKS = {"passed": "✅", "failed": "❌", "refused": "❌", "undecidable": "❔", "waived": "⚠️"}
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
_MARKUP = frozenset("\\`*_[]|~#!")


def tell_decision(result: Decided, *, asked: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Tell the CI system of a decision.

    Args:
        result: the decision.
        asked: whether it was only asked about (`check`).
        environ: the environment.
    """
    if not _in_ci(environ):
        return
    outputs = {
        "outcome": result.outcome,
        "name": result.name,
        "version": result.version,
        "stage": result.stage,
        "from_version": result.from_version,
        "seq": result.seq,
        "commit": result.commit,
        "failed_gates": ",".join(
            one_line(gate["id"])
            for gate in result.gates
            if gate["status"] in {"failed", "undecidable"}
        ),
    }
    _tell(_decision_page(result, asked=asked), outputs, environ)


def tell_eval(
    result: EvalLogged,
    scores: Sequence[Mapping[str, object]],
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Tell the CI system of a logged evaluation run.

    Args:
        result: what was logged.
        scores: scores as they were given; those over all of the data are shown.
        environ: the environment.
    """
    if not _in_ci(environ):
        return
    what = f"{result.name} version {result.version}, suite {result.suite}"
    lines = [f"### {markdown(what)}: {markdown(result.status)}", ""]
    rows = [
        (score.get("task", ""), score["metric"], score["value"], score.get("stderr"))
        for score in scores
        if not score.get("slice")
    ]
    if rows:
        lines += _table(("TASK", "METRIC", "VALUE", "STDERR"), rows)
    outputs = {
        "run_id": result.run_id,
        "name": result.name,
        "version": result.version,
        "suite": result.suite,
        "status": result.status,
        "scores": result.scores,
        "samples": result.samples,
        "seq": result.seq,
        "commit": result.commit,
    }
    _tell(lines, outputs, environ)


def markdown(text: object) -> str:
    """Return text so that Markdown shows it as it is, on one line: no markup, links or HTML."""
    escaped = "".join(
        _ENTITIES.get(char) or (f"\\{char}" if char in _MARKUP else char)
        for char in one_line(str(text))
    )
    # what would become a link by itself
    return escaped.replace("://", "\\://").replace("www.", "www\\.")


def _decision_page(result: Decided, *, asked: bool) -> list[str]:
    mark = _MARKS.get(result.outcome, "")
    lines = [f"### {mark} {result.outcome}: {markdown(summary(result, asked=asked))}", ""]
    if result.gates:
        lines += _table(
            HEADERS,
            [
                (
                    f"{_MARKS.get(gate['status'], '')} {gate['status']}",
                    gate["id"],
                    gate["observed"],
                    gate["required"],
                )
                for gate in result.gates
            ],
        )
    elif result.ungated:
        lines += ["No rule of the policy covers this, so no gate had a say.", ""]
    for gate in result.gates:
        if gate["status"] in OPEN:
            remedy = gate.get("remedy")
            fix = f" **Fix:** {markdown(remedy)}" if remedy else ""
            lines.append(f"- **{markdown(gate['id'])}**: {markdown(gate['reason'])}{fix}")
    return lines


def _table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    lines = [
        "| " + " | ".join(header.capitalize() for header in headers) + " |",
        "|" + "---|" * len(headers),
    ]
    lines += [
        "| " + " | ".join(markdown("" if cell is None else cell) for cell in row) + " |"
        for row in rows
    ]
    return [*lines, ""]


def _in_ci(environ: Mapping[str, str]) -> bool:
    return "GITHUB_ACTIONS" in environ or "GITLAB_CI" in environ


def _tell(page: Sequence[str], outputs: Mapping[str, object], environ: Mapping[str, str]) -> None:
    texts = {name: "" if value is None else str(value) for name, value in outputs.items()}
    if environ.get("GITHUB_ACTIONS"):
        _append(environ.get("GITHUB_STEP_SUMMARY"), "\n".join(page) + "\n\n")
        _append(environ.get("GITHUB_OUTPUT"), _github_outputs(texts))
    if environ.get("GITLAB_CI"):
        lines = [f"REGISTA_{name.upper()}={one_line(text)}\n" for name, text in texts.items()]
        _append(environ.get(DOTENV), "".join(lines))


def _github_outputs(texts: Mapping[str, str]) -> str:
    # a delimiter that nobody can guess, so that no value can end early and set another output
    end = f"regista_{os.urandom(16).hex()}"
    return "".join(f"{name}<<{end}\n{text}\n{end}\n" for name, text in texts.items())


def _append(path: str | None, text: str) -> None:
    if not path:
        return
    try:
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        output.warn(f"the CI system was not told: {path}: {error.strerror}")
