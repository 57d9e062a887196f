"""The report of a campaign, from the files that its parts wrote; no number comes from elsewhere."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from campaigns.judging import HALF, KINDS, KNOWN, LOST, TWICE

Json = dict[str, Any]
_USUAL = frozenset({"0", "5", "7", "killed"})
PROMISED = (LOST, HALF, TWICE, KNOWN)
INTRODUCTION = """\
# Reliability

Written by `make faults`, a campaign of faults against real commands on real files. Every number
on this page is from the runs named below; a short form of the campaign runs with the other tests.

After each run a judge looks at the registry's files alone. It reads the log without any of
Regista's code, and compares it with the exit code and with what was printed: exit 0 and no such
commit is a **lost commit**; an exit other than 0 and 5 with the commit there is an **unknown
outcome reported as known**. Then `resolve`, `show` and `list` must show the state before or after
as a whole, and `verify` must find nothing; the same command again with the same `--txid` must come
to exactly that one commit; another write must succeed; and after `compact` and `gc` nothing may be
left over, nor may `doctor` or `verify` find anything.
"""
FAULTS = """\
## What was done to it

- **Killed, EIO, ENOSPC at every call**: each system call that changes the registry's folder is
  counted, and one of them is failed, or the process is ended by SIGKILL just before it. Commands
  run in forked processes whose `os` functions are stood in for. Temporary files that DuckDB writes
  are not among them; they are copied into place by calls that are.
- **Lasting faults**: the call is done and its answer lost (as network file systems do), or the
  disk is full, or dead, from one call on.
- **Power cuts**: killing a process shows nothing of missing syncs. So the calls of a run are
  replayed on a model of a disk which keeps a file's bytes as of its last fsync, and a folder's
  names as of the folder's. It is cut at every call, losing all that was not synced, or a random
  half of it (seeds: the number of the call); the same after a kill and the command run again to
  its end. A command that ended with 0 in spite of a fault is also cut at its end.
- **Stores that lie**: every call of the store protocol is refused, done and then refused, or
  answered with *exists* or *unknown*, whatever it did; and random pairs of these.
- **Races**: writers that register, evaluate and promote, with clocks from a day behind to a day
  ahead, beside readers (in a bucket none is ahead, as that is refused there). Each notes when it
  asked and was told. The log must be one order that all of them can have seen (linearizability),
  without gaps or doubled version numbers. Seeds are the writers' numbers, and 1 for the kills.
- **Networks**: a real client and a server, with a proxy between them. Each request of a command
  meets: its answer lost, or hanging, after the server did it; 500 after it did it; 500, 503 and 409
  instead; half an answer; a stale listing; and for the commit's own request all of these, lost and
  hanging requests too, for ever. Uploads in parts are cut off at every 64 KiB.
- **strace**: the kernel's list of calls must be the recorded one, call for call; then the kernel
  kills and fails a sample of them in the real process.
"""


FOUND = """\
## What it found

Each of these is mended, has a test of its own, and is looked for by every later run:

- A command that was killed just before it synced the log's folder had made its commit for all to
  see. Run again with its `--txid`, it found the commit, said so and ended with 0; a power cut then
  could undo it. So could it for a no-op, for a second `init`, for blobs that another process had
  stored a moment before, and for the first commit of a new log folder. What another process wrote
  is settled now before it is built on or told of.
- A log folder that could not be synced (EIO) left the commit readable, and reading it back was
  taken for success. Now the outcome is unknown: exit 5.
- `register` looks once more for its blobs after its commit. A disk error in that look was told as
  failure, exit 7, though the version was recorded. Now it is a warning.
- `init` synced the log's folder once more after its own commit, and told a failure of that as exit
  7 with the commit there. Now it is done before, where nothing is there yet.

## What it does not show

