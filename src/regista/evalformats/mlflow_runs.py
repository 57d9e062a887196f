"""Runs of MLflow: its file store (`mlruns`) and its SQLite store.

The format: MLflow 3.17.2, `mlflow/store/tracking/file_store.py` (a folder per experiment, in it a
folder per run with `meta.yaml`, `metrics/`, `tags/`) and
`mlflow/store/tracking/dbmodels/models.py` (tables runs, latest_metrics, tags, experiments, inputs,
input_tags, datasets). A path is a run's folder, an experiment's, the whole `mlruns`, or the
database; of several runs one is chosen by its id or its name.

- A metric's value is the latest as MLflow means it: the greatest step, then time, then value
  (`_get_metric_from_file`). The history before it is training, not evaluation.
- In the database NaN is `is_nan` with the value 0, and an infinity is the largest double: both
  are refused like NaN in a file.
- FINISHED is complete; FAILED and KILLED are failed, RUNNING and SCHEDULED partial.
- The dataset is the one logged as input in the context `eval` or `evaluation`, else the only one,
  with its digest as revision; `code` is the tag `mlflow.source.git.commit`.
- Directions, sample sizes and per-example results are not in a run. Neither are params and tags
  taken: they describe the version, not its evaluation.
"""

from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats import foreign
from regista.evalformats.jsontext import Number
from regista.evalformats.mlflow_files import FileStore
from regista.evalformats.mlflow_sqlite import SQLITE, SqliteStore
from regista.evalformats.mlflow_store import Dataset, Metric, Run, Store
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.model.names import shown

_STATUS = {"FINISHED": "complete", "FAILED": "failed", "KILLED": "failed", "RUNNING": "partial",
           "SCHEDULED": "partial"}  # fmt: skip
_EVALUATION = ("eval", "evaluation")
_NEEDED = {"runs", "latest_metrics", "experiments"}


class MLflow:
    """Adapter for runs of MLflow."""

    name = "mlflow"
    about = "runs of MLflow: mlruns folders and SQLite databases"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a path is a store of MLflow."""
        try:
            if peek.head.startswith(SQLITE):
                return SqliteStore(peek.path).tables() >= _NEEDED
            return not peek.head and FileStore(peek.path).exists()
        except (InvalidInputError, OSError):
            return False

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read one run.

        Raises:
            InvalidInputError: it is no store of MLflow, is broken, or holds several runs and none
                is chosen; the message says where.
        """
        where = shown(path.name, 200)
        store: Store = FileStore(path) if path.is_dir() else SqliteStore(path)
        runs = {run.id: run for run in store.runs()}
        run = runs[_chosen(runs, choice.run, where)]
        datasets = store.datasets(run)
        return ImportedRun(
            [_score(metric, where) for metric in store.metrics(run)],
            suite=run.experiment,
            status=_STATUS.get(run.status, "partial"),
            dataset=_dataset(datasets),
            harness="mlflow",
            code=store.tag(run, "mlflow.source.git.commit"),
            time=foreign.unix_time(run.start),
            note=f"run {run.id} {run.name}".strip() + f", {run.status}",
        )


FORMAT = MLflow()


def _chosen(runs: dict[str, Run], wanted: str | None, where: str) -> str:
    """Return a run's id; a name chooses it where no other run has it."""
    same = [run.id for run in runs.values() if run.name == wanted]
    if wanted in runs or not same:
        return foreign.choose(runs, wanted, where)
    if len(same) > 1:
        raise InvalidInputError(
            f"{where} has {len(same)} runs named {shown(str(wanted))}",
            hint=f"choose one with --run by its id: {', '.join(same[:10])}",
        )
    return same[0]


def _score(metric: Metric, where: str) -> dict[str, Any]:
    value = foreign.required(Number(metric.value), f"{where}: metric {shown(metric.name)}")
    return {"metric": foreign.id_of(metric.name), "value": value}


def _dataset(datasets: list[Dataset]) -> str:
    meant = [item for item in datasets if item.context in _EVALUATION] or datasets
    if len(meant) != 1:
        return ""
    return meant[0].name + (f"@{meant[0].digest}" if meant[0].digest else "")
