"""Random stories with every rule mixed: the Rust core, the component and the Python reference agree to the bit.

    python tests/stories.py [--stories 100000] [--seed 1] [--side both|python|rust] [--workers 2]

Each seed is one generated case of conformance without rules and one with all of them. The Python program compares the
component with the Python reference, the Rust program the same bytes with the core's plain loop; both have the same cases.
They are asked in blocks of 500 seeds, over as many processes as there are cores, and their reports of a block have to be the
same byte for byte. A story that differs is named by its seed, and told again in either program by
``offermatch conformance --generated 1 --seed SEED``. Progress goes to standard error, the outcome to standard output.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from time import monotonic

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = {
    "python": [sys.executable, "-m", "offermatch"],
    "rust": [str(ROOT / "target" / "release" / "offermatch-host")],
}
BLOCK = 500


def asked(side: str, folder: str, seed: int, stories: int) -> str:
    """Return the report of a program on a block of stories."""
    which = ("--cases", folder, "--endurance", "0", "--generated", str(stories), "--seed", str(seed), "--json", "-")
    command = [*PROGRAMS[side], "conformance", *which, str(ROOT / "target" / "matcher.wasm")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        raise SystemExit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def differences(report: str) -> list[str]:
    """Return what differs in a block, each with the name of the story, which ends with its seed."""
    found = json.loads(report)
    return [
        f"{failure['case']}, {failure['what']}: {failure['expected']} -> {failure['found']}"
        for group in found["groups"]
        for failure in group["failures"]
    ]


def main() -> int:
    """Tell the stories."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stories", type=int, default=100_000, metavar="NUMBER", help="seeds, each with two stories")
    parser.add_argument("--seed", type=int, default=1, metavar="NUMBER", help="the first seed; the next ones count up")
    parser.add_argument("--side", choices=("both", *PROGRAMS), default="both", help="the program that is asked")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="NUMBER", help="processes at once")
    options = parser.parse_args()
    sides = list(PROGRAMS) if options.side == "both" else [options.side]
    blocks = [(options.seed + at, min(BLOCK, options.stories - at)) for at in range(0, options.stories, BLOCK)]
    reports: dict[int, dict[str, str]] = {}
    wrong: list[str] = []
    told, total, begin = 0, len(sides) * options.stories, monotonic()
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(options.workers) as workers:
        jobs = {workers.submit(asked, side, folder, *block): (side, *block) for block in blocks for side in sides}
        for job in as_completed(jobs):
            side, seed, stories = jobs[job]
            of_block = reports.setdefault(seed, {})
            of_block[side] = job.result()
            wrong += [f"{side}: {difference}" for difference in differences(of_block[side])]
            if len(of_block) == len(sides) == 2 and len(set(of_block.values())) > 1:
                wrong.append(f"the reports of the seeds {seed} to {seed + stories - 1} are not the same")
            told += stories
            left = (monotonic() - begin) / told * (total - told)
            print(f"stories: {told} of {total} seeds, {len(wrong)} differences, {left:.0f} s left", file=sys.stderr)
    for difference in wrong[:100]:
        print(difference)
    print(f"{options.stories} seeds from {options.seed}, two stories each, {' and '.join(sides)}: {len(wrong)} differences")
    return 1 if wrong or not reports else 0


if __name__ == "__main__":
    sys.exit(main())
