"""Testing gains: from the terms of a gate and its pairs of scores to comparisons.

The estimate that fits the gate's test is made for each pair; several of them share the error as
the gate's correction says. What a test is in numbers is `estimates.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from regista.decide.gates.comparing import (
    MCNEMAR,
    PAIRED,
    PAIRED_BOOTSTRAP,
    Comparison,
    Oriented,
    Pair,
    Terms,
    percent,
    said,
)
from regista.decide.gates.estimates import Estimate, Proportions, of_differences, of_errors
from regista.decide.gates.findings import plural
from regista.decide.gates.findings import rounded as cut
from regista.decide.statistics.correcting import Passes, levels
from regista.decide.statistics.pairs import MIN_PAIRS, Pairs
from regista.decide.verdict import VerdictStatus


@dataclass(frozen=True, slots=True)
class _Tested:
    oriented: Oriented
    estimate: Estimate


def compare_all(pairs: Sequence[Pair], terms: Terms) -> list[Comparison]:
    """Compare every pair on the gate's terms, in their order."""
    found = [_prepare(pair, terms) for pair in pairs]
    tested = [item for item in found if isinstance(item, _Tested)]

    def passes_of(item: _Tested) -> Passes:
        return lambda level: item.estimate.holds(terms.limit, level, strict=terms.superiority)

    wanted = levels(terms.confidence, terms.correction, [passes_of(item) for item in tested])
    judged = iter(wanted)
    return [
        item if isinstance(item, Comparison) else _judge(item, terms, next(judged))
        for item in found
    ]


def _prepare(pair: Pair, terms: Terms) -> Comparison | _Tested:
    oriented = pair.oriented(terms)
    if isinstance(oriented, Comparison):
        return oriented
    if terms.test in PAIRED:
        return _from_samples(oriented, terms)
    few = oriented.too_few(terms) if terms.min_n else None
    if few is not None:
        return few
    return _from_errors(oriented, terms) if terms.tested else oriented.compare(terms)


def _from_errors(oriented: Oriented, terms: Terms) -> Comparison | _Tested:
    pair = oriented.pair
    one, other = pair.candidate.stderr, pair.baseline.stderr
    if one is None or other is None or not one.is_finite() or not other.is_finite():
        return _no_error(oriented, terms)
    if min(one, other) < 0:
        return _no_error(oriented, terms)
    counts = [n for n in (pair.candidate.n, pair.baseline.n) if n]
    return _Tested(oriented, of_errors(oriented.gain, (one, other), min(counts, default=None)))


def _no_error(oriented: Oriented, terms: Terms) -> Comparison:
    pair = oriented.pair
    return oriented.undecided(
        terms,
        f"{pair.values}, no stderr",
        f"{pair.name} has no standard error in one of the runs, so nothing can be tested",
        f"log it with stderr: {pair.remedy}",
    )


def _from_samples(oriented: Oriented, terms: Terms) -> Comparison | _Tested:
    pair = oriented.pair
    samples = pair.samples()
    if samples is None or not samples.pairs:
        return oriented.undecided(
            terms,
            "no paired examples",
            f"the two runs have no per-example results of {pair.name} in common",
            f"log both with --samples: {pair.remedy} --samples FILE",
        )
    if samples.unpaired > terms.max_unpaired * (samples.pairs + samples.unpaired):
        return _unpaired(oriented, terms, samples)
    least = max(terms.min_n, 0 if terms.test == MCNEMAR else MIN_PAIRS)
    if samples.pairs < least:
        return oriented.undecided(
            terms,
            plural(samples.pairs, "pair"),
            f"{pair.name} has {plural(samples.pairs, 'paired example')}, and {least} are needed",
            f"evaluate both on {least} examples or more: {pair.remedy} --samples FILE",
        )
    estimate = _estimate(samples, terms, higher=oriented.higher)
    if estimate is not None:
        return _Tested(oriented, estimate)
    return oriented.undecided(
        terms,
        "not right or wrong",
        f"{pair.name} has results that are neither 0 nor 1, and not all have passed",
        "log passed with every example, or use test: paired_bootstrap in the gate",
    )


def _estimate(samples: Pairs, terms: Terms, *, higher: bool) -> Estimate | None:
    better = samples if higher else samples.lower_is_better()
    if terms.test != MCNEMAR:
        return of_differences(better, resampled=terms.test == PAIRED_BOOTSTRAP)
    # values first: they are what the score and its direction are about
    outcomes = better.values or samples.passed
    return Proportions(outcomes) if outcomes else None


def _unpaired(oriented: Oriented, terms: Terms, samples: Pairs) -> Comparison:
    sides = ((samples.only_candidate, "candidate"), (samples.only_baseline, "baseline"))
    where = " and ".join(f"{count:,} in the {side}'s run alone" for count, side in sides if count)
    return oriented.undecided(
        terms,
        f"{samples.unpaired:,} of {samples.pairs + samples.unpaired:,} unpaired",
        f"not every example of {oriented.pair.name} is in both runs: {where}",
        f"evaluate both on the same examples, or allow a share with max_unpaired:"
        f" {oriented.pair.remedy} --samples FILE",
    )


def _judge(item: _Tested, terms: Terms, level: Decimal) -> Comparison:
    """Judge one test: chance is no failure, but it is no pass either."""
    oriented, estimate = item.oriented, item.estimate
    pair, gain = oriented.pair, estimate.gain
    shown = cut(level) if level != terms.confidence else level
    required = f"{oriented.required(terms)}, {percent(shown)} sure"
    observed = f"{pair.values}, {estimate.shown(terms.limit, level)}"
    of_pairs = " on the paired examples" if terms.test in PAIRED else ""
    reason, remedy = f"{pair.name} {said(_plain(gain, terms))}{of_pairs}", ""
    if estimate.holds(terms.limit, level, strict=terms.superiority):
        status = VerdictStatus.PASSED
    elif terms.reached(gain):
        status = VerdictStatus.UNDECIDABLE
        reason += ", but that may be chance"
        needed = estimate.needed(terms.limit, level)
        remedy = f"{needed or 'evaluate both on other examples'}: {pair.remedy}"
    else:
        status = VerdictStatus.FAILED
    return Comparison(pair.name, status, observed, required, reason, remedy, gain, oriented.note)


def _plain(gain: Decimal, terms: Terms) -> Decimal:
    """Return a gain as it is told: one that was computed is cut, one that was logged is not."""
    return cut(gain) if terms.test in PAIRED else gain
