"""This tree beside an earlier commit of it, both built here and measured in turns: what became faster, as ratios.

``python python-host/benches/before.py`` makes a worktree of the commit below ``target/before``, builds its component there
once, and has one process a side measure round after round, one side after the other, so that what else the machine does
falls on both. ``make bench-before`` does the same. Each figure is the best of its rounds on either side.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from targets import ASKED, TOP

COMMIT = ASKED["commit"]


class Side:
    """A process that measures one tree."""

    def __init__(self, tree: Path) -> None:
        """Start it."""
        environment = {**os.environ, "PYTHONPATH": str(tree / "python-host/src"), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter
            [sys.executable, str(Path(__file__).with_name("side.py"))],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, **order: Any) -> dict[str, Any]:
        """Return what it measured.

        Raises:
            RuntimeError: It ended; what it said of that is on standard error.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018 - for the type checker
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise RuntimeError("a side ended; see above")
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def worktree(commit: str) -> Path:
    """Return a built tree of a commit; built where it is not there."""
    tree = TOP / "target/before" / commit
    if not tree.exists():
        _run(["git", "-C", str(TOP), "worktree", "add", "--detach", str(tree), commit])
    package = tree / "python-host/src/offermatch/matcher.wasm"
    if not package.exists():
        _run(["bash", str(tree / "guest/build.sh")])
        package.write_bytes((tree / "target/matcher.wasm").read_bytes())
    return tree


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 - of this repository


@contextmanager
def databases(kind: str) -> Iterator[Any]:
    """Give what returns the address of a new empty database each time it is called."""
    if kind == "SQLite":
        with tempfile.TemporaryDirectory() as folder:
            number = iter(range(1_000_000))
            yield lambda: f"sqlite:///{folder}/{next(number)}.db"
        return
    sys.path.insert(0, str(TOP / "python-host/tests"))
    from support.postgres import PostgreSQL  # noqa: PLC0415 - a server of the tests

    server = PostgreSQL()
    try:
        yield server.database
    finally:
        server.close()


def _cycles(
    sides: dict[str, Side], kind: str, options: argparse.Namespace, found: dict[str, dict[str, list[float]]]
) -> None:
    stages: dict[str, dict[str, float]] = {}
    with databases(kind) as database:
        for number in range(options.rounds):
            for name, side in sides.items():
                print(f"{kind}, round {number + 1} of {options.rounds}, {name}", file=sys.stderr)
                one = side.measure(measure="cycle", url=database(), tasks=options.tasks, processable=options.processable)
                found.setdefault(f"cycle, {kind}", {}).setdefault(name, []).extend(one["cycles"])
                found.setdefault(f"its processor time, {kind}", {}).setdefault(name, []).extend(one["processor"])
                found.setdefault(f"submit, {kind}", {}).setdefault(name, []).append(one["submit"])
                stages[name] = one["stages"]
    for name in stages["now"]:
        parts = "".join(f"{stages[side].get(name, 0.0) * 1e3:>12,.1f}" for side in stages)
        print(f"  {name:<36}{parts}  ms, {' and '.join(stages)}", file=sys.stderr)


def _smalls(sides: dict[str, Side], options: argparse.Namespace, found: dict[str, dict[str, list[float]]]) -> None:
    for number in range(options.rounds):
        for name, side in sides.items():
            print(f"small calls, round {number + 1} of {options.rounds}, {name}", file=sys.stderr)
            for call, seconds in side.measure(measure="small").items():
                found.setdefault(call, {}).setdefault(name, []).append(seconds)


def _text(milliseconds: float) -> str:
    return f"{milliseconds * 1e3:,.1f} us" if milliseconds < 1 else f"{milliseconds:,.1f} ms"


def rows(found: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    """Return the best of each side, and the ratios where there are two."""
    listed = []
    for name, sides in found.items():
        row = {"name": name, **{f"{side}_ms": min(seconds) * 1e3 for side, seconds in sides.items()}}
        if "before" in sides:
            row["ratio"] = row["before_ms"] / row["now_ms"]
            row["ratio_of_medians"] = median(sides["before"]) / median(sides["now"])
        listed.append(row)
    return listed


def table(listed: list[dict[str, Any]], commit: str) -> str:
    """Return the figures for people."""
    lines = [f"{'the best of each side':<36}{commit:>14}{'now':>14}{'ratio':>8}{'of medians':>12}"]
    for row in listed:
        before, ratio, medians = "-", "-", "-"
        if "ratio" in row:
            before, ratio, medians = _text(row["before_ms"]), f"{row['ratio']:.2f}", f"{row['ratio_of_medians']:.2f}"
        lines.append(f"{row['name']:<36}{before:>14}{_text(row['now_ms']):>14}{ratio:>8}{medians:>12}")
    return "\n".join(lines)


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = ("SQLite", "PostgreSQL", "small")
    parser.add_argument("--commit", default=COMMIT, help=f"the earlier side (default: {COMMIT})")
    parser.add_argument("--alone", action="store_true", help="measure this tree only")
    parser.add_argument("--only", action="append", choices=kinds, help="may be given again (all)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="(default: 3)")
    parser.add_argument("--tasks", type=int, default=170_000, metavar="N", help="in the store (default: 170000)")
    parser.add_argument("--processable", type=int, default=20_000, metavar="N", help="in each cycle (default: 20000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures too")
    options = parser.parse_args()
    with ExitStack() as stack:
        trees = {"now": TOP} if options.alone else {"before": worktree(options.commit), "now": TOP}
        sides = {name: Side(tree) for name, tree in trees.items()}
        for side in sides.values():
            stack.callback(side.close)
        found: dict[str, dict[str, list[float]]] = {}
        for kind in options.only or kinds:
            if kind == "small":
                _smalls(sides, options, found)
            else:
                _cycles(sides, kind, options, found)
    listed = rows(found)
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"commit": options.commit, "rows": listed, "seconds": found}, indent=1) + "\n")
    print(table(listed, options.commit))


if __name__ == "__main__":
    main()
