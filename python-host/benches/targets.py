"""One table of the figures that are asked for: now, at the earlier commit, the target, reached or missed.

``python python-host/benches/targets.py`` reads ``targets.toml`` and what the benches wrote to ``target/bench``, prints
the table, and writes it there as ``report.md`` and ``report.json``. It measures nothing: ``make bench`` and
``make bench-before`` do, and end with it. It ends with exit code 0 where a target is missed, as it is a report.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

TOP = Path(__file__).resolve().parents[2]
ASKED: dict[str, Any] = tomllib.loads(Path(__file__).with_name("targets.toml").read_text())
UNITS = {"times": (1, "x"), "ms": (1, " ms"), "bytes": (2**20, " MiB"), "instructions": (1e6, " M")}
"""What a number of a unit is divided by to be shown, and what is written behind it."""


class NotMeasured(Exception):  # noqa: N818 - no error, but why there is no figure
    """Why there is no figure."""


@dataclass
class Figure:
    """A row of the table: numbers for machines, texts for people."""

    name: str
    unit: str
    target: str
    verdict: str = "not measured"
    now: float | None = None
    earlier: float | None = None
    earlier_by: str | None = None
    judged: float | None = None
    """What the target is compared with: this figure, or how it compares with the earlier one."""
    source: str | None = None
    reason: str | None = None
    """Why it is not measured."""
    shown_now: str = "-"
    shown_earlier: str = "-"
    shown_verdict: str = "not measured"


def rows(source: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Return what a bench wrote.

    Raises:
        NotMeasured: It was not run, on small inputs, or beside another commit.
    """
    path = folder / source["file"]
    if not path.exists():
        needs = source.get("needs")
        lacks = f", which needs {needs}; it is not installed" if needs and shutil.which(needs) is None else ""
        raise NotMeasured(f"run {source['command']}{lacks}")
    document = json.loads(path.read_text())
    if document.get("quick") or document.get("machine", {}).get("quick"):
        raise NotMeasured(f"{source['file']} is of small inputs (--quick)")
    if document.get("commit", source["commit"]) != source["commit"]:
        raise NotMeasured(f"{source['file']} is beside {document['commit']}")
    if "benches" in document:
        return [{"bench": bench["bench"], **row} for bench in document["benches"] for row in bench["rows"]]
    found = document[source.get("table", "rows")]
    return found if isinstance(found, list) else [found]


def matching(asked: dict[str, Any], sources: dict[str, Any], folder: Path) -> tuple[str, list[dict[str, Any]]]:
    """Return the first source that has rows of a figure, and the rows.

    Raises:
        NotMeasured: None has.
    """
    reasons = []
    wanted = {key: one if isinstance(one, list) else [one] for key, one in asked.get("where", {}).items()}
    for name in asked["sources"]:
        try:
            found = [row for row in rows(sources[name], folder) if all(row.get(key) in one for key, one in wanted.items())]
        except NotMeasured as reason:
            reasons.append(str(reason))
            continue
        if found:
            return name, found
        reasons.append(f"{sources[name]['file']} is without it")
    raise NotMeasured("; or ".join(reasons))


def figures(asked: dict[str, Any], sources: dict[str, Any], folder: Path) -> Iterator[Figure]:
    """Yield the figures of one entry of ``targets.toml``: one, or one for each value of the keys in its name."""
    keys = [key for _, key, _, _ in Formatter().parse(asked["name"]) if key]
    words, limit = ("at least", asked["at_least"]) if "at_least" in asked else ("at most", asked["at_most"])
    target = f"{words} {shown(limit, 'times' if 'judged' in asked else asked['unit'])}"
    try:
        source, found = matching(asked, sources, folder)
    except NotMeasured as reason:
        name = asked["name"].format(**dict.fromkeys(keys, "(each)"))
        yield Figure(name, asked["unit"], target, reason=str(reason), shown_verdict=f"not measured: {reason}")
        return
    for values in dict.fromkeys(tuple(row[key] for key in keys) for row in found):
        named = dict(zip(keys, values, strict=True))
        figure = Figure(asked["name"].format(**named), asked["unit"], target, source=source)
        judge(figure, asked, [row for row in found if all(row[key] == value for key, value in named.items())])
        yield figure


