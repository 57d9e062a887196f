"""Several tests in one gate: at which confidence each is made.

A gate passes only if every comparison does. So a wrong pass needs one that is truly not good enough
to pass its own test, and that is no likelier than one test's error, however many there are: an
intersection-union test needs no correction (Berger (1982), "Multiparameter hypothesis testing and
acceptance sampling", Technometrics 24(4), 295-300). A correction does more: it makes each single
"this slice is fine" hold, all of them together, at the confidence.

- Bonferroni: each of m tests gets an m-th of the error.
- Holm (1979), "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
  Statistics 6(2), 65-70: the clearest gets an m-th, the next an (m-1)-th, until one does not pass.
"""

from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Decimal, localcontext

from regista.decide.statistics.quantiles import ARITHMETIC

NONE, HOLM, BONFERRONI = "none", "holm", "bonferroni"
CORRECTIONS = (NONE, HOLM, BONFERRONI)

_STEP = Decimal("1e-12")

Passes = Callable[[Decimal], bool]
"""Says whether a test passes at a confidence; one that does also does at every lower one."""


def levels(confidence: Decimal, correction: str, tests: Sequence[Passes]) -> list[Decimal]:
    """Return the confidence that each test is to be judged at, in their order."""
    count = len(tests)
    if correction == NONE or count <= 1:
        return [confidence] * count
    if correction == BONFERRONI:
        return [_shared(confidence, count)] * count
    return _holm(confidence, tests)


def _holm(confidence: Decimal, tests: Sequence[Passes]) -> list[Decimal]:
    found: list[Decimal | None] = [None] * len(tests)
    open_ = len(tests)
    while open_:
        level = _shared(confidence, open_)
        passing = [k for k, passes in enumerate(tests) if found[k] is None and passes(level)]
        if not passing:
            return [level if item is None else item for item in found]
        # all that pass here would pass in turn, at levels that only become easier
        for k in passing:
            found[k] = level
        open_ -= len(passing)
    return [item or confidence for item in found]


def _shared(confidence: Decimal, count: int) -> Decimal:
    with localcontext(ARITHMETIC):
        return (1 - (1 - confidence) / count).quantize(_STEP, ROUND_CEILING)
