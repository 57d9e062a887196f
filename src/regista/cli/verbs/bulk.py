"""`apply`: many operations as one commit."""

from pathlib import Path

import click

from regista.cli import output
from regista.cli.exits import ExitCode, exit_code_of_result
from regista.cli.gates import warn_loosened, warn_waived
from regista.cli.options import Call, command, txid
from regista.cli.render import Page
from regista.registry.results import Written


@command(name="apply", examples=("regista apply operations.yaml --txid build-317",))
@click.argument("file", type=click.Path(path_type=Path))
@txid
def apply(call: Call, file: Path, txid: str | None) -> ExitCode:
    """Run a list of operations as one commit.

    FILE is a YAML or JSON list of objects: op is the command's name, the other keys are its
    arguments. Either all is done or nothing; a refusal applies none and exits 3.
    """
    from regista.registry.applying import apply_file

    registry = call.open()
    results = apply_file(registry, file, txid=txid)
    for warning in registry.writer.warnings:
        output.warn(warning)
    for result in results:
        warn_waived(getattr(result, "gates", ()))
    codes = [exit_code_of_result(result) for result in results]
    refused = ExitCode.REFUSED in codes
    for result in results:
        warn_loosened(getattr(result, "loosens", ()), refused=refused)

    def draw(page: Page) -> None:
        last = results[-1].seq
        page.line(
            f"refused: none of it was applied (commit {last} records the decision)"
            if refused
            else f"done in commit {last}"
        )
        page.gap()
        page.table(
            ("OP", "NAME", "VERSION", "OUTCOME"),
            [_row(result) for result in results],
            right=("VERSION",),
        )

    call.answer([result.to_json() for result in results], draw)
    return ExitCode.REFUSED if refused else max(codes)


def _row(result: Written) -> tuple[object, ...]:
    return result.op, result.name, result.version, getattr(result, "outcome", "")
