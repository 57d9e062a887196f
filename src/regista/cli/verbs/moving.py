"""`mirror`, `export` and `import`: whole registries on the move, and what others bring."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, command, txid
from regista.cli.progress import Bar
from regista.cli.render import Page, plural, size
from regista.errors import InvalidInputError
from regista.model.names import shown
from regista.registry.core import Registry
from regista.registry.results import Imported

if TYPE_CHECKING:
    from regista.transfer.exporting import Exported
    from regista.transfer.mirroring import Mirrored


@command(name="mirror", examples=("regista mirror registry_data /mnt/backup/registry",))
@click.argument("source", metavar="SRC")
@click.argument("destination", metavar="DST")
def mirror(call: Call, source: str, destination: str) -> ExitCode:
    """Bring a copy of a registry up to date.

    Copies from the registry SRC to DST, an empty place or an earlier mirror, what DST has not
    yet, and checks every commit and file on the way. SRC may be written to meanwhile. DST can be
    read with every command at every moment. Exits 6 when DST has commits that SRC has not:
    somebody wrote to it.
    """
    from regista.registry.transfers import mirror

    with Bar("mirroring") as bar:
        done = mirror(source, destination, progress=bar)

    call.answer({"op": "mirror", **done.to_json()}, lambda page: _moved(page, done))
    return ExitCode.DONE


@command(
    name="export",
    examples=(
        "regista export --full backup.tar",
        "regista export --full - | zstd > backup.tar.zst",
    ),
)
@click.argument("path", metavar="FILE|DIR")
@click.option("--full", is_flag=True, help="The whole registry; must be given.")
def export(call: Call, path: str, *, full: bool) -> ExitCode:
    """Write a whole registry to one file.

    FILE is a new file, or - for standard output; in an existing folder DIR the file is called
    regista-ID-SEQ.tar. The same commits give the same bytes. regista import FILE makes the same
    registry of it again.
    """
    if not full:
        raise InvalidInputError(
            "only a whole registry can be exported", hint="add --full; for tables use regista sql"
        )
    if path == "-" and sys.stdout.isatty():
        raise InvalidInputError("a backup is no text for a terminal", hint="name a file")
    from regista.registry.transfers import export_full

    with Bar("exporting") as bar:
        done = export_full(call.uri(), path, progress=bar)
    if path == "-":
        output.note(f"exported up to commit {done.seq}: {size(done.bytes)}")
    else:
        call.answer({"op": "export", **done.to_json()}, lambda page: _exported(page, done))
    return ExitCode.DONE


def _exported(page: Page, done: "Exported") -> None:
    page.line(f"exported up to commit {done.seq}: {plural(done.files, 'file')}, {size(done.bytes)}")
    page.fields([("to", done.path), ("head", done.commit)])


@command(
    name="import",
    examples=(
        'regista import tables/ --source "the old tracking server"',
        "regista --registry restored import backup.tar",
        "zstd -dc backup.tar.zst | regista --registry restored import -",
    ),
)
@click.argument("path", metavar="FOLDER|FILE")
@click.option(
    "--source", metavar="TEXT", default="", help="Where a FOLDER comes from, for the record."
)
@txid
def import_(call: Call, path: str, source: str, txid: str | None) -> ExitCode:
    """Bring in many entries and versions at once, or a whole registry.

    A FOLDER holds tables of another registry: entries.parquet, versions.parquet and, as needed,
    one file for each of the others. Their entries are added to this registry as one commit; they
    must be new, and what they hold in stages comes along as imported, without gates.

    A FILE, or - for standard input, is what regista export --full wrote. It is checked from end
    to end, then becomes the same registry again, at an empty place.
    """
    if path != "-" and Path(path).is_dir():
        return _import_folder(call, Path(path), source, txid)
    if source or txid:
        raise InvalidInputError(
            "--source and --txid are for a folder of tables",
            hint="a backup brings its own history; leave them out",
        )
    from regista.registry.transfers import import_full

    with Bar("checking") as checking, Bar("importing") as bar:
        done = import_full(path, call.uri(), checking=checking, progress=bar)
    call.answer({"op": "import", **done.to_json()}, lambda page: _moved(page, done))
    return ExitCode.DONE


def _moved(page: Page, done: "Mirrored") -> None:
    page.line(
        f"at commit {done.seq}: {plural(done.commits, 'commit')} and"
        f" {plural(done.files, 'file')} added, {size(done.bytes)}"
    )
    page.fields([("to", done.destination), ("head", done.commit)])


def _import_folder(call: Call, folder: Path, source: str, txid: str | None) -> ExitCode:
    if (folder / "registry.json").exists():
        raise InvalidInputError(
            f"{shown(str(folder), 200)} is a registry, not a folder of tables",
            hint="regista mirror copies a registry",
        )

    def act(registry: Registry) -> Imported:
        with Bar("importing") as bar:
            return registry.import_bulk(folder, source=source, txid=txid, progress=bar)

    return call.write(act, _imported)


def _imported(page: Page, result: Imported) -> None:
    page.line(f"imported in commit {result.seq}:")
    page.fields([(table, f"{count:,} rows") for table, count in result.rows.items()])
