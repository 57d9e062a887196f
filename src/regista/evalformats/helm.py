"""Run folders of HELM (Stanford CRFM): `stats.json`, `run_spec.json`, `per_instance_stats.json`.

The format: crfm-helm 0.5.5, `src/helm/benchmark/metrics/statistic.py` (Stat),
`metric_name.py` (MetricName), `metric.py` (PerInstanceStats, and how the instances of a trial are
averaged), `run_spec.py` and `runner.py` (the files of a run).

- A stat of `stats.json` is over *trials*: each trial gives one mean over the instances, so
  `count` is how many trials there were, and `stddev` is the spread between them. It is no
  standard error of the mean over instances, so none is given; `n` is `num_instances` of the split.
- A stat with count 0 was not measured and is left out.
- With several splits or with perturbations the slice is `SPLIT`, `SPLIT/SUB_SPLIT` or
  `SPLIT@PERTURBATION`.
- The suite is the run's name without its model, since that is what versions differ in; the note
  has the whole name.
- An instance's rows have its mean of each metric; those of a perturbed instance are under
  `METRIC@PERTURBATION`, those of a run with several trials under `METRIC@trialN`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from regista.errors import InvalidInputError
from regista.evalformats import foreign
from regista.evalformats.jsontext import Number, load_json, object_of, outline, text_of
from regista.evalformats.protocol import Choice, ImportedRun, Peek
from regista.model.names import shown

_STATS, _SPEC, _INSTANCES, _SCENARIO = (
    "stats.json", "run_spec.json", "per_instance_stats.json", "scenario.json",
)  # fmt: skip
_MODEL_FIELDS = ("model=", "model_deployment=")
_INSTANCE_COUNT = "num_instances"
# of whom there are several in one folder: they are not searched for without end
_MAX_RUNS = 10_000


class Helm:
    """Adapter for run folders of HELM, and for a folder of such folders."""

    name = "helm"
    about = "run folders of HELM, or their stats.json alone"

    def recognises(self, peek: Peek) -> bool:
        """Say whether a path is a run folder of HELM, a folder of them, or a stats.json."""
        if peek.head:
            seen = outline(peek)
            return seen.kind == "array" and {"name", "count", "sum_squared"} <= seen.inner
        try:
            return bool(_runs_in(peek.path))
        except InvalidInputError:
            return False

    def read(self, path: Path, choice: Choice) -> ImportedRun:
        """Read one run.

        Raises:
            InvalidInputError: it is no run of HELM, is broken, or holds several and none is
                chosen; the message says where.
        """
        if path.is_dir():
            runs = _runs_in(path)
            path = runs[foreign.choose(runs, choice.run, shown(path.name, 200))]
            return _Run(path / _STATS, path).imported()
        return _Run(path, None).imported()


FORMAT = Helm()


def _runs_in(folder: Path) -> dict[str, Path]:
    """Return the runs of a folder by name: itself, or what lies in it."""
    try:
        if _is_run(folder):
            return {folder.name: folder}
        children = (child for _, child in zip(range(_MAX_RUNS), folder.iterdir(), strict=False))
        return {child.name: child for child in sorted(children) if _is_run(child)}
    except OSError as error:
        raise InvalidInputError(
            f"cannot read {shown(folder.name, 200)}: {error.strerror}"
        ) from error


def _is_run(folder: Path) -> bool:
    return (folder / _STATS).is_file() and (folder / _SPEC).is_file()


@dataclass(frozen=True, slots=True)
class _Stat:
    """One stat: the name's parts, and the statistic."""

    metric: str
    split: str
    part: str
    perturbation: str
    stat: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Run:
    """A run: its stats, and its folder where there is one."""

    stats: Path
    folder: Path | None

    def imported(self) -> ImportedRun:
        where = shown(self.stats.name, 200)
        found = [_stat(item) for item in foreign.sequence(load_json(self.stats))]
        if not any(stat.metric for stat in found):
            foreign.not_of_format(where, "the stats of a run of HELM")
        spec, scenario = self._object(_SPEC), self._object(_SCENARIO)
        name = text_of(spec.get("name"))
        has_samples = self.folder is not None and (self.folder / _INSTANCES).is_file()
        return ImportedRun(
            list(_scores(found, where)),
            samples=self._samples() if has_samples else None,
            suite=_without_model(name),
            dataset=_dataset(object_of(spec.get("scenario_spec")), scenario),
            harness="helm",
            note="; ".join(_notes(name, object_of(spec.get("adapter_spec")))),
        )

    def _object(self, name: str) -> dict[str, Any]:
        path = self.folder / name if self.folder else None
        return object_of(load_json(path)) if path and path.is_file() else {}

    def _samples(self) -> Iterator[dict[str, Any]]:
        path = (self.folder or self.stats.parent) / _INSTANCES
        instances = [object_of(item) for item in foreign.sequence(load_json(path))]
        trials = {foreign.name_of(item.get("train_trial_index")) for item in instances}
        for instance in instances:
            trial = foreign.name_of(instance.get("train_trial_index"))
            yield from _rows(instance, f"@trial{trial}" if len(trials) > 1 else "")


