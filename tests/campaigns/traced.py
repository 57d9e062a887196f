"""The same from outside: strace sees, kills and fails the real process's system calls.

The rest of the campaign stands in for functions of `os`. Here the kernel says which calls a
command really makes on a registry's files: they have to be the recorded ones, in the same order.
Then a sample of them is killed or failed by the kernel, and judged like any other run.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from campaigns.cases import Case, case_named
from campaigns.judging import HALF
from campaigns.sweeps import Bench, Result
from campaigns.system_calls import Call
from support.cli import Cli, Ran

# by what the kernel calls them
NAMES = {
    "fsync": "fsync",
    "link": "link",
    "linkat": "link",
    "rename": "replace",
    "unlink": "unlink",
    "mkdir": "mkdir",
    "copy_file_range": "copy_file_range",
}
FAULTS = ("signal=KILL", "error=EIO", "error=ENOSPC")
SAMPLED = ("approve", "eval log")
STEP = 3
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+|\?)")
_QUOTED = re.compile(r'<([^>]*)>|"([^"]*)"')
_TEMPORARY = re.compile(r"\.tmp-[0-9a-f]+")


@dataclass(frozen=True, slots=True)
class Traced:
    """One system call as the kernel saw it.

    Attributes:
        name: of the call.
        nth: how many calls of this name the process had made, this one included.
        path: what it touched last, from the folder; temporary names are one.
    """

    name: str
    nth: int
    path: str


def is_there() -> bool:
    """Say whether strace can be used."""
    return shutil.which("strace") is not None


def trace(bench: Bench, case: Case) -> list[Traced]:
    """Return the calls that change a registry's files, in order."""
    with bench.copy(case) as folder:
        log = folder / "strace.log"
        ran = _strace(folder, case, [f"-etrace={','.join(NAMES)}", "-y", "-o", str(log)])
        assert ran.code == 0, ran
        return list(_parse(log.read_text("utf-8"), folder))


def recorded(calls: Sequence[Call]) -> list[tuple[str, str]]:
    """Return the recorded calls as the kernel would name them."""
    kept = [(call.name, call.target or call.path) for call in calls if call.name in NAMES.values()]
    return [(name, _plain(path)) for name, path in kept if _counts(path)]


def seen(traced: Sequence[Traced]) -> list[tuple[str, str]]:
    """Return the traced calls in the same form."""
    return [(NAMES[call.name], call.path) for call in traced]


def traced_part(folder: Path) -> Iterator[Result]:
    """Compare what strace sees with what was recorded, then let it inject a sample of faults."""
    bench = Bench(folder)
    for name in SAMPLED:
        case = case_named(name)
        started = time.monotonic()
        traced = trace(bench, case)
        ours, theirs = recorded(bench.recorded(case)[0]), seen(traced)
        wrong = [] if ours == theirs else [(HALF, f"recorded {ours}, traced {theirs}"[:1000])]
        yield Result(
            case=name,
            fault="none: calls compared",
            where=f"{len(traced)} calls",
            code=0,
            committed=True,
            violations=wrong,
            seconds=round(time.monotonic() - started, 3),
        )
        for number, call in enumerate(traced):
            if number % STEP == 0:
                for fault in FAULTS:
                    yield _injected(bench, case, call, fault)


def _injected(bench: Bench, case: Case, call: Traced, fault: str) -> Result:
    started = time.monotonic()
    with bench.copy(case) as folder:
        how = [f"-etrace={call.name}", f"-einject={call.name}:{fault}:when={call.nth}"]
        ran = _strace(folder, case, [*how, "-o", "/dev/null"])
        killed = ran.code < 0 or ran.code > 128
        verdict = bench.judged(folder, case, None if killed else ran)
    return Result(
        case.name,
        f"strace: {fault}",
        f"{call.name} {call.nth} {call.path}",
        None if killed else ran.code,
        verdict.committed,
        verdict.violations,
        round(time.monotonic() - started, 3),
    )


def _strace(folder: Path, case: Case, how: Sequence[str]) -> Ran:
    # not with --seccomp-bpf: strace 6.1 then loses the signals that it is to inject
    cli = Cli(folder)
    done = subprocess.run(
        ["strace", "-f", "-qq", *how, *cli.command(*case.command())],
        cwd=folder,
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def _parse(log: str, folder: Path) -> Iterator[Traced]:
    counts: dict[str, int] = {}
    for line in log.splitlines():
        found = _LINE.match(line)
        if not found:
            continue
        name = found[1]
        counts[name] = counts.get(name, 0) + 1
        paths = [first or second for first, second in _QUOTED.findall(found[2])]
        below = [path for path in paths if path.startswith(f"{folder}/")]
        if below:
            last = str(Path(below[-1]).relative_to(folder))
            if _counts(last):
                yield Traced(name, counts[name], _plain(last))


def _counts(path: str) -> bool:
    """Say whether a path is a registry's, and not in one of its scratch folders."""
    parts = Path(path).parts
    return parts[:1] == ("registry_data",) and not any(
        part.startswith(".tmp-") for part in parts[:2]
    )


def _plain(path: str) -> str:
    return _TEMPORARY.sub(".tmp", path)
