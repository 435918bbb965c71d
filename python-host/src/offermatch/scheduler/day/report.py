"""The figures of a day for people: a page that stands alone, and a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from offermatch.scheduler.day.plot import STYLE, Chart, Line, chart

__all__ = ["charts", "page", "summary"]


def page(figures: dict[str, Any]) -> str:
    """Return one HTML file: no script, nothing fetched."""
    work, machine = figures["workload"], figures["machine"]
    heading = f"{_hours(work['seconds'])} of a cluster: {work['name']}"
    names, rows = _rows(figures)
    cells = [f"<th>{escape(label)}</th>" + "".join(f"<td>{escape(one)}</td>" for one in values) for label, values in rows]
    head = "".join(f"<th>{escape(name)}</th>" for name in ["", *names])
    table = f"<table><thead><tr>{head}</tr></thead><tbody><tr>{'</tr><tr>'.join(cells)}</tr></tbody></table>"
    sources = figures["assumptions"]
    return Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8")).substitute(
        title=escape(heading),
        heading=escape(heading),
        lead=escape(_lead(figures)),
        style=STYLE,
        table=table,
        charts="\n".join(map(chart, charts(figures))),
        measured=_list(sources["measured"]),
        talk=_list(sources["talk"]),
        simulated=_list(sources["simulated"]),
        footer=escape(
            f"{machine['cpus']} CPUs, {machine['machine']}, {machine['system']}, Python {machine['python']}; "
            f"{machine['matcher']}"
        ),
    )


def summary(figures: dict[str, Any]) -> str:
    """Return the table of the page as text."""
    work = figures["workload"]
    names, rows = _rows(figures)
    widths = [max(len(name), *(len(values[at]) for _, values in rows)) for at, name in enumerate(names)]
    first = max(len(label) for label, _ in rows)
    lines = [f"{_hours(work['seconds'])} of {work['tasks']:,} tasks on {work['servers']:,} servers: {work['name']}", ""]
    for label, values in [("", names), *rows]:
        lines.append(f"{label:<{first}}  " + "  ".join(f"{one:>{width}}" for one, width in zip(values, widths, strict=True)))
    return "\n".join([*lines, "", _lead(figures), ""])


def charts(figures: dict[str, Any]) -> list[Chart]:
    """Return what the page draws: utilisation by dimension, waiting tasks, the length of a cycle, waiting times."""
    sides, seconds = figures["sides"], figures["workload"]["seconds"]
    hours = seconds / 3600
    clock = [(hours * part / 8, f"{hours * part / 8:.4g} h") for part in range(9)]

    def lines(series: Sequence[Sequence[float | None]]) -> list[Line]:
        found = []
        for side, values in zip(sides, series, strict=True):
            width = hours / len(values)
            points = [((at + 0.5) * width, value) for at, value in enumerate(values)]
            found.append(Line(side["name"], side["title"], points))
        return found

    def over_time(name: str) -> list[Line]:
        return lines([_bridged(side["over_time"][name]) for side in sides])

    found = [
        Chart(
            f"{_named(dimension)} in use",
            lines([one["over_time"]["utilisation"][dimension] for one in sides]),
            clock,
            _part,
            1.0,
        )
        for dimension in figures["workload"]["capacity"]
    ]
    found.append(Chart("Tasks that wait when a cycle begins", over_time("waiting"), clock, _count))
    found.append(Chart("Length of a cycle", over_time("cycle_seconds"), clock, _time))
    found.append(Chart("Matching, within a cycle", over_time("matching_seconds"), clock, _time))
    quantiles = [
        Line(side["name"], side["title"], [(float(at), value) for at, value in enumerate(side["wait_quantiles"])])
        for side in sides
    ]
    shares = [(part * 12.5, f"{part * 12.5:g} %") for part in range(9)]
    found.append(Chart("Waiting time that this part of the tasks does not exceed", quantiles, shares, _time))
    return found


def _bridged(values: Sequence[float | None]) -> list[float | None]:
    """Carry the last value on where a cycle is longer than a part of the day, up to the last that is known."""
    found, last = [], None
    for value in values:
        last = value if value is not None else last
        found.append(last)
    return found


def _rows(figures: dict[str, Any]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    sides = figures["sides"]

    def row(label: str, value: Any, text: Any) -> tuple[str, list[str]]:
        return label, [text(value(side)) for side in sides]

    scarce = _named(figures["workload"]["scarce"])
    rows = [
        row(f"{_named(name)} in use", lambda one, name=name: one["utilisation"][name], _percent)
        for name in sides[0]["utilisation"]
    ]
    rows += [
        row(f"{scarce} idle", lambda one: one["idle"], _percent),
        row("cycles", lambda one: one["cycles"], _count),
        row("cycle, median", lambda one: one["cycle_seconds"]["median"], _time),
        row("cycle, longest", lambda one: one["cycle_seconds"]["most"], _time),
        row("matching, mean", lambda one: one["stages_seconds"]["match_tasks_to_offers"], _time),
        row("waiting, median", lambda one: one["wait_seconds"]["median"], _time),
        row("waiting, 90 % below", lambda one: one["wait_seconds"]["p90"], _time),
        row("waiting, 99 % below", lambda one: one["wait_seconds"]["p99"], _time),
        row("largest tenth waiting, median", lambda one: one["wait_seconds_largest"]["median"], _time),
        row("largest tenth waiting, 90 % below", lambda one: one["wait_seconds_largest"]["p90"], _time),
        row("tasks done", lambda one: one["done"], _count),
        row("tasks that still wait", lambda one: one["waiting_at_end"], _count),
    ]
    return [side["title"] for side in sides], rows


def _lead(figures: dict[str, Any]) -> str:
    scarce = _named(figures["workload"]["scarce"])
    if figures["sides"][0]["name"].startswith("policy-"):
        idle = ", ".join(f"{_percent(side['idle'])} by {side['title']}" for side in figures["sides"])
        return f"{scarce} idle: {idle}."
    talk, slow, only, whole = (
        f"{_percent(side['idle'])} {{}} (cycles of {_time(side['cycle_seconds']['median'])})" for side in figures["sides"]
    )
    return (
        f"{scarce} idle: {talk.format('with the cycle of the talk')}, {slow.format('with the loop as measured here')}, "
        f"{only.format('with the component in its place')}, {whole.format('with the component and all stages improved')}."
    )


def _list(sentences: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in sentences) + "</ul>"


def _named(dimension: str) -> str:
    return {"cpu": "CPUs", "memory": "Memory", "devices": "Devices"}.get(dimension, dimension)


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:g} hours"


def _part(value: float) -> str:
    return f"{value:.0%}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms" if seconds else "0 s"
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds < 3600:
        return f"{int(seconds) // 60} min {int(seconds) % 60:02} s"
    return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60:02} min"
