"""`integrity`: every artifact of the candidate is there, and is what its digest says."""

from shlex import quote
from typing import Any

from regista.decide.evidence import Case
from regista.decide.gates.field_types import Params
from regista.decide.gates.findings import failed, listed, passed, plural, undecidable
from regista.decide.gates.kind import GateKind
from regista.decide.gates.reading import Rows
from regista.decide.verdict import Finding


def evaluate(_params: Params, case: Case) -> Finding:
    """Judge an observation of the blobs: made and recorded live, read back in a replay."""
    version, required = case.version, "all artifacts whole"
    evidence = (f"digest:{version.digest}",)
    if not version.files and version.uri:
        reason = f"the artifacts lie at {version.uri}, where they cannot be checked"
        remedy = f"register the files themselves: regista register {quote(case.entry.name)} PATH"
        return undecidable("kept elsewhere", required, reason, remedy, evidence)
    seen = case.observe("blobs", version.digest)
    if not isinstance(seen, dict) or not isinstance(seen.get("ok"), bool):
        reason = "whether the artifacts are whole could not be observed"
        return undecidable("not observed", required, reason, "regista verify --deep", evidence)
    if seen["ok"]:
        observed = f"{plural(version.files, 'file')} whole"
        reason = "every artifact is there, and its content has the digest on record"
        return passed(observed, required, reason, evidence)
    return _damaged(case, seen, required, evidence)


def _damaged(case: Case, seen: dict[str, Any], required: str, evidence: tuple[str, ...]) -> Finding:
    missing, corrupt = list(seen.get("missing", [])), list(seen.get("corrupt", []))
    observed = f"{len(missing)} missing, {len(corrupt)} corrupt"
    said = [f"missing: {listed(missing)}"] if missing else []
    said += [f"corrupt: {listed(corrupt)}"] if corrupt else []
    reason = f"artifacts of version {case.version.version} are {'; '.join(said) or 'damaged'}"
    remedy = "restore the blobs from a backup, or register the version again from its files"
    return failed(observed, required, reason, remedy, evidence)


def evidence(_params: Params, case: Case) -> Rows:
    """Return which artifacts they are; whether the store still has them is no evidence."""
    return [{"digest": case.version.digest, "files": case.version.files}]


KIND = GateKind(
    kind="integrity",
    revision=1,
    summary="Every artifact of the candidate is in the store, and its content has the digest on "
    "record.",
    fields=(),
    evaluate=evaluate,
    evidence=evidence,
    notes="It has no fields: write `- integrity: {}` or `- integrity`. Artifacts that are only "
    "named by a URI cannot be checked, so they leave it undecided.",
)
