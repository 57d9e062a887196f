"""How often each statistical gate is wrong: simulated against nominal.

    python benchmarks/gate_error_rates.py [--trials 4000] [--drawn-trials 1000] [--write]

A false pass is a candidate that is exactly too bad (its true gain is minus the margin, or zero for
superiority) and passes; nominal is 1 - confidence. A false refusal is one that is truly as good as
the other (for superiority: better by the effect named) and does not pass, at the n that the
verdict's own formula gives for a chance of 80 %; nominal is 20 %. With --write the tables go into
docs/statistics.md. The seeds are fixed, so the same arguments print the same tables.
"""

import argparse
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from regista.decide.gates.estimates import Estimate, Proportions, of_differences, of_errors
from regista.decide.statistics.correcting import levels
from regista.decide.statistics.pairs import COARSER, LISTED, Outcomes, Pairs

PAGE = Path(__file__).parents[1] / "docs" / "statistics.md"
BEGIN, END = "<!-- simulated: error rates -->", "<!-- end simulated -->"
CONFIDENCE = Decimal("0.95")
ERROR, REFUSAL = 0.05, 0.2
# standard normal quantiles at 95 % and 80 %
Z = 1.644854 + 0.841621

Chance = np.random.Generator
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Draw = Callable[[Chance, int], Floats]


@dataclass(frozen=True)
class Kind:
    """A distribution of differences with mean 0 and standard deviation 1."""

    name: str
    draw: Draw


def _unequal(chance: Chance, n: int) -> Floats:
    """Return what a steady and a wild version differ by, which goes with how hard examples are."""
    hard = chance.normal(size=n)
    steady, wild = 0.5 * chance.normal(size=n), (0.5 + np.abs(hard)) * chance.normal(size=n)
    return (wild - steady) / math.sqrt(0.25 + 0.25 + 1 + math.sqrt(2 / math.pi))


KINDS = (
    Kind("normal", lambda chance, n: chance.normal(size=n)),
    Kind("unequal variances", _unequal),
    Kind("rare large losses", lambda chance, n: 1 - chance.exponential(size=n)),
    Kind("rare large gains", lambda chance, n: chance.exponential(size=n) - 1),
)


def pairs_from(differences: Floats) -> Pairs:
    """Return the pairs that have these differences, as `regista.read.pairs` would."""
    half = float(np.abs(differences / 2).max())
    scale = 29 - math.frexp(half)[1]
    fine, coarse = (
        [int(v) for v in np.floor(differences * 2.0**s + 0.5)] for s in (scale, scale - COARSER)
    )
    n = len(fine)
    return Pairs(
        n,
        0,
        0,
        low=Decimal(repr(float(min(differences.min(), 0)))),
        high=Decimal(repr(float(max(differences.max(), 0)))),
        scale=scale,
        fine=(sum(fine), sum(v * v for v in fine)),
        coarse=(sum(coarse), sum(v**2 for v in coarse), sum(v**3 for v in coarse),
                sum(v**4 for v in coarse)),
        listed=tuple(sorted(Counter(fine).items())) if n <= LISTED else None,
    )  # fmt: skip


def outcomes_from(chance: Chance, n: int, gained: float, lost: float) -> Outcomes:
    """Return right-or-wrong outcomes of n examples."""
    both = (1 - gained - lost) * 0.8
    counts = chance.multinomial(n, [both, gained, lost, 1 - both - gained - lost])
    return Outcomes(*map(int, counts))


def rate(trials: int, passes: Callable[[], bool]) -> float:
    """Return the share of trials that pass."""
    return sum(passes() for _ in range(trials)) / trials


def seeded(*what: object) -> Chance:
    """Return chance that is the same whenever this is simulated."""
    return np.random.default_rng(zlib.crc32(repr(what).encode()))


def holds(estimate: Estimate, margin: float) -> bool:
    """Say whether a gate with this margin, or for superiority with none, passes."""
    limit = Decimal(repr(-margin)) if margin else Decimal(0)
    return estimate.holds(limit, CONFIDENCE, strict=not margin)


def continuous(test: str, kind: Kind, n: int, gain: float, *, margin: float, trials: int) -> float:
    """Return how often a paired test passes when the true gain is this, in standard deviations."""
    chance = seeded(test, kind.name, n, gain, margin)

    def passes() -> bool:
        pairs = pairs_from(kind.draw(chance, n) + gain)
        return holds(of_differences(pairs, resampled=test == "paired_bootstrap"), margin)

    return rate(trials, passes)


def binary(n: int, discordant: float, gain: float, margin: float, trials: int) -> float:
    """Return how often `mcnemar` passes when this share differs, and the true gain is this."""
    chance = seeded("mcnemar", n, discordant, gain, margin)
    shares = (discordant + gain) / 2, (discordant - gain) / 2
    return rate(trials, lambda: holds(Proportions(outcomes_from(chance, n, *shares)), margin))


def aggregates(n: int, ratio: float, gain: float, margin: float, trials: int) -> float:
    """Return how often `stderr` passes on two independent runs, one so many times as noisy."""
    chance = seeded("stderr", n, ratio, gain, margin)

    def passes() -> bool:
        ours, theirs = ratio * chance.normal(size=n) + gain, chance.normal(size=n)
        errors = [Decimal(repr(float(v.std(ddof=1) / n**0.5))) for v in (ours, theirs)]
        estimate = of_errors(
            Decimal(repr(float(ours.mean() - theirs.mean()))), (errors[0], errors[1]), n
        )
        return holds(estimate, margin)

    return rate(trials, passes)


