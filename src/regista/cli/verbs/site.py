"""`site build` and `site serve`: the registry as pages."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.options import Call, as_of, command
from regista.cli.progress import Bar
from regista.cli.render import Page, plural, size

if TYPE_CHECKING:
    from regista.site.publishing import SiteBuilder

OUT = "site"
PORT = 8000


def _builder(
    call: Call,
    out: Path,
    base_url: str | None,
    as_of: str | None,
    *,
    incremental: bool,
    verify: bool,
) -> "SiteBuilder":
    from regista.registry.locating import find_config
    from regista.site.options import read_options
    from regista.site.publishing import SiteBuilder

    options = read_options(find_config(Path.cwd()))
    if base_url is not None:
        options = options.with_base_url(base_url)
    return SiteBuilder(
        call.reading(), options, out, as_of=as_of, incremental=incremental, verify=verify
    )


_out = click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=OUT,
    show_default=True,
    metavar="DIR",
    help="Where to; a folder that is missing, empty, or a site of ours.",
)
_base_url = click.option(
    "--base-url", metavar="URL", help="Where it will be served; feeds and the site map need it."
)


@command(
    name="build",
    examples=(
        "regista site build --out public --incremental",
        "regista site build --as-of 2026-03-03T12:00:00Z --out then",
    ),
)
@_out
@_base_url
@click.option(
    "--incremental", is_flag=True, help="Render only what changed since the build before."
)
@click.option(
    "--verify", is_flag=True, help="Verify the registry first, and say so on the first page."
)
@as_of
def build(
    call: Call,
    *,
    out: Path,
    base_url: str | None,
    incremental: bool,
    verify: bool,
    as_of: str | None,
) -> ExitCode:
    """Build the site of the registry.

    The old site stays whole until the new one takes its place. Settings stand in the [site] table
    of regista.toml.
    """
    builder = _builder(call, out, base_url, as_of, incremental=incremental, verify=verify)
    with Bar("building") as bar:
        seq, done = builder.publish(bar)
    if done.strangers:
        output.warn(f"{plural(len(done.strangers), 'file')} of others in {out} were removed")

    def draw(page: Page) -> None:
        page.verdict("ok", f"{out / 'index.html'} shows commit {seq}")
        page.fields(
            [
                ("written", f"{plural(done.written, 'file')}, {size(done.bytes)}"),
                ("kept", plural(done.kept, "file")),
                ("removed", plural(done.removed, "file") if done.removed else ""),
            ]
        )

    result = {key: value for key, value in asdict(done).items() if key not in {"paths", "way"}}
    call.answer({"op": "site build", "seq": seq, "out": str(out), **result}, draw)
    return ExitCode.DONE


@command(name="serve", examples=("regista site serve", "regista site serve --port 9000"))
@_out
@_base_url
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True)
def serve(call: Call, *, out: Path, base_url: str | None, port: int) -> ExitCode:
    """Build the site, show it on this computer, and follow changes.

    It listens on the loopback address alone; Ctrl-C ends it.
    """
    from regista.site.serving import serve as run

    builder = _builder(call, out, base_url, None, incremental=True, verify=False)
    run(
        lambda: builder.publish()[1],
        out,
        port,
        fingerprint=builder.fingerprint,
        on_event=output.note,
    )
    return ExitCode.DONE
