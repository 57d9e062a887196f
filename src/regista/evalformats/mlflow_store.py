"""What a store of MLflow holds of its runs, whichever way it keeps them."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Run:
    """A run.

    Attributes:
        id: 32 hexadecimal digits.
        name: what people call it; not unique.
        experiment: name of its experiment.
        status: FINISHED, FAILED, KILLED, RUNNING or SCHEDULED.
        start: milliseconds since 1970; '' when not said.
        place: where its store finds it.
    """

    id: str
    name: str
    experiment: str
    status: str
    start: str
    place: Any


@dataclass(frozen=True, slots=True)
class Metric:
    """The latest value of a metric: its exact text, which may be no finite number."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset that was logged as input of a run, and in which context."""

    name: str
    digest: str
    context: str


class Store(Protocol):
    """A store of MLflow. Every method may raise InvalidInputError: the store is damaged."""

    def runs(self) -> list[Run]:
        """Return the runs that are not deleted."""
        ...

    def metrics(self, run: Run) -> list[Metric]:
        """Return a run's metrics."""
        ...

    def datasets(self, run: Run) -> list[Dataset]:
        """Return a run's inputs."""
        ...

    def tag(self, run: Run, name: str) -> str:
        """Return a run's tag; '' when it has none of that name."""
        ...
