"""The judge: from a registry's files alone, was what the command said true, and is all well?

The judge's own look at the log shares no code with the writer: files, digests and JSON only. Then
readers have to show the state of before or of after as a whole; the same command again must come
to exactly one commit; another write, `verify`, `compact` and `gc` must find nothing amiss.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaigns.cases import DATA, TXID, Case, run
from support.cli import Ran

Json = dict[str, Any]
LOST = "acknowledged commit lost"
HALF = "half visible"
TWICE = "number given twice"
KNOWN = "unknown outcome reported as known"
UNSOUND = "registry not sound"
REPEAT = "not the same when run again"
LEFT = "left over for ever"
INTERNAL = "internal error"
QUICK = (
    ("resolve", "m@prod"), ("resolve", "m@staging"), ("show", "m"), ("show", "m@3"),
    ("show", "n@1"),
)  # fmt: skip
QUESTIONS = (*QUICK, ("list",))
KINDS = (LOST, HALF, TWICE, KNOWN, UNSOUND, REPEAT, LEFT, INTERNAL)

_OUTCOME_UNKNOWN = 5
_INTERNAL_ERROR = 1
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")
# what no two runs of one command have in common
_DIFFERS = frozenset({"commit", "run_id", "txid", "head"})
_HOURS = 7200


@dataclass(frozen=True, slots=True)
class Raw:
    """The log as plain files.

    Attributes:
        commits: the parsed files in order.
        digests: the SHA-256 of each.
        problems: what is wrong with numbers, chain or form.
    """

    commits: list[Json]
    digests: list[str]
    problems: list[str]

    def with_txid(self, txid: str) -> list[int]:
        """Return the numbers of the commits of one transaction."""
        return [commit["seq"] for commit in self.commits if commit["txid"] == txid]


@dataclass(frozen=True, slots=True)
class Views:
    """What readers show before the command and after it."""

    before: Json
    after: Json


@dataclass(slots=True)
class Verdict:
    """What the judge found.

    Attributes:
        committed: whether the commit is in the log.
        violations: kind and detail of each.
    """

    committed: bool = False
    violations: list[tuple[str, str]] = field(default_factory=list)

    def expect(self, holds: object, kind: str, detail: str) -> None:
        """Note a violation unless something holds."""
        if not holds:
            self.violations.append((kind, detail[:500]))


def read_log(root: Path) -> Raw:
    """Read the log's files with nothing but the file format's own rules."""
    paths = sorted((root / "log").rglob("[0-9]*.json"))
    raw = Raw([], [], [])
    header = root / "registry.json"
    parent = json.loads(header.read_bytes())["id"] if header.exists() else ""
    for number, path in enumerate(paths, start=1):
        data = path.read_bytes()
        try:
            commit = json.loads(data.splitlines()[0])
            whole = data.endswith(b"\n")
        except (ValueError, IndexError):
            commit, whole = {"seq": number, "txid": "", "rows": []}, False
        if not whole:
            raw.problems.append(f"{path.name} is not a whole commit")
        elif commit["seq"] != number or int(path.stem) != number or commit["parent"] != parent:
            raw.problems.append(f"{path.name} is not commit {number} of one chain")
        parent = hashlib.sha256(data).hexdigest()
        raw.commits.append(commit)
        raw.digests.append(parent)
    return raw


def view(folder: Path, questions: Sequence[tuple[str, ...]] = QUESTIONS) -> Json:
    """Return what readers show, without what no two runs have in common."""
    shown = {}
    for question in questions:
        ran = run(folder, *question, "--json")
        answer = json.loads(_TIME.sub("TIME", ran.out)) if ran.code == 0 else ran.code
        shown[" ".join(question)] = _common(answer)
    return shown


def judge(folder: Path, case: Case, views: Views, ran: Ran | None) -> Verdict:
    """Judge what a command left.

    Args:
        folder: where the command ran.
        case: the command.
        views: what readers show before and after it.
        ran: what the command said; None when it was killed.
    """
    verdict = Verdict()
    root = folder / DATA
    raw = read_log(root)
    _check_raw(verdict, raw)
    txid = _txid(case, root)
    there = raw.with_txid(txid)
    verdict.committed = bool(there)
    verdict.expect(len(there) <= 1, TWICE, f"commits {there} are of one transaction")
    if ran is not None:
        _check_told(verdict, case, raw, there, ran)
    if case.name != "init" or there:
        expected = views.after if there else views.before
        found = view(folder)
        verdict.expect(found == expected, HALF, _difference(found, expected))
        _verify(verdict, folder, "at once")
    _again(verdict, folder, case, views, txid)
    _afterwards(verdict, folder)
    return verdict


def _check_raw(verdict: Verdict, raw: Raw) -> None:
    for problem in raw.problems:
        verdict.expect(False, HALF, problem)  # noqa: FBT003 - it was found
    given = Counter(
        (row["entry_id"], row["version"])
        for commit in raw.commits
        for row in commit["rows"]
        if row["table"] == "versions"
    )
    twice = [key for key, count in given.items() if count > 1]
    verdict.expect(not twice, TWICE, f"versions {twice}")


def _check_told(verdict: Verdict, case: Case, raw: Raw, there: list[int], ran: Ran) -> None:
    """Compare the exit code, and what was printed, with what is in the log."""
    said = f"exit {ran.code}: {ran.err.strip()[-300:]}"
    verdict.expect(ran.code != _INTERNAL_ERROR, INTERNAL, said)
    if not case.writes:
        return
    if ran.code == 0:
        verdict.expect(there, LOST, said)
        told = json.loads(ran.out)
        true = there and (told["seq"], told["commit"]) == (there[0], raw.digests[there[0] - 1])
        verdict.expect(true, LOST, f"it named commit {told['seq']}, {told['commit'][:12]}")
    elif ran.code != _OUTCOME_UNKNOWN:
        verdict.expect(not there, KNOWN, f"{said}; yet commit {there} is there")


def _verify(verdict: Verdict, folder: Path, when: str) -> None:
    ran = run(folder, "verify", "--json")
    verdict.expect(ran.code == 0, UNSOUND, f"verify {when}: exit {ran.code} {ran.out}{ran.err}")


def _again(verdict: Verdict, folder: Path, case: Case, views: Views, txid: str) -> None:
    """Run the same command again: it must come to the one commit, and say so."""
    ran = run(folder, *case.command())
    verdict.expect(ran.code == 0, REPEAT, f"exit {ran.code}: {ran.err.strip()}")
    if case.writes and ran.code == 0:
        raw = read_log(folder / DATA)
        there = raw.with_txid(txid or _txid(case, folder / DATA))
        verdict.expect(len(there) == 1, TWICE if there else LOST, f"again: commits {there}")
        told = json.loads(ran.out)
        true = there and told["commit"] == raw.digests[there[0] - 1]
        verdict.expect(true, REPEAT, f"again it named {told['commit'][:12]}")
    found = view(folder, QUICK)
    verdict.expect(
        all(found[key] == views.after[key] for key in found),
        HALF,
        f"again: {_difference(found, views.after)}",
    )


def _afterwards(verdict: Verdict, folder: Path) -> None:
    """Let another writer write, clean up, and look once more."""
    before = len(read_log(folder / DATA).commits)
    ran = run(folder, "create", "another", "--kind", "model", "--json", "--actor", "judge")
    verdict.expect(ran.code == 0, UNSOUND, f"the next write: exit {ran.code} {ran.err}")
    raw = read_log(folder / DATA)
    _check_raw(verdict, raw)
    verdict.expect(len(raw.commits) == before + 1, UNSOUND, "the next write is no commit")
    _age_left_overs(folder / DATA)
    for command in ("compact", "gc", "doctor"):
        ran = run(folder, command, "--json")
        verdict.expect(ran.code == 0, LEFT, f"{command}: exit {ran.code} {ran.out}{ran.err}")
    left = [str(path) for path in (folder / DATA).rglob(".tmp-*")]
    verdict.expect(not left, LEFT, f"{left}")
    _verify(verdict, folder, "after the next write")


def _age_left_overs(root: Path) -> None:
    """Make temporary files old enough for `gc` to take them."""
    for path in root.rglob(".tmp-*"):
        for file in (path, *path.rglob("*")):
            then = file.lstat().st_mtime - _HOURS
            os.utime(file, (then, then))


def _txid(case: Case, root: Path) -> str:
    if case.name != "init":
        return TXID
    header = root / "registry.json"
    return f"init-{json.loads(header.read_bytes())['id']}" if header.exists() else ""


def _common(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {key: _common(item) for key, item in answer.items() if key not in _DIFFERS}
    if isinstance(answer, list):
        return [_common(item) for item in answer]
    return answer


def _difference(found: Json, expected: Json) -> str:
    parts = [
        f"{key}: {json.dumps(found[key])[:150]} instead of {json.dumps(expected[key])[:150]}"
        for key in found
        if found[key] != expected[key]
    ]
    return "; ".join(parts)
