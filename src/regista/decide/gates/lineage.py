"""`lineage`: what the candidate came from is on record."""

from regista.decide.evidence import Case
from regista.decide.gates.field_types import Params, choices
from regista.decide.gates.fields import Field, Stricter
from regista.decide.gates.findings import failed, listed, passed
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows
from regista.decide.heads import VersionHead
from regista.decide.verdict import Finding

RELATIONS = ("dataset", "run", "code", "base", "member", "uri")


def evaluate(params: Params, case: Case) -> Finding:
    """Judge the relations recorded when the version was registered."""
    wanted, recorded = params["require"], _recorded(case.version)
    required = listed(wanted, len(RELATIONS))
    have = [relation for relation in wanted if relation in recorded]
    missing = [relation for relation in wanted if relation not in recorded]
    observed = listed(have, len(RELATIONS)) or "nothing"
    evidence = (f"version:{case.version.version}",)
    if not missing:
        return passed(observed, required, "all that was asked for is on record", evidence)
    flags = " ".join(f"--{relation} …" for relation in missing)
    reason = f"version {case.version.version} has no {' and no '.join(missing)} on record"
    remedy = f"register it again, with {flags} --force-new: a version never changes"
    return failed(observed, required, reason, remedy, evidence)


def _recorded(version: VersionHead) -> set[str]:
    found = {head.relation for head in version.lineage}
    own = {"run": version.run, "code": version.code, "uri": version.uri}
    return found | {relation for relation, value in own.items() if value}


def evidence(params: Params, case: Case) -> Rows:
    """Return the relations asked for, with what they point at."""
    version = case.version
    rows: Rows = [
        {"relation": item.relation, "target": item.target, "digest": item.target_digest}
        for item in version.lineage
        if item.relation in params["require"]
    ]
    own = {"run": version.run, "code": version.code, "uri": version.uri}
    return [*rows, *({name: own[name]} for name in params["require"] if name in own)]


KIND = GateKind(
    kind="lineage",
    revision=1,
    summary="The candidate's record says where it came from.",
    fields=(
        Field(
            "require",
            choices("require", *RELATIONS),
            "relations that must be on record",
            required=True,
            stricter=Stricter.MORE,
        ),
    ),
    evaluate=evaluate,
    evidence=evidence,
)
