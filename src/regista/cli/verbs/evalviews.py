"""`eval samples`, `compare`, `history` and `leaderboard`: what evaluations say, in all formats."""

import os
from typing import TYPE_CHECKING, Any

import click

from regista.cli.exits import ExitCode
from regista.cli.options import Call, as_of, command, complete_stage, entry_argument
from regista.cli.render import stdout_terminal
from regista.cli.sheets import Told, format_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from regista.cli.options import Body

_suite = click.option("--suite", metavar="SUITE", help="Only this suite.")
_metric = click.option("--metric", metavar="METRIC", help="Only this metric.")
_task = click.option("--task", metavar="TASK", help="Only this task; '' for what has none.")
_slice = click.option(
    "--slice",
    "slice_",
    metavar="SLICE",
    default="",
    help="This slice; else all of the data.",
)


def _limit(default: int, help_: str) -> "Callable[[Body], Body]":
    return click.option(
        "-n",
        "--limit",
        type=click.IntRange(1, 100_000),
        default=default,
        metavar="N",
        show_default=True,
        help=help_,
    )


def _blocks() -> bool:
    return stdout_terminal(os.environ).blocks


@command(
    name="samples",
    examples=(
        "regista eval samples support/bot@3 --suite quality --failed",
        "regista eval samples support/bot@3 --format csv --limit 100000 > samples.csv",
    ),
)
@entry_argument("ref", metavar="NAME@V")
@_suite
@_metric
@click.option(
    "--failed",
    is_flag=True,
    help="Only what did not pass; where that is not said, what has the value 0.",
)
@_limit(20, "Only so many results of each suite.")
@format_option
@as_of
def samples(
    call: Call,
    *,
    ref: str,
    suite: str | None,
    metric: str | None,
    failed: bool,
    limit: int,
    format_: str,
    as_of: str | None,
) -> ExitCode:
    """Show results on single examples.

    Those of a version's latest runs, with the inputs and outputs that `eval log --keep-texts` kept.
    Tables show the beginning of a text; JSON and CSV have all of it.
    """
    from regista.cli.evalsheets import sample_sheets
    from regista.registry.eval_samples import COLUMNS, version_samples

    found = version_samples(
        call.reading(), ref, suite=suite, metric=metric, failed=failed, limit=limit, as_of=as_of
    )
    Told(found, COLUMNS, found["samples"], sample_sheets(found)).tell(call, format_)
    return ExitCode.DONE


@command(
    name="compare",
    examples=(
        "regista eval compare fraud/card@prod fraud/card@latest",
        "regista eval compare fraud/card@6 fraud/card@7 --suite holdout --format markdown",
    ),
)
@entry_argument("one", metavar="A")
@entry_argument("other", metavar="B")
@_suite
@_metric
@_task
@click.option("--slice", "slice_", metavar="SLICE", help="Only this slice; '' for all of the data.")
@format_option
@as_of
def compare(
    call: Call,
    *,
    one: str,
    other: str,
    suite: str | None,
    metric: str | None,
    task: str | None,
    slice_: str | None,
    format_: str,
    as_of: str | None,
) -> ExitCode:
    """Compare the scores of two versions.

    Shows how B differs from A, with the 95 % interval of the difference and its p. Where both
    have results of the same examples, these are paired: McNemar's test where they are right or
    wrong, else a paired bootstrap. Else it is a z test on the two standard errors. A difference
    that may be chance is unclear.
    """
    from regista.cli.evalsheets import comparison_document, comparison_sheets
    from regista.registry.score_comparison import columns
    from regista.registry.score_comparison import compare as compared

    found = compared(
        call.reading(),
        one,
        other,
        suite=suite,
        metric=metric,
        task=task,
        slice_=slice_,
        as_of=as_of,
    )
    rows: list[dict[str, Any]] = found.to_json()["scores"]
    Told(
        found.to_json(),
        columns(),
        rows,
        comparison_sheets(found, blocks=_blocks()),
        comparison_document(found),
    ).tell(call, format_)
    return ExitCode.DONE


@command(
    name="history",
    examples=(
        "regista eval history fraud/card --metric auc",
        "regista eval history fraud/card --suite holdout --slice region=eu",
    ),
)
@entry_argument("name")
@_metric
@_suite
@_slice
@_limit(50, "Only so many of the newest versions.")
@format_option
@as_of
def history(
    call: Call,
    *,
    name: str,
    metric: str | None,
    suite: str | None,
    slice_: str,
    limit: int,
    format_: str,
    as_of: str | None,
) -> ExitCode:
    """Show how a metric changed over versions.

    Takes each version's latest run of a suite; the oldest version comes first.
    """
    from regista.cli.evalsheets import history_sheets
    from regista.registry.evaluations import HISTORY_COLUMNS, metric_history

    rows = metric_history(
        call.reading(), name, metric=metric, suite=suite, slice_=slice_, limit=limit, as_of=as_of
    )
    Told(rows, HISTORY_COLUMNS, rows, history_sheets(rows, blocks=_blocks())).tell(call, format_)
    return ExitCode.DONE


@command(
    name="leaderboard",
    examples=(
        "regista eval leaderboard --suite holdout --metric auc",
        "regista eval leaderboard --stage prod --kind model --format markdown",
    ),
)
@click.option("--kind", metavar="KIND", help="Only entries of this kind.")
@_suite
@_metric
@_task
@_slice
@click.option(
    "--stage",
    metavar="STAGE",
    shell_complete=complete_stage,
    help="What this stage holds, in place of the newest versions.",
)
@_limit(20, "Only so many ranks of each metric.")
@format_option
@as_of
def leaderboard(
    call: Call,
    *,
    kind: str | None,
    suite: str | None,
    metric: str | None,
    task: str | None,
    slice_: str,
    stage: str | None,
    limit: int,
    format_: str,
    as_of: str | None,
) -> ExitCode:
    """Rank entries by their scores.

    Each entry has one version in a ranking: the newest one whose latest run of the suite is
    complete, or with --stage the one that the stage holds. Deleted and archived versions are left
    out.
    """
    from regista.cli.evalsheets import leaderboard_sheets
    from regista.registry.evaluations import RANKING_COLUMNS, leaderboard

    rows = leaderboard(
        call.reading(),
        kind=kind,
        suite=suite,
        metric=metric,
        task=task,
        slice_=slice_,
        stage=stage,
        limit=limit,
        as_of=as_of,
    )
    sheets = leaderboard_sheets(rows, slice_, blocks=_blocks())
    Told(rows, RANKING_COLUMNS, rows, sheets).tell(call, format_)
    return ExitCode.DONE
