"""`resolve`: the version that a selector names. The fastest command; mind its imports."""

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, as_of, command, entry_argument


@command(
    name="resolve",
    examples=(
        "regista resolve fraud/card@prod",
        "regista resolve fraud/card@prod~1 --json",
        "regista resolve fraud/card@prod --as-of 2026-03-03T09:30:00Z",
    ),
)
@entry_argument("ref", metavar="NAME@SELECTOR")
@as_of
def resolve(call: Call, ref: str, as_of: str | None) -> ExitCode:
    """Print the version number that a selector names.

    Selectors are a number, a stage, an alias, a label, latest, sha256:DIGEST, or STAGE~1 for
    what a rollback of the stage would restore.
    """
    found = call.reading().resolve(ref, as_of=as_of)
    if found.status != "active":
        output.warn(f"{found.name} version {found.version} is {found.status}")
    output.write(output.dumps(found.to_json()) if call.json else str(found.version))
    return ExitCode.DONE
