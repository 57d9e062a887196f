"""`policy show`, `apply`, `approve` and `lint`: the rules in force."""

import sys
from pathlib import Path
from typing import Any

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.gates import draw_gates, warn_loosened
from regista.cli.inputs import text_of
from regista.cli.options import Call, as_of, command, reason, txid
from regista.cli.render import Page, short
from regista.cli.text import safe_lines
from regista.cli.verbs.signing import meaning
from regista.registry.core import Registry
from regista.registry.results import PolicyApplied, PolicyApproved


@command(
    name="show",
    examples=(
        "regista policy show",
        "regista policy show > policy.yaml",
        "regista policy show --starter team > policy.yaml",
        "regista policy show --starter team --tests > policy.test.yaml",
    ),
)
@as_of
@click.option(
    "--starter",
    metavar="NAME",
    help="Show a policy to start from instead: team, strict, llm or regulated.",
)
@click.option("--tests", is_flag=True, help="With --starter: show its tests.")
def show(call: Call, *, as_of: str | None, starter: str | None, tests: bool) -> ExitCode:
    """Show the policy in force, or one to start from.

    Prints its YAML as it was applied; --json adds the digest, what it says, and its files.
    """
    if starter is not None:
        policy = _starter(starter, tests=tests)
    elif tests:
        raise click.UsageError("--tests needs --starter NAME.")
    else:
        policy = call.reading().policy(as_of=as_of)
    if call.json:
        output.write(output.dumps(policy))
    elif sys.stdout.isatty():
        output.write("\n".join(safe_lines(policy["yaml"].rstrip("\n"))))
    else:
        # to a file it goes as it is, so that it can be edited and applied again
        sys.stdout.write(policy["yaml"])
    return ExitCode.DONE


def _starter(name: str, *, tests: bool) -> dict[str, Any]:
    """Return a starter as `Reads.policy` returns a policy; of its tests only the text."""
    from regista.policyfile import loading

    if tests:
        return {"yaml": loading.starter_text(name, loading.STARTER_TESTS)}
    bundle = loading.starter_policy(name)
    return {
        "digest": bundle.digest, "policy": bundle.value, "files": {}, "yaml": bundle.yaml,
    }  # fmt: skip


@command(name="apply", examples=('regista policy apply policy.yaml --reason "stricter"',))
@click.argument("file", type=click.Path(path_type=Path))
@reason
@txid
def apply(call: Call, file: Path, reason: str, txid: str | None) -> ExitCode:
    """Put a policy file in force.

    The files that it names come with it. The policy in force judges the change by its
    policy_change gates; what the change loosens is said. Refused where it drops a stage that is
    held.
    """

    def act(registry: Registry) -> PolicyApplied:
        result = registry.apply_policy(file, reason=reason, txid=txid)
        warn_loosened(result.loosens, refused=result.refused)
        return result

    return call.write(act, _applied)


def _applied(page: Page, result: PolicyApplied) -> None:
    if result.refused:
        page.verdict(result.outcome, f"the policy in force stays (commit {result.seq})")
        draw_gates(page, result.gates)
    elif result.policy == result.from_policy:
        page.line("this policy is in force already")
    else:
        page.line(f"the policy is in force (commit {result.seq})")
    page.fields([("digest", short(result.policy)), ("before", short(result.from_policy))])


@command(
    name="approve",
    examples=(
        "regista policy approve policy.yaml",
        'regista policy approve policy.yaml --meaning "reviewed by risk"',
    ),
)
@click.argument("file", type=click.Path(path_type=Path))
@meaning
@click.option(
    "--until",
    metavar="TIME",
    default="",
    help="When it ends; else it stands while the policy in force does.",
)
@txid
def approve(call: Call, *, file: Path, meaning: str, until: str, txid: str | None) -> ExitCode:
    """Say yes to a policy file.

    Counts for policy apply where the policy in force asks for approvals, until another policy is
    in force. The file, and every file that it names, must stay as they are.
    """
    return call.write(
        lambda registry: registry.approve_policy(file, meaning=meaning, until=until, txid=txid),
        _approved,
    )


def _approved(page: Page, result: PolicyApproved) -> None:
    page.line(f"approved: policy {short(result.policy)} (commit {result.seq})")
    page.fields(
        [
            ("in force", short(result.from_policy)),
            ("meaning", result.meaning),
            ("until", result.until),
        ]
    )


@command(name="lint", examples=("regista policy lint policy.yaml",))
@click.argument("file", type=click.Path(path_type=Path))
def lint(call: Call, file: Path) -> ExitCode:
    """Check a policy file without applying it.

    Names every problem with its line and column. Exits 2 when one of them is an error.
    """
    from regista import policyfile

    problems = policyfile.lint(text_of(str(file)), str(file), policyfile.files_beside(file))
    wrong = any(problem.severity == "error" for problem in problems)
    value = {"ok": not wrong, "problems": [_problem(problem) for problem in problems]}

    def draw(page: Page) -> None:
        for problem in problems:
            hint = f" (hint: {problem.hint})" if problem.hint else ""
            page.line(f"{problem}{hint}")
        if not problems:
            page.line(f"{file} is fine")

    call.answer(value, draw)
    return ExitCode.INVALID if wrong else ExitCode.DONE


def _problem(problem: Any) -> dict[str, Any]:  # noqa: ANN401 - a PositionedProblem
    return {
        "file": problem.file,
        "line": problem.position.line,
        "column": problem.position.column,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }
