"""What the shell completes beyond commands and options: entry names and stages.

Nothing here may fail or print: whoever presses TAB gets what is known, or nothing.
"""

import os
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from regista.errors import RegistaError
from regista.read.opening import open_replica
from regista.registry.locating import locate
from regista.registry.reads import Reads

MOST = 50


def entry_names(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return names of entries that start as what is typed."""
    if "@" in incomplete or any(char in incomplete for char in "*?["):
        return []
    try:
        rows = _reads(ctx).entries(f"{incomplete}*", limit=MOST)
    except (RegistaError, OSError):
        return []
    return [CompletionItem(row["name"], help=row["kind"]) for row in rows]


def stage_names(ctx: click.Context, incomplete: str) -> list[CompletionItem]:
    """Return stages of the policy in force that start as what is typed."""
    try:
        policy = _reads(ctx).policy()["policy"]
    except (RegistaError, OSError):
        return []
    stages = [*policy.get("stages", ()), *policy.get("side_stages", ())]
    return [CompletionItem(stage) for stage in stages if stage.startswith(incomplete)]


def _reads(ctx: click.Context) -> Reads:
    named = ctx.params.get("registry") or ctx.find_root().params.get("registry")
    return Reads(open_replica(locate(named, os.environ, Path.cwd())))
