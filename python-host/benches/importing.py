"""What importing the package and starting its program cost beside an earlier commit, in processor time, in turns.

``python python-host/benches/importing.py`` prints the least of its rounds on either side and the median of their ratios;
``make bench-before`` runs it, too. It ends with exit code 1 where ``import offermatch`` costs more than it did.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from statistics import median

from before import COMMIT
from targets import TOP

ROUNDS = 20
IMPORTS = ("import offermatch", "from offermatch import Matcher, Offer, Task", "from offermatch import *")
PROGRAMS = {**{one: ("-c", one) for one in IMPORTS}, "offermatch match --help": ("-m", "offermatch", "match", "--help")}


def cost(source: Path, program: str) -> float:
    """Return the seconds of processor time of a Python that runs a program."""
    environment = {**os.environ, "PYTHONPATH": str(source)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *PROGRAMS[program]]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - this interpreter
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure both sides, and compare."""
    ratios = {}
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "before.tar")
        command = ["git", "-C", str(TOP), "archive", "--output", str(archive), COMMIT, "python-host/src"]
        subprocess.run(command, check=True)  # noqa: S603 - git, on this checkout
        with tarfile.open(archive) as found:
            found.extractall(folder)  # noqa: S202 - written by git just now
        sides = (Path(folder, "python-host/src"), TOP / "python-host/src")
        for program in PROGRAMS:
            for side in sides:
                cost(side, program)  # writes the byte code
            rounds = [tuple(cost(side, program) for side in sides) for _ in range(ROUNDS)]
            ratios[program] = median(now / then for then, now in rounds)
            then, now = (min(times) * 1000 for times in zip(*rounds, strict=True))
            print(f"{program:45} {then:6.0f} ms at {COMMIT}, {now:6.0f} ms now, {ratios[program]:.2f} times")
    return int(ratios[IMPORTS[0]] > 1)


if __name__ == "__main__":
    sys.exit(main())
