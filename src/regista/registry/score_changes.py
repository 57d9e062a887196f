"""One score of two versions: the difference, its interval, and what that says.

Differences are decimal. Nothing is read here; which scores stand against each other is
`score_comparison`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from regista.decide.statistics.intervals import ERROR, Interval, of_errors, of_pairs
from regista.decide.statistics.pairs import Pairs

ScoreRow = Mapping[str, Any]
ScoreGrain = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """One score of two versions.

    Attributes:
        suite: suite, task, metric and slice say which score.
        one: value for the first version; None where it has none.
        other: value for the second.
        difference: the second less the first.
        low: lower end of the 95 % interval of the difference; None where none can be given.
        high: upper end.
        verdict: `better`, `worse` or `same` for the second; `unclear` when the interval holds
            zero; '' when there is nothing to compare.
        method: how the interval was made, one of `intervals.METHODS`; '' for none.
        n: number of paired examples; None where none were paired.
        p: chance of a difference this far from zero, to either side, if there were none.
        paired_difference: mean difference of the paired examples, which the interval is about;
            None where none were paired.
        higher_is_better: direction that the verdict goes by; None where neither says it, and
            higher was taken as better.
    """

    suite: str
    task: str
    metric: str
    slice: str
    one: float | None
    other: float | None
    difference: float | None
    low: float | None
    high: float | None
    verdict: str
    method: str = ""
    n: int | None = None
    p: float | None = None
    paired_difference: float | None = None
    higher_is_better: bool | None = None

    @property
    def title(self) -> str:
        """Suite, task, metric and slice in words."""
        name = "/".join(filter(None, (self.suite, self.task, self.metric)))
        return f"{name} in {self.slice}" if self.slice else name


def score_change(grain: ScoreGrain, one: ScoreRow | None, other: ScoreRow | None) -> ScoreChange:
    """Compare one score of two versions; rows have `value`, `stderr` and `higher_is_better`."""
    if one is None or other is None:
        value, otherwise = (None if side is None else side["value"] for side in (one, other))
        return ScoreChange(*grain, value, otherwise, None, None, None, "")
    exact = decimal_of(other["value"]) - decimal_of(one["value"])
    said = {side["higher_is_better"] for side in (one, other)} - {None}
    change = ScoreChange(
        *grain,
        one["value"],
        other["value"],
        float(exact),
        None,
        None,
        _verdict(float(exact) if False not in said else -float(exact)),
        higher_is_better=False not in said if said else None,
    )
    if one["stderr"] is None or other["stderr"] is None:
        return change
    errors = decimal_of(one["stderr"]), decimal_of(other["stderr"])
    return _with_interval(change, of_errors(exact, errors))


def with_pairs(change: ScoreChange, pairs: Pairs) -> ScoreChange:
    """Return a change with the interval of its paired examples, if they are enough for one."""
    interval = of_pairs(pairs)
    if interval is None:
        return change
    return replace(_with_interval(change, interval), paired_difference=float(interval.difference))


def _with_interval(change: ScoreChange, interval: Interval) -> ScoreChange:
    difference = float(interval.difference)
    gain = difference if change.higher_is_better is not False else -difference
    return replace(
        change,
        low=float(interval.low),
        high=float(interval.high),
        method=interval.method,
        n=interval.n,
        p=float(interval.p),
        verdict=_verdict(gain, sure=interval.p <= ERROR),
    )


def _verdict(gain: float, *, sure: bool = True) -> str:
    if gain == 0:
        return "same"
    if not sure:
        return "unclear"
    return "better" if gain > 0 else "worse"


def decimal_of(value: float) -> Decimal:
    """Return a double as the decimal that is written for it."""
    return Decimal(repr(value))
