"""The closed table of gate kinds: one line per kind, and per old revision that must stay runnable.

`KINDS` is what a policy may name today. `REVISIONS` is all that a replay may ask for.
"""

from collections.abc import Iterable

from regista.decide.gates import (
    approvals,
    baseline,
    coverage,
    drill,
    evaluator,
    freshness,
    integrity,
    lineage,
    metadata,
    overuse,
    soak,
    sql,
    threshold,
)
from regista.decide.gates.kind import GateKind
from regista.errors import NewerFormatError
from regista.model.names import shown

_CURRENT = (
    threshold.KIND,
    baseline.KIND,
    freshness.KIND,
    evaluator.KIND,
    overuse.KIND,
    coverage.KIND,
    soak.KIND,
    drill.KIND,
    lineage.KIND,
    integrity.KIND,
    metadata.KIND,
    approvals.KIND,
    sql.KIND,
)
_OLD: tuple[GateKind, ...] = (
    threshold.KIND_1,
    baseline.KIND_1,
    evaluator.KIND_1,
    overuse.KIND_1,
    approvals.KIND_1,
    coverage.KIND_1,
    sql.KIND_1,
)


def _by_revision(kinds: Iterable[GateKind]) -> dict[tuple[str, int], GateKind]:
    return {(kind.kind, kind.revision): kind for kind in kinds}


KINDS: dict[str, GateKind] = {kind.kind: kind for kind in _CURRENT}
REVISIONS: dict[tuple[str, int], GateKind] = _by_revision((*_OLD, *_CURRENT))


def find_kind(kind: str, revision: int | None = None) -> GateKind:
    """Return a gate kind; the current revision when none is given.

    Raises:
        NewerFormatError: this Regista has no such kind or revision, so a newer one wrote it.
    """
    found = KINDS.get(kind) if revision is None else REVISIONS.get((kind, revision))
    if found is None:
        which = "" if revision is None else f", revision {revision}"
        raise NewerFormatError(
            f"this Regista does not know the gate kind {shown(kind)}{which}",
            hint="upgrade Regista: pip install --upgrade regista",
        )
    return found