def judge(figure: Figure, asked: dict[str, Any], meant: list[dict[str, Any]]) -> None:
    """Fill in the worst of the rows that are meant, and whether it is enough."""
    at_least = "at_least" in asked
    limit = asked["at_least"] if at_least else asked["at_most"]
    judged = asked.get("judged", asked["now"])
    numbers = [number for row in meant if (number := evaluate(judged, row)) is not None]
    if not numbers:
        figure.now = evaluate(asked["now"], meant[0])
        figure.reason = "run make bench-before for the earlier figure" if figure.now else f"{asked['now']} has no number"
        figure.shown_verdict = f"not measured: {figure.reason}"
        figure.shown_now = shown(figure.now, asked["unit"]) if figure.now else "-"
        return
    figure.judged = worst = (min if at_least else max)(numbers)
    row = next(row for row in meant if evaluate(judged, row) == worst)
    figure.now = evaluate(asked["now"], row)
    figure.earlier, figure.earlier_by = earlier(asked, row)
    reached = worst >= limit if at_least else worst <= limit
    figure.verdict = figure.shown_verdict = "reached" if reached else "missed"
    if figure.earlier is not None:
        figure.shown_earlier = shown(figure.earlier, asked["unit"])
    if "judged" in asked:
        figure.shown_now = shown(figure.now, asked["unit"])
        figure.shown_verdict += f": {beside(worst, limit, 'times')}"
    else:
        figure.shown_now = beside(worst, limit, asked["unit"])


def earlier(asked: dict[str, Any], row: dict[str, Any]) -> tuple[float | None, str | None]:
    """Return the earlier figure, and the command that gave it where that is not the bench itself."""
    if isinstance(asked.get("earlier"), str):
        return evaluate(asked["earlier"], row), None
    return asked.get("earlier"), asked.get("earlier_by")


def evaluate(expression: str, row: dict[str, Any]) -> float | None:
    """Return a column of a row, or two with / or - between them; None where there is no number."""
    first, operator, second = (*expression.split(), "/", "")[:3]
    number, other = row.get(first), row.get(second) if second else 1
    if number is None or other is None:
        return None
    return number / other if operator == "/" else number - other


def beside(number: float, limit: float, unit: str) -> str:
    """Write a number with as many digits as it takes to be told from a limit that it is not."""
    digits = 3
    while number != limit and shown(number, unit, digits) == shown(limit, unit, digits) and digits < 9:
        digits += 1
    return shown(number, unit, digits)


def shown(number: float, unit: str, digits: int = 3) -> str:
    """Write a number with about three digits, and its unit."""
    scale, name = UNITS[unit]
    if unit == "ms" and number >= 10_000:
        scale, name = 1000, " s"
    elif unit == "ms" and number < 1:
        scale, name = 0.001, " us"
    number /= scale
    places = max(0, digits - 1 - math.floor(math.log10(abs(number)))) if number else 0
    return f"{number:,.{places}f}{name}"


def report(targets: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return all figures, for machines."""
    sources = {name: {**source, "commit": targets["commit"]} for name, source in targets["sources"].items()}
    found = [figure for asked in targets["figures"] for figure in figures(asked, sources, folder)]
    written = {}
    for name, source in sources.items():
        path = folder / source["file"]
        if path.exists():
            time = datetime.fromtimestamp(path.stat().st_mtime).isoformat(" ", "minutes")
            written[name] = {"file": source["file"], "command": source["command"], "written": time}
    return {
        "machine": f"{os.cpu_count()} CPUs ({platform.machine()}), {platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": targets["commit"],
        "sources": written,
        "verdicts": {word: sum(one.verdict == word for one in found) for word in ("reached", "missed", "not measured")},
        "figures": [asdict(figure) for figure in found],
    }


def table(found: dict[str, Any]) -> str:
    """Return all figures, for people: Markdown whose columns stand below one another."""
    head = ["figure", "now", found["commit"], "target", "reached or missed"]
    keys = ("name", "shown_now", "shown_earlier", "target", "shown_verdict")
    cells = [head, *([figure[key] for key in keys] for figure in found["figures"])]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head) - 1)]
    lines = [
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:]), row[-1]]) + " |" for row in cells
    ]
    lines.insert(1, "| --- | ---: | ---: | ---: | --- |")
    counted = ", ".join(f"{number} {word}" for word, number in found["verdicts"].items())
    lines += ["", f"{counted}. {found['machine']}, Python {found['python']}.", ""]
    lines += [f"- {one['command']}, {one['written']} ({one['file']})" for one in found["sources"].values()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the table, and write it beside the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, default=TOP / "target/bench", metavar="FOLDER", help="(target/bench)")
    folder = parser.parse_args().figures
    found = report(ASKED, folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(found, indent=1) + "\n")
    (folder / "report.md").write_text(table(found))
    print(table(found))


if __name__ == "__main__":
    main()
