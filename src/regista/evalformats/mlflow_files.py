"""MLflow's file store: a folder per experiment, and in it one per run.

Its files are `meta.yaml` (flat), `metrics/NAME` (a line `TIME VALUE STEP`, and perhaps dataset and
model, for each time it was logged), `tags/NAME`, and `inputs/ID/meta.yaml`, which names a
`datasets/ID/meta.yaml` of the experiment. Names may have slashes, and are paths then.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats.mlflow_store import Dataset, Metric, Run
from regista.evalformats.yamltext import parse_yaml
from regista.model.names import shown

_META = "meta.yaml"
# mlflow/entities/run_status.py, and entities/lifecycle_stage.py
_STATUS = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}
_DELETED = "deleted"
_CONTEXT = "mlflow.data.context"
_MAX_META = 1 << 20
_MAX_LINE = 4096
_MAX_LOOKED_AT = 100


class FileStore:
    """The folder of a run, of an experiment, or of all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def exists(self) -> bool:
        """Say whether the folder is one of MLflow, by its first few files."""
        if (self._folder / _META).is_file():
            return "lifecycle_stage" in _meta(self._folder)
        children = (child for _, child in zip(range(_MAX_LOOKED_AT), self._folder.iterdir(),
                                              strict=False))  # fmt: skip
        return any((child / _META).is_file() and "lifecycle_stage" in _meta(child)
                   for child in children)  # fmt: skip

    def runs(self) -> list[Run]:
        """Return the runs that are not deleted."""
        folder = self._folder
        if not (folder / _META).is_file():
            return [run for child in _folders(folder) for run in _of_experiment(child)]
        if "experiment_id" in (meta := _meta(folder)) and ("run_id" in meta or "run_uuid" in meta):
            parent = folder.parent / _META
            experiment = str(_meta(folder.parent).get("name", "")) if parent.is_file() else ""
            return [_run(folder, meta, experiment)]
        return list(_of_experiment(folder))

    def metrics(self, run: Run) -> list[Metric]:
        """Return the latest value of each metric: of the greatest step, time and value."""
        folder = run.place / "metrics"
        return [
            Metric(path.relative_to(folder).as_posix(), _latest(path))
            for path in _files_below(folder)
        ]

    def datasets(self, run: Run) -> list[Dataset]:
        """Return a run's inputs."""
        found = []
        for child in _folders(run.place / "inputs"):
            meta = _meta(child)
            tags = meta.get("tags")
            context = tags.get(_CONTEXT, "") if isinstance(tags, dict) else ""
            source = str(meta.get("source_id", ""))
            about = _about(run.place.parent / "datasets", source)
            found.append(Dataset(
                str(about.get("name", "")), str(about.get("digest", "")), str(context)
            ))  # fmt: skip
        return [dataset for dataset in found if dataset.name]

    def tag(self, run: Run, name: str) -> str:
        """Return a run's tag."""
        path = run.place / "tags" / name
        return _text(path).strip() if path.is_file() else ""


def _of_experiment(folder: Path) -> Iterator[Run]:
    if not (folder / _META).is_file():
        return
    about = _meta(folder)
    if about.get("lifecycle_stage") == _DELETED:
        return
    for child in _folders(folder):
        if (child / _META).is_file() and child.name != "datasets":
            meta = _meta(child)
            if "run_id" in meta and meta.get("lifecycle_stage") != _DELETED:
                yield _run(child, meta, str(about.get("name", "")))


def _run(folder: Path, meta: dict[str, Any], experiment: str) -> Run:
    run_id = str(meta.get("run_id") or meta.get("run_uuid") or folder.name)
    name = str(meta.get("run_name") or "")
    status = _STATUS.get(str(meta.get("status", "")), "unknown")
    return Run(run_id, name, experiment, status, str(meta.get("start_time", "")), folder)


def _about(datasets: Path, name: str) -> dict[str, Any]:
    # the name comes from a file: it must not lead out of the folder
    folder = datasets / name
    return _meta(folder) if name.isalnum() and (folder / _META).is_file() else {}


def _latest(path: Path) -> str:
    """Return the value of a metric's latest line."""
    latest: tuple[int, int, float, str] | None = None
    try:
        with path.open(encoding="utf-8") as file:
            number = 0
            while line := file.readline(_MAX_LINE):
                number += 1
                if line.strip():
                    logged = _logged(line, f"{shown(path.name, 200)}, line {number}")
                    latest = max(latest, logged) if latest else logged
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"cannot read metric {shown(path.name, 200)}: {error}") from error
    if latest is None:
        raise InvalidInputError(f"the metric {shown(path.name, 200)} has no value")
    return latest[3]


def _logged(line: str, where: str) -> tuple[int, int, float, str]:
    parts = line.split(" ")
    try:
        # files before MLflow 1.0 have no step
        time, value, step = (parts[0], parts[1].strip(), parts[2] if len(parts) > 2 else "0")  # noqa: PLR2004
        return int(step), int(time), float(value), value
    except (IndexError, ValueError):
        raise InvalidInputError(f"metric {where}: it is not TIME VALUE STEP") from None


def _folders(folder: Path) -> list[Path]:
    try:
        if not folder.is_dir():
            return []
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError as error:
        raise InvalidInputError(
            f"cannot read {shown(folder.name, 200)}: {error.strerror}"
        ) from error


def _files_below(folder: Path) -> list[Path]:
    # links are not followed, so this ends, and stays inside
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _meta(folder: Path) -> dict[str, Any]:
    where = f"{shown(folder.name, 200)}/{_META}"
    value = parse_yaml(_text(folder / _META), where)
    return value if isinstance(value, dict) else {}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_META + 1)
        if len(data) > _MAX_META:
            raise InvalidInputError(f"{shown(path.name, 200)} is larger than {_MAX_META >> 20} MB")
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{shown(path.name, 200)} is not UTF-8") from error
    except OSError as error:
        raise InvalidInputError(f"cannot read {shown(path.name, 200)}: {error.strerror}") from error
