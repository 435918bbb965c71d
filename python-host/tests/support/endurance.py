"""Calls misbehaving components very often, and loads very many broken ones; says what it took of memory and time.

    python endurance.py [CALLS [MUTANTS [SEED]]]

Every call has to end in a valid answer or in an error of this package, and so has every load. A mutant is a small matcher
with bytes changed, cut out or put in at random. Memory has to stay flat, and its peak below twice the limit that is set.
What was found is one JSON object on standard output; the exit code says whether it is as it should be.
"""

import gc
import json
import os
import random
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import cycle
from pathlib import Path

from hostile import FOLDER, OFFERS, TASKS
from offermatch import Limits, Matcher, OffermatchError
from offermatch.wasm.component import Code
from offermatch.wasm.elsewhere import compiling_here

LIMITS = Limits(memory_bytes=2**28, call_milliseconds=5000)
ENDLESS = replace(LIMITS, call_milliseconds=50)
"""Of components that run until they are ended."""
SEED = FOLDER.parent / "foreign" / "c.wasm"
"""What mutants are made of: 36 kB, which compile in an instant."""
HEAVY = ("million-", "wasi-stdout", "huge-text", "spin-", "allocate", "grow-tables")
"""Take much time or memory each; one call in a hundred is theirs."""
FLAT = 64 * 2**20
"""Bytes by which memory may differ between the first and the last fifth."""


def resident():
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def peak():
    return (
        int(next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line).split()[1]) * 1024
    )


def tried(what):
    """Return the code of the error that something ends in, or none. Anything but an error of the package is raised."""
    try:
        what()
    except OffermatchError as error:
        return error.code
    return "answered"


def limits(name):
    return ENDLESS if name.startswith(("spin-", "wasi-stdout")) else LIMITS


def hostile_calls(number, told):
    matchers = {}
    for path in sorted(FOLDER.glob("*.wasm")):
        code = tried(lambda path=path: matchers.update({path.stem: Matcher.load(path, limits=limits(path.stem))}))
        if path.stem not in matchers:
            told[code] += 1
    heavy = [matcher for name, matcher in matchers.items() if name.startswith(HEAVY)]
    light = [matcher for name, matcher in matchers.items() if not name.startswith(HEAVY)]
    assert len(light) > 20, "the misbehaving components are not built: run 'make hostile'"
    kinds, often, seldom = cycle(("exclusive", "shared", "explain")), cycle(light), cycle(heavy)
    for at in range(number):
        matcher, kind = next(seldom) if at % 100 == 99 else next(often), next(kinds)
        tasks, offers = TASKS[:5], OFFERS[:8]
        if kind == "explain":
            told[tried(lambda: matcher.explain(tasks, offers))] += 1  # noqa: B023 - called at once
        else:
            told[tried(lambda: matcher.match(tasks, offers, mode=kind))] += 1  # noqa: B023 - called at once
        yield


def mutant(content, draw):
    """Return bytes that are nearly those of a component."""
    found = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 5))):
        at = draw.randrange(len(found))
        what = draw.random()
        if what < 0.6:
            found[at] ^= 1 << draw.randrange(8)
        elif what < 0.75:
            found[at] = draw.randrange(256)
        elif what < 0.85:
            del found[at : at + draw.randint(1, 40)]
        elif what < 0.95:
            found[at:at] = found[at : at + draw.randint(1, 40)]
        else:
            del found[at:]
    return bytes(found)


def mutants(number, seed, told):
    content, draw = SEED.read_bytes(), random.Random(seed)
    for at in range(number):
        made = mutant(content, draw)

        def use(made=made, at=at):
            matcher = Matcher(Code(Path(f"mutant-{at}.wasm"), LIMITS, content=made))
            matcher.match(TASKS[:5], OFFERS[:8], mode="shared")

        told[tried(use)] += 1
        yield


def endured(steps, number):
    """Go through steps, and return the seconds and how much memory differs between the first and the last fifth."""
    begin, first = time.monotonic(), 0
    for at, _ in enumerate(steps, 1):
        if at == number // 5:
            first = resident()
    return {"seconds": round(time.monotonic() - begin, 1), "grown_bytes": resident() - first}


def main(calls=10_000, broken=2_000, seed=1):
    # Named, so that loading makes no call; and nothing of a mutant is kept.
    os.environ |= {"OFFERMATCH_CROSSING": "public", "OFFERMATCH_CACHE": "off"}
    found = {"host": "python", "limit_bytes": LIMITS.memory_bytes}
    with compiling_here():
        for name, number, steps in (
            ("calls", calls, lambda told: hostile_calls(calls, told)),
            ("mutants", broken, lambda told: mutants(broken, seed, told)),
        ):
            told = Counter()
            found[name] = {"number": number, **endured(steps(told), number), "ended": dict(told.most_common())}
    found["peak_bytes"] = peak()
    found["peak_of_twice_the_limit"] = round(found["peak_bytes"] / (2 * LIMITS.memory_bytes), 3)
    print(json.dumps(found, indent=2))
    flat = all(found[name]["grown_bytes"] < FLAT for name in ("calls", "mutants"))
    return 0 if flat and found["peak_bytes"] < 2 * LIMITS.memory_bytes else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
