"""`eval log` and `eval show`: evaluation runs and their scores; others are in `evalviews`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from regista.cli import ci
from regista.cli.exits import ExitCode
from regista.cli.inputs import pairs
from regista.cli.options import Call, as_of, command, entry_argument, txid
from regista.cli.render import Page, number, plural, when
from regista.registry.core import Registry
from regista.registry.results import EvalLogged

if TYPE_CHECKING:
    from regista.registry.evaluating import Evaluation


@command(
    name="log",
    examples=(
        "regista eval log fraud/card@7 --suite holdout --metric auc=0.934 --dataset fraud/data@4",
        "regista eval log fraud/card@7 --suite holdout --from scores.json --samples samples.jsonl",
        "regista eval log support/bot@3 --from results_2026-03-03T09-30-00.000000.json",
        "regista eval log fraud/card@7 --suite s --from rows.csv --map metric=name --map value=x",
    ),
)
@entry_argument("ref", metavar="NAME@V")
@click.option(
    "--suite",
    metavar="SUITE",
    default="",
    help="Name of the evaluation suite; needed unless the file has one.",
)
@click.option("--metric", metavar="NAME=VALUE", multiple=True, help="A score; may be repeated.")
@click.option("--from", "file", metavar="FILE", help="A file of an evaluation tool, or of scores.")
@click.option(
    "--format",
    "file_format",
    metavar="FORMAT",
    default="auto",
    show_default=True,
    help="Format of that file; auto looks at its content.",
)
@click.option(
    "--run", "run_", metavar="RUN", help="Which run of a file with several, by id or name."
)
@click.option(
    "--map",
    "field_map",
    metavar="FIELD=THEIRS",
    multiple=True,
    help="What the file calls metric, value, stderr, n, slice, task or direction.",
)
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Per-example results: JSONL, CSV or Parquet, or as lm-eval or Every Eval Ever write them.",
)
@click.option(
    "--keep-texts",
    is_flag=True,
    help="Keep inputs and outputs of the examples, without what looks like a credential.",
)
@click.option("--dataset", metavar="NAME@V|TEXT", default="", help="What it was evaluated on.")
@click.option(
    "--status",
    type=click.Choice(("complete", "partial", "failed")),
    help="What became of the run; else what the file says, or complete.",
)
@click.option("--harness", metavar="TEXT", default="", help="Program that made the scores.")
@click.option("--harness-version", metavar="TEXT", default="", help="Its version.")
@click.option("--code", metavar="REVISION", default="", help="Code revision of the evaluation.")
@click.option("--note", metavar="TEXT", default="", help="Free text.")
@click.option(
    "--force-new", is_flag=True, help="Add a run even of a file that was imported before."
)
@txid
def log(
    call: Call,
    *,
    ref: str,
    force_new: bool,
    txid: str | None,
    **options: Any,  # noqa: ANN401 - as `_gathered` takes them
) -> ExitCode:
    """Add an evaluation run of a version.

    Scores come from --metric, from a file, or both. The rows of a file of your own have metric and
    value, and may have task, slice, stderr, n and direction (higher or lower). What options say
    counts before what the file says. The same file again adds nothing.
    """
    evaluation = _gathered(**options)

    def act(registry: Registry) -> EvalLogged:
        result = registry.log_evaluation(ref, evaluation, force_new=force_new, txid=txid)
        ci.tell_eval(result, evaluation.scores)
        return result

    return call.write(act, _logged)


def _gathered(
    *,
    metric: tuple[str, ...],
    file: str | None,
    file_format: str,
    run_: str | None,
    field_map: tuple[str, ...],
    keep_texts: bool,
    suite: str,
    samples: Path | None,
    dataset: str,
    status: str | None,
    **facts: str,
) -> "Evaluation":
    from regista.registry.evaluating import EvalSource, gather

    given = [{"metric": name, "value": value} for name, value in pairs(metric, "--metric").items()]
    path = None if file is None else Path(file)
    source = EvalSource(path, file_format, run_, pairs(field_map, "--map"), keep_texts)
    return gather(
        source,
        suite=suite,
        scores=given,
        samples=samples,
        status=status or "",
        dataset=dataset,
        facts=facts,
    )


def _logged(page: Page, result: EvalLogged) -> None:
    if not result.created:
        page.line(
            f"{result.name} version {result.version} has this run of {result.suite} already"
            f" (commit {result.seq}): nothing was added; to add it once more, use --force-new"
        )
        page.fields([("run", result.run_id)])
        return
    page.line(
        f"{result.name} version {result.version} has a new {result.status} run of"
        f" {result.suite}: {plural(result.scores, 'score')}, {plural(result.samples, 'sample')}"
        f" (commit {result.seq})"
    )
    page.fields([("run", result.run_id)])


@command(name="show", examples=("regista eval show fraud/card@7",))
@entry_argument("ref", metavar="NAME@V")
@as_of
def show(call: Call, ref: str, as_of: str | None) -> ExitCode:
    """Show the scores of a version's latest runs.

    All suites, tasks and slices.
    """
    from regista.registry.evaluations import version_scores

    found = version_scores(call.reading(), ref, as_of=as_of)

    def draw(page: Page) -> None:
        what = f"{found['name']} version {found['version']}"
        if not found["runs"]:
            page.line(f"{what} was not evaluated yet")
        for run in found["runs"]:
            page.heading(f"{what}, suite {run['suite']}")
            page.fields(
                [
                    ("run", f"{run['run_id']}, {run['status']}, {when(run['time'])}"),
                    ("by", run["by"]),
                    ("dataset", run["dataset"]),
                    ("samples", run["samples"] or None),
                ]
            )
            _score_table(page, run["scores"])

    call.answer(found, draw)
    return ExitCode.DONE


def _score_table(page: Page, scores: list[dict[str, Any]]) -> None:
    if not scores:
        return
    page.gap()
    page.table(
        ("TASK", "METRIC", "SLICE", "VALUE", "STDERR", "N"),
        [
            (
                score["task"],
                score["metric"],
                score["slice"],
                number(score["value"]),
                number(score["stderr"]),
                score["n"],
            )
            for score in scores
        ],
        right=("VALUE", "STDERR", "N"),
        optional=("TASK", "SLICE", "STDERR", "N"),
    )
