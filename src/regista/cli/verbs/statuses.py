"""`deprecate`, `restore`, `archive` and `delete`: the status of a version."""

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Call, command, entry_argument, reason, txid
from regista.cli.render import Page
from regista.registry.results import StatusChanged

version = entry_argument("ref", metavar="NAME@V")


@command(name="deprecate", examples=('regista deprecate fraud/card@3 --reason "drifts"',))
@version
@reason
@txid
def deprecate(call: Call, ref: str, reason: str, txid: str | None) -> ExitCode:
    """Warn off a version; it still resolves.

    It can be promoted nowhere until it is restored. A stage that it holds keeps it.
    """
    return call.write(lambda registry: registry.deprecate(ref, reason=reason, txid=txid), _changed)


@command(name="restore", examples=("regista restore fraud/card@3",))
@version
@reason
@txid
def restore(call: Call, ref: str, reason: str, txid: str | None) -> ExitCode:
    """Make a deprecated or archived version active again."""
    return call.write(lambda registry: registry.restore(ref, reason=reason, txid=txid), _changed)


@command(name="archive", examples=("regista archive fraud/card@2",))
@version
@reason
@txid
def archive(call: Call, ref: str, reason: str, txid: str | None) -> ExitCode:
    """Take a version out of use.

    It may hold no stage. A rollback passes over it.
    """
    return call.write(lambda registry: registry.archive(ref, reason=reason, txid=txid), _changed)


@command(name="delete", examples=("regista delete fraud/card@1 --purge --reason licence",))
@version
@click.option("--purge", is_flag=True, help="Let gc remove its artifacts; the record stays.")
@reason
@txid
def delete(call: Call, *, ref: str, purge: bool, reason: str, txid: str | None) -> ExitCode:
    """Leave a tombstone of a version.

    It may hold no stage, and cannot be restored. Its number is never given again.
    """
    return call.write(
        lambda registry: registry.delete(ref, reason=reason, purge=purge, txid=txid), _changed
    )


def _changed(page: Page, result: StatusChanged) -> None:
    what = f"{result.name} version {result.version}"
    if result.status == result.from_status:
        page.line(f"{what} is {result.status} already")
    else:
        page.line(f"{what} is {result.status} now, was {result.from_status} (commit {result.seq})")
