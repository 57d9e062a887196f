"""Gate kinds: one file per kind behind `kind.py`, listed in `registry.py`.

A gate kind is pure: it judges a `Case` and gives a `Finding`. Which gates apply to a placement,
and what follows from their findings, is decided in `regista.decide.judge`.
"""

from regista.decide.gates.describing import reference
from regista.decide.gates.registry import KINDS, REVISIONS, find_kind

__all__ = ["KINDS", "REVISIONS", "find_kind", "reference"]
