"""`verify`, `doctor`, `rebuild`, `compact` and `gc`: keeping a registry sound."""

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Call, command
from regista.cli.progress import Bar
from regista.cli.render import Page, plural, size
from regista.errors import InvalidInputError
from regista.model.names import shown


@command(
    name="verify",
    examples=(
        "regista verify",
        "regista verify --deep --anchor 43:5f2c9a7be310",
    ),
)
@click.option("--deep", is_flag=True, help="Also hash every artifact again.")
@click.option(
    "--anchor",
    metavar="SEQ:SHA256",
    multiple=True,
    help="Digest of a commit noted elsewhere; may be repeated.",
)
def verify(call: Call, *, deep: bool, anchor: tuple[str, ...]) -> ExitCode:
    """Replay everything and name every problem.

    Checks the chain of commits, evaluates every decision again, and compares tables and artifacts
    with the log. Exits 6 when anything is wrong. A rewrite of the whole history that is
    consistent in itself is found only against an anchor.
    """
    anchors = dict(map(_anchor, anchor))
    registry = call.open()
    with Bar("verifying") as bar:
        found = registry.verify(deep=deep, anchors=anchors, progress=bar)

    def draw(page: Page) -> None:
        done = f"{plural(found.commits, 'commit')} checked, level {found.level}"
        if found.ok:
            page.verdict("ok", done)
        else:
            page.verdict("failed", f"{plural(len(found.problems), 'problem')}, {done}")
            page.gap()
            page.table(
                ("SEQ", "KIND", "PROBLEM"),
                [(item.seq, item.kind, item.detail) for item in found.problems],
                right=("SEQ",),
                wrapped=("PROBLEM",),
            )
            page.gap()
        page.fields(
            [
                ("head", found.head),
                ("anchor", f"{found.commits}:{found.head[:12]}" if found.ok else ""),
            ]
        )

    call.answer(found.to_json(), draw)
    return ExitCode.DONE if found.ok else ExitCode.INTEGRITY


def _anchor(text: str) -> tuple[int, str]:
    seq, colon, digest = text.partition(":")
    if not colon or not (seq.isascii() and seq.isdigit() and len(seq) < 16):  # noqa: PLR2004
        raise InvalidInputError(f"{shown(text)} is not an anchor", hint="write SEQ:SHA256")
    return int(seq), digest


@command(name="doctor", examples=("regista doctor",))
def doctor(call: Call) -> ExitCode:
    """Look for what is wrong with the setup.

    Quick; `regista verify` is the thorough look. Exits 6 when something is wrong.
    """
    found = call.open().doctor()

    def draw(page: Page) -> None:
        page.table(
            ("STATUS", "CHECK", "WHAT"),
            [("ok" if item.ok else "failed", item.check, item.detail) for item in found.findings],
            wrapped=("WHAT",),
        )
        for item in found.findings:
            if item.fix:
                page.line(f"{item.check}: run {item.fix}")

    call.answer(found.to_json(), draw)
    return ExitCode.DONE if found.ok else ExitCode.INTEGRITY


@command(name="rebuild", examples=("regista rebuild",))
def rebuild(call: Call) -> ExitCode:
    """Make tables and checkpoints again from the log.

    The log is the truth, so nothing is lost by it.
    """
    done = call.open().rebuild()
    call.answer(
        done.to_json(),
        lambda page: page.line(
            f"the tables are made anew up to commit {done.seq}: {plural(done.files, 'file')}"
        ),
    )
    return ExitCode.DONE


@command(name="compact", examples=("regista compact",))
def compact(call: Call) -> ExitCode:
    """Merge small table files now.

    Writers do it every 64 commits; this does not wait for them.
    """
    done = call.open().compact()
    call.answer(
        done.to_json(),
        lambda page: page.line(
            f"the tables are compact up to commit {done.seq}: {plural(done.files, 'file')}"
        ),
    )
    return ExitCode.DONE


@command(name="gc", examples=("regista gc --dry-run", "regista gc --grace 7d"))
@click.option("--dry-run", is_flag=True, help="Only say what would be removed, and why.")
@click.option(
    "--grace",
    metavar="DURATION",
    default="24h",
    show_default=True,
    help="Leave alone for so long what no commit names yet, and what was replaced.",
)
def gc(call: Call, *, dry_run: bool, grace: str) -> ExitCode:
    """Remove what nothing refers to any more.

    Artifacts of purged versions that no other version has, at once; and after the grace period
    artifacts and data that no commit names, as a killed register leaves them, and what merges
    and checkpoints replaced. Also what killed processes left half-written.
    """
    done = call.open().gc(dry_run=dry_run, grace=grace)

    def draw(page: Page) -> None:
        verb = "would be removed" if dry_run else "removed"
        page.line(f"{plural(len(done.files), 'file')} {verb}, {size(done.bytes)}")
        if done.temporary:
            page.line(f"{plural(len(done.temporary), 'left-over temporary file')} {verb}")
        if done.files:
            page.gap()
            page.table(
                ("REASON", "SIZE", "FILE"),
                [(item["reason"], size(item["size"]), item["key"]) for item in done.files],
                right=("SIZE",),
            )

    call.answer(done.to_json(), draw)
    return ExitCode.DONE
