"""`get`: a version's artifacts, laid under a folder."""

from pathlib import Path

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, as_of, command, entry_argument
from regista.cli.progress import Bar
from regista.cli.render import Page, plural, short, size


@command(name="get", examples=("regista get fraud/card@prod model/",))
@entry_argument("ref", metavar="NAME@SELECTOR")
@click.argument("dest", type=click.Path(path_type=Path))
@as_of
def get(call: Call, ref: str, dest: Path, as_of: str | None) -> ExitCode:
    """Download a version's artifacts, checking every digest.

    Files that are there with the same content are left alone; other files of the same names are
    never overwritten. Nothing is unpacked, loaded or run.
    """
    registry = call.reading()
    found = registry.resolve(ref, as_of=as_of)
    if found.status != "active":
        output.warn(f"{found.name} version {found.version} is {found.status}")
    with Bar("fetching") as bar:
        # the number, not the selector: what was warned of is what is fetched
        got = registry.get(f"{found.name}@{found.version}", dest, as_of=as_of, progress=bar)
    if got["uri"]:
        output.warn(f"some of its artifacts are kept elsewhere: {got['uri']}")

    def draw(page: Page) -> None:
        page.line(
            f"{got['name']} version {got['version']} is in {got['dest']}"
            f" ({plural(got['files'], 'file')}, {size(got['bytes'])}, digests checked)"
        )
        page.fields([("digest", short(got["digest"])), ("elsewhere", got["uri"])])

    call.answer(got, draw)
    return ExitCode.DONE
