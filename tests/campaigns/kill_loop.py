"""Kill writers at random moments, for as long as one likes, and look whether anything was lost.

Run it by hand: `python tests/campaigns/kill_loop.py --kills 1000 --writers 2`. It prints what it
found after each round, ends with 0 when nothing was lost, and keeps the registry when something
was.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.races import assert_nothing_lost, kill_writers, survive
from support.registries import GATED, new_registry

KILLS_A_ROUND = 50


def main() -> int:
    """Run the campaign; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--writers", type=int, default=2, help="how many at a time")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="regista-kills-"))
    root, chance = folder / "registry", Random(options.seed)
    new_registry(GATED, folder=root)
    for first in range(0, options.kills, KILLS_A_ROUND):
        kills = range(first, min(options.kills, first + KILLS_A_ROUND))
        kill_writers(root, folder, kills=kills, writers=options.writers, chance=chance)
        survive(root, folder, options.kills + first)
        started = time.monotonic()
        try:
            acknowledged = assert_nothing_lost(root, folder)
        except BaseException:
            print(f"after {kills.stop} kills: something was lost; see {folder}")  # noqa: T201
            raise
        seconds = time.monotonic() - started
        print(  # noqa: T201
            f"after {kills.stop} kills: {acknowledged} acknowledged commits, all there"
            f" (looked for {seconds:.1f} s)",
            flush=True,
        )
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