def slices(correction: str, good: int, bad: int, trials: int, n: int = 100) -> tuple[float, float]:
    """Return how often a superiority gate over slices passes, and says so wrongly of any slice."""
    chance = seeded("slices", correction, good, bad)
    gate = wrong = 0
    for _ in range(trials):
        shifts = [1.0] * good + [0.0] * bad
        found = [
            of_differences(pairs_from(chance.normal(size=n) + shift), resampled=False)
            for shift in shifts
        ]
        tests = [lambda level, e=e: e.holds(Decimal(0), level, strict=True) for e in found]
        passed = [
            test(level)
            for test, level in zip(tests, levels(CONFIDENCE, correction, tests), strict=True)
        ]
        gate += all(passed)
        wrong += any(passed[good:])
    return gate / trials, wrong / trials


def needed(spread: float, room: float) -> int:
    """Return the n that verdicts name: for a chance of 80 %."""
    return math.ceil((Z * spread / room) ** 2)


def tables(trials: int, drawn: int) -> Iterator[str]:
    """Give the lines of the page, as they are simulated."""
    yield f"Confidence 95 %, fixed seeds. {trials:,} trials each, so that a rate of 5 % is known to"
    yield f"{_error(trials)}; of the drawn bootstrap {drawn:,} ({_error(drawn)})."
    yield ""
    yield from _binary_table(trials)
    yield ""
    yield from _continuous_table(trials, drawn)
    yield ""
    yield from _stderr_table(trials)
    yield ""
    yield from _slices_table(max(500, trials // 4))


def _error(trials: int) -> str:
    return f"± {196 * math.sqrt(ERROR * (1 - ERROR) / trials):.1f} points"


def _binary_table(trials: int) -> Iterator[str]:
    yield "**`mcnemar`**, by how many of the examples differ:"
    yield ""
    yield "| asks for | differ | n | false passes (nominal 5 %) |"
    yield "|---|---|---|---|"
    for margin in (0.0, 0.02, 0.05):
        asks = f"no worse than {margin:g}" if margin else "better"
        for discordant in (0.06, 0.2):
            for n in (50, 200, 1000, 10_000):
                found = binary(n, discordant, -margin, margin, trials)
                yield f"| {asks} | {discordant:.0%} | {n:,} | {found:.1%} |"
    yield ""
    yield "| asks for | differ | true gain | n by the formula | false refusals (nominal 20 %) |"
    yield "|---|---|---|---|---|"
    for margin, gain in ((0.0, 0.05), (0.02, 0.0), (0.05, 0.0)):
        asks = f"no worse than {margin:g}" if margin else "better"
        for discordant in (0.06, 0.2):
            n = needed(math.sqrt(discordant - gain**2), gain + margin)
            found = 1 - binary(n, discordant, gain, margin, trials)
            yield f"| {asks} | {discordant:.0%} | {gain:g} | {n:,} | {found:.1%} |"


def _continuous_table(trials: int, drawn: int) -> Iterator[str]:
    yield "**`paired_t` and `paired_bootstrap`**, no worse than 0.1 standard deviations of the"
    yield "differences; false refusals at the n by the formula (619), nominal 20 %:"
    yield ""
    yield "| differences | test | n = 20 | n = 50 | n = 200 | n = 1,000 | false refusals |"
    yield "|---|---|---|---|---|---|---|"
    for kind in KINDS:
        for test in ("paired_t", "paired_bootstrap"):
            few = drawn if test == "paired_bootstrap" else trials
            found = [
                continuous(test, kind, n, -0.1, margin=0.1, trials=few if n <= LISTED else trials)
                for n in (20, 50, 200, 1000)
            ]
            refused = 1 - continuous(test, kind, needed(1, 0.1), 0.0, margin=0.1, trials=trials)
            rates = " | ".join(f"{value:.1%}" for value in (*found, refused))
            yield f"| {kind.name} | `{test}` | {rates} |"


def _stderr_table(trials: int) -> Iterator[str]:
    yield "**`stderr`**, on two independent runs of n examples, no worse than 0.1:"
    yield ""
    yield "| variances | n | false passes (nominal 5 %) |"
    yield "|---|---|---|"
    for ratio, name in ((1.0, "equal"), (3.0, "1 to 9")):
        for n in (50, 200, 1000):
            yield f"| {name} | {n:,} | {aggregates(n, ratio, -0.1, 0.1, trials):.1%} |"


def _slices_table(trials: int) -> Iterator[str]:
    yield f"**Five slices in one gate** for superiority, `paired_t`, n = 100, {trials:,} trials:"
    yield ""
    yield "| slices | `correction` | the gate passes | some slice wrongly said to be better |"
    yield "|---|---|---|---|"
    for good, bad, name in ((4, 1, "4 far better, 1 equal"), (0, 5, "all equal")):
        for correction in ("none", "holm", "bonferroni"):
            gate, wrong = slices(correction, good, bad, trials)
            yield f"| {name} | `{correction}` | {gate:.1%} | {wrong:.1%} |"


def main() -> None:
    """Simulate, print, and with --write put the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=4000)
    parser.add_argument("--drawn-trials", type=int, default=1000)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines = []
    for line in tables(options.trials, options.drawn_trials):
        print(line, flush=True)
        lines.append(line)
    if options.write:
        text = PAGE.read_text("utf-8")
        part = "\n".join([BEGIN, "", *lines, "", END])
        PAGE.write_text(re.sub(f"{BEGIN}.*{END}", lambda _m: part, text, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