An emulator stands for S3. Parts marked as cut short below ran in their listed order until their
time was up: in the network parts, requests that write come first, then random pairs, then requests
that read. `mirror`, `import` and the site are not among the commands.
"""


@dataclass(slots=True)
class Part:
    """What one part wrote.

    Attributes:
        name: of the part.
        started: date and time.
        commit: of the source.
        seconds: how long it took.
        whole: whether all of it was run.
        runs: its lines.
    """

    name: str
    started: str
    commit: str
    seconds: float
    whole: bool
    runs: list[Json] = field(default_factory=list)

    @property
    def violations(self) -> list[tuple[str, str]]:
        """Kind and detail of all violations."""
        return [(kind, detail) for run in self.runs for kind, detail in run.get("violations", ())]


def read_part(file: Path) -> Part:
    """Read the file of a part."""
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    last, head = lines[-1], lines[0]
    runs = [line for line in lines[1:] if "done" not in line]
    whole = last.get("done", False)
    # one that was stopped from outside has only its runs to tell
    seconds = last["seconds"] if "done" in last else sum(run.get("seconds", 0) for run in runs)
    return Part(head["part"], head["started"], head["commit"], seconds, whole, runs)


def is_done(file: Path) -> bool:
    """Say whether a part was run to its end."""
    return file.exists() and read_part(file).whole


def report(folder: Path, names: Sequence[str]) -> tuple[str, bool]:
    """Return the report on all parts in a folder, and whether nothing was found.

    Args:
        folder: where the parts' results lie.
        names: of all parts that there are.
    """
    parts = [read_part(file) for file in sorted(folder.glob("*.jsonl"))]
    judged = [part for part in parts if part.name != "mutants"]
    mutants = [run for part in parts if part.name == "mutants" for run in part.runs]
    sections = [
        INTRODUCTION,
        _results(judged),
        FAULTS,
        _calls(judged),
        _other_runs(judged),
        _races(judged),
        _mutants(mutants),
        FOUND,
        _when(parts, names),
    ]
    sound = not any(part.violations for part in judged) and all(run["by"] for run in mutants)
    return "\n".join(section for section in sections if section), sound


def _results(parts: Sequence[Part]) -> str:
    found = Counter(kind for part in parts for kind, _detail in part.violations)
    runs = sum(len(part.runs) for part in parts if not _is_race(part))
    told = sum(run["told"] for part in parts if _is_race(part) for run in part.runs)
    rows = [(kind, found[kind]) for kind in KINDS if kind in PROMISED or found[kind]]
    others = sum(found[kind] for kind in KINDS if kind not in PROMISED)
    return (
        f"## Results\n\n{runs:,} judged runs, and {told:,} answers given to racing writers.\n\n"
        + _table(("found", "times"), [*rows, ("anything else amiss", others)])
    )


def _calls(parts: Sequence[Part]) -> str:
    chosen = [part for part in parts if part.name.startswith("calls of ")]
    rows = []
    for part in chosen:
        faults = Counter(run["fault"] for run in part.runs)
        ended = Counter(_ended(run) for run in part.runs)
        rows.append(
            (
                part.name.removeprefix("calls of "), faults["killed before the call"],
                faults["EIO"], faults["ENOSPC"], ended["0"], ended["5"], ended["7"],
                sum(count for code, count in ended.items() if code not in _USUAL),
                len(part.violations),
            )
        )  # fmt: skip
    total = sum(len(part.runs) for part in chosen)
    return f"## Every call of every command\n\n{total:,} runs.\n\n" + _table(
        ("command", "killed", "EIO", "ENOSPC", "exit 0", "exit 5", "exit 7", "other", "violations"),
        rows,
    )


def _other_runs(parts: Sequence[Part]) -> str:
    rows = []
    for part in parts:
        if part.name.startswith("calls of ") or _is_race(part):
            continue
        by_fault: dict[str, list[Json]] = {}
        for run in part.runs:
            by_fault.setdefault(run["fault"], []).append(run)
        for fault, runs in by_fault.items():
            commands = ", ".join(sorted({run["case"] for run in runs}))
            violations = sum(len(run["violations"]) for run in runs)
            rows.append((part.name, fault, commands, len(runs), violations))
    return "## Other faults\n\n" + _table(("part", "fault", "commands", "runs", "violations"), rows)


def _races(parts: Sequence[Part]) -> str:
    rows = []
    for part in filter(_is_race, parts):
        by_what: dict[str, list[Json]] = {}
        for run in part.runs:
            by_what.setdefault(run["what"], []).append(run)
        for what, runs in by_what.items():
            sums = [sum(run[key] for run in runs) for key in ("kills", "commits", "told", "looks")]
            violations = sum(len(run["violations"]) for run in runs)
            rows.append((what, *(f"{number:,}" for number in sums), violations))
    return "## Races\n\n" + _table(
        ("what", "kills", "commits in the log", "answers to writers", "to readers", "violations"),
        rows,
    )


def _mutants(mutants: Sequence[Json]) -> str:
    if not mutants:
        return ""
    rows = [
        (run["mutant"], run["by"] or "nobody", run["violation"].partition(":")[0], run["runs"])
        for run in mutants
    ]
    return (
        "## It can fail\n\nEach safeguard is taken away in turn, and the campaign has to notice."
        " A sync is named by the function that asks for it.\n\n"
        + _table(("taken away", "caught by", "as", "after runs"), rows)
    )


def _when(parts: Sequence[Part], names: Sequence[str]) -> str:
    rows = [
        (
            part.name,
            part.started,
            f"`{part.commit}`",
            f"{round(part.seconds):,}",
            "all" if part.whole else f"the first {len(part.runs)} runs, for want of time",
        )
        for part in parts
    ]
    run = {part.name for part in parts}
    rows += [(name, "", "", "", "nothing") for name in names if name not in run]
    return "## When\n\n" + _table(("part", "started", "commit", "seconds", "what was run"), rows)


def _is_race(part: Part) -> bool:
    return bool(part.runs) and "told" in part.runs[0]


def _ended(run: Json) -> str:
    return "killed" if run["code"] is None else str(run["code"])


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(value: object) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")[:300]
