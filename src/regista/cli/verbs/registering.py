"""`register`: a new version with its artifacts."""

from pathlib import Path
from typing import Any

import click

from regista.cli import output
from regista.cli.exits import ExitCode
from regista.cli.inputs import pairs, text_of
from regista.cli.options import Call, allow_secrets, command, entry_argument, txid
from regista.cli.progress import Bar
from regista.cli.render import Page, short
from regista.model.names import KINDS
from regista.registry.core import Registry
from regista.registry.results import Registered


@command(
    name="register",
    examples=(
        "regista register fraud/card model/ --kind model --dataset fraud/data@4",
        "regista register fraud/card model.pkl --param lr=0.1 --tag owner=risk --label 1.4.2",
        "regista register fraud/card --uri s3://bucket/model.pkl --run mlflow:3f2a",
    ),
)
@entry_argument("name")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--kind", type=click.Choice(KINDS), help="What it is; model for a new entry.")
@click.option("--run", metavar="ID", help="The training run that made it.")
@click.option("--dataset", metavar="NAME@V", multiple=True, help="Trained on; may be repeated.")
@click.option("--base", metavar="NAME@V", multiple=True, help="Derived from; may be repeated.")
@click.option(
    "--member", metavar="NAME@V", multiple=True, help="What a bundle holds; may be repeated."
)
@click.option("--code", metavar="REVISION", help="Code revision; git's HEAD here by default.")
@click.option("--param", metavar="KEY=VALUE", multiple=True, help="Parameter; may be repeated.")
@click.option("--tag", metavar="KEY=VALUE", multiple=True, help="Tag; may be repeated.")
@click.option("--label", metavar="TEXT", help="Unique name of the version, such as 1.4.2.")
@click.option("--card", metavar="FILE", help="Model card, Markdown.")
@click.option("--uri", metavar="URI", default="", help="Where artifacts kept elsewhere lie.")
@click.option("--force-new", is_flag=True, help="Make a new version even of equal artifacts.")
@allow_secrets
@txid
def register(call: Call, name: str, paths: tuple[Path, ...], **options: Any) -> ExitCode:  # noqa: ANN401
    """Add a version with its artifacts.

    One folder given alone contributes its contents; files, and several paths, keep their base
    names. Artifacts equal to those of a version that is there are that version. Git and CI facts
    are found by themselves.
    """
    arguments = _arguments(options)

    def act(registry: Registry) -> Registered:
        with Bar("storing") as bar:
            registry.preparing.progress = bar
            result = registry.register(name, *paths, **arguments)
        _warn_of_ignored(result)
        return result

    return call.write(act, _registered)


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    from regista.registry.environment import source_facts

    arguments = {
        key: value for key, value in options.items() if key not in {"param", "tag", "card", "code"}
    }
    found = source_facts()
    return {
        **arguments,
        "code": options["code"] or found.code or None,
        "source": found.facts,
        "params": pairs(options["param"], "--param"),
        "tags": pairs(options["tag"], "--tag"),
        "card": text_of(options["card"]) if options["card"] else "",
    }


def _warn_of_ignored(result: Registered) -> None:
    if result.ignored:
        output.warn(
            f"these artifacts are version {result.version} already; what differs was ignored:"
            f" {', '.join(result.ignored)} (regista tag changes tags; --force-new makes a new"
            " version)"
        )


def _registered(page: Page, result: Registered) -> None:
    what = f"{result.name} version {result.version}"
    if result.created:
        page.line(f"{what} is registered (commit {result.seq})")
    else:
        page.line(f"{what} has these very artifacts already; nothing was added")
    page.fields(
        [
            ("kind", result.kind),
            ("stage", result.stage),
            ("digest", short(result.digest)),
        ]
    )