def _stat(item: object) -> _Stat:
    stat = object_of(item)
    name = object_of(stat.get("name"))
    changed = object_of(name.get("perturbation"))
    perturbation = "/".join(filter(None, map(text_of, (changed.get("name"),
                                                       changed.get("computed_on")))))  # fmt: skip
    return _Stat(
        text_of(name.get("name")), text_of(name.get("split")), text_of(name.get("sub_split")),
        perturbation, stat,
    )  # fmt: skip


def _scores(stats: list[_Stat], where: str) -> Iterator[dict[str, Any]]:
    one_split = len({stat.split for stat in stats if stat.split}) <= 1
    instances = {
        stat.split: foreign.count(stat.stat.get("mean"))
        for stat in stats
        if stat.metric == _INSTANCE_COUNT and not stat.perturbation and not stat.part
    }
    for stat in stats:
        value = foreign.number(stat.stat.get("mean"), f"{where}: mean of {shown(stat.metric)}")
        if value is not None and stat.metric:
            plain = one_split and not stat.part and not stat.perturbation
            slice_ = "/".join(filter(None, (stat.split, stat.part)))
            slice_ += f"@{stat.perturbation}" if stat.perturbation else ""
            own = stat.metric != _INSTANCE_COUNT and not stat.perturbation and not stat.part
            yield foreign.filled(
                {
                    "metric": foreign.id_of(stat.metric),
                    "value": value,
                    "n": instances.get(stat.split) if own else None,
                    "slice": "" if plain else foreign.id_of(slice_),
                }
            )


def _rows(instance: dict[str, Any], trial: str) -> Iterator[dict[str, Any]]:
    stats = [_stat(item) for item in foreign.sequence(instance.get("stats"))]
    measured = {stat.metric: foreign.present(stat.stat.get("mean")) for stat in stats}
    changed = text_of(object_of(instance.get("perturbation")).get("name"))
    for stat in stats:
        value = foreign.present(stat.stat.get("mean"))
        if value is not None and stat.metric:
            suffix = f"@{changed}" if changed else ""
            yield foreign.filled(
                {
                    "sample_id": foreign.id_of(foreign.name_of(instance.get("instance_id"))),
                    "metric": foreign.id_of(f"{stat.metric}{suffix}{trial}"),
                    "value": value,
                    "slices": foreign.labels({"split": stat.split, "sub_split": stat.part}),
                    "latency_s": measured.get("inference_runtime"),
                    "tokens_in": _whole(measured.get("num_prompt_tokens")),
                    "tokens_out": _whole(measured.get("num_output_tokens")),
                }
            )


def _whole(tokens: str | None) -> str | None:
    # a mean of whole numbers, written 333.0
    found = foreign.count(Number(tokens)) if tokens else None
    return str(found) if found is not None else None


def _without_model(name: str) -> str:
    scenario, colon, given = name.partition(":")
    kept = [part for part in given.split(",") if not part.startswith(_MODEL_FIELDS)]
    return scenario + (colon + ",".join(kept) if any(kept) else "")


def _dataset(spec: dict[str, Any], scenario: dict[str, Any]) -> str:
    name = text_of(scenario.get("name")) or text_of(spec.get("class_name")).rpartition(".")[2]
    given = [
        f"{key}={value}"
        for key, value in sorted(object_of(spec.get("args")).items())
        if isinstance(value, str)
    ]
    return " ".join(filter(None, (name, ",".join(given)))) if name else ""


def _notes(name: str, adapter: dict[str, Any]) -> Iterator[str]:
    if name:
        yield f"run {name}"
    if model := text_of(adapter.get("model")):
        yield f"model {model}"
    trials = foreign.count(adapter.get("num_train_trials"))
    if trials and trials > 1:
        yield f"{trials} trials"
    if limit := foreign.count(adapter.get("max_eval_instances")):
        yield f"at most {limit} instances"
