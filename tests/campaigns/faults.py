"""The fault campaign: `make faults`. Every part writes its runs to a file; the report is made last.

A part that is done is not done again unless it is asked for by name, so that a campaign can be
stopped and gone on with. Ends with 1 when there is any violation, or a mutant that nobody caught.
"""

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from campaigns import forking, parts, reporting  # noqa: E402 - found only now

DEFAULT_OUT = ROOT / ".faults"
REPORT = ROOT / "docs" / "reliability.md"


def main() -> int:
    """Run what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(parts.PARTS)}; all by default")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT, help="where results are kept")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--report-only", action="store_true", help="run nothing")
    parser.add_argument("--quick", action="store_true", help="a few seconds; print what was run")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop each part then")
    options = parser.parse_args()
    if options.quick:
        return _quick()
    options.out.mkdir(parents=True, exist_ok=True)
    forking.import_everything()
    for name in () if options.report_only else options.parts or parts.PARTS:
        file = options.out / f"{name.replace(' ', '-')}.jsonl"
        if not options.parts and reporting.is_done(file):
            continue
        _run(name, file, options.seconds)
    text, sound = reporting.report(options.out, tuple(parts.PARTS))
    if options.report_only or not options.parts:
        options.report.write_text(text, encoding="utf-8")
    return 0 if sound else 1


def _quick() -> int:
    """Run the short form; print a line for each run."""
    forking.import_everything()
    amiss = False
    with tempfile.TemporaryDirectory(prefix="regista-faults-", dir=_memory()) as folder:
        for run in map(asdict, parts.quick(Path(folder))):
            amiss |= bool(run.get("violations")) or run.get("by") == ""
            print(json.dumps(run), flush=True)  # noqa: T201
    return 1 if amiss else 0


def _run(name: str, file: Path, longest_s: float) -> None:
    """Run one part and write its results, a line each."""
    folder = Path(tempfile.mkdtemp(prefix="regista-faults-", dir=_memory()))
    started = time.monotonic()
    try:
        ended = True
        with file.open("w", encoding="utf-8") as out:
            _write(out, {"part": name, "started": _now(), "commit": _commit()})
            for number, result in enumerate(parts.PARTS[name](folder), start=1):
                _write(out, asdict(result))
                _tell(name, number, asdict(result))
                ended = time.monotonic() - started < longest_s
                if not ended:
                    break
            _write(out, {"done": ended, "seconds": round(time.monotonic() - started)})
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tell(name: str, number: int, result: dict[str, Any]) -> None:
    if result.get("violations"):
        print(f"{name} {number}: {json.dumps(result)[:600]}", flush=True)  # noqa: T201
    elif number % 50 == 0:
        print(f"{name}: {number} runs", flush=True)  # noqa: T201


def _write(out: Any, line: dict[str, Any]) -> None:
    out.write(json.dumps(line) + "\n")
    out.flush()


def _memory() -> str | None:
    """Return a folder in memory, where there is one: the runs are many and small."""
    shared = Path("/dev/shm")  # noqa: S108 - a new folder is made in it
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else None


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


if __name__ == "__main__":
    sys.exit(main())
