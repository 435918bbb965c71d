"""Pictures of what was measured, bars and lines, written as SVG without a plotting library."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from offermatch.bench.talk import time_text

__all__ = ["bars", "lines", "write"]

_WIDTH, _LABELS, _VALUES = 860, 270, 110
_BAR, _GAP, _TOP, _BOTTOM = 22, 12, 64, 34
_FONT = 'font-family="system-ui, sans-serif" font-size="13"'
_INK = "#7d8590"
"""Grey that is readable on white and on black."""
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by people who see fewer colours, too: Okabe and Ito."""
_COLOURS = {"component": "#0f766e", "native": "#b45309", "Python": "#475569"}


def write(measured: dict[str, Any], folder: Path) -> list[Path]:
    """Write one picture of the times a size, and one of the background thread; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for size in dict.fromkeys((row["tasks"], row["offers"]) for row in measured["rows"]):
        rows = [row for row in measured["rows"] if (row["tasks"], row["offers"]) == size]
        title = f"{size[0]:,} tasks x {size[1]:,} offers"
        name = f"{size[0]}x{size[1]}"
        times = sorted(((row["name"], row["total_ms"], time_text(row["total_ms"])) for row in rows), key=lambda bar: -bar[1])
        path = folder / f"talk-time-{name}.svg"
        path.write_text(bars(f"Time of one cycle, {title}", "logarithmic scale; shorter is better", times, log=True))
        written.append(path)
        speeds = [
            (row["name"], row["background"], f"{row['background']:.0%}") for row in rows if row["background"] is not None
        ]
        path = folder / f"talk-background-{name}.svg"
        subtitle = "of its speed when this process is idle; longer is better"
        path.write_text(bars(f"Speed of another Python thread meanwhile, {title}", subtitle, speeds, log=False))
        written.append(path)
    return written


def bars(
    title: str,
    subtitle: str,
    bars: Sequence[tuple[str, float, str]],
    *,
    log: bool,
    label: Callable[[float], str] = time_text,
) -> str:
    """Return horizontal bars with their names to the left and their values at the end; `label` writes logarithmic ticks."""
    height = _TOP + len(bars) * (_BAR + _GAP) + _BOTTOM
    space = _WIDTH - _LABELS - _VALUES
    positive = [value for _, value, _ in bars if value > 0] or [1.0]
    low = 10 ** math.floor(math.log10(min(positive))) if log else 0.0
    high = 10 ** math.ceil(math.log10(max(positive))) if log else max(1.0, *positive)
    high = high if high > low else low * 10

    def length(value: float) -> float:
        if not log:
            return space * value / high
        return space * math.log10(max(value, low) / low) / math.log10(high / low)

    ticks = [low * 10**power for power in range(round(math.log10(high / low)) + 1)] if log else [0.0, 0.25, 0.5, 0.75, 1.0]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="600" fill="#0f172a">{escape(title)}</text>',
        f'<text x="16" y="45" fill="#64748b">{escape(subtitle)}</text>',
    ]
    for tick in ticks:
        x = _LABELS + length(tick)
        text = label(tick).replace(".00", "") if log else f"{tick:.0%}"
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 6}" y2="{height - _BOTTOM}" stroke="#e2e8f0"/>')
        parts.append(f'<text x="{x:.1f}" y="{height - 12}" text-anchor="middle" fill="#64748b">{text}</text>')
    for at, (name, value, text) in enumerate(bars):
        y = _TOP + at * (_BAR + _GAP)
        middle = y + _BAR / 2 + 4.5
        colour = next((colour for word, colour in _COLOURS.items() if name.startswith(word)), "#475569")
        width = max(2.0, length(value))
        parts.append(f'<text x="{_LABELS - 10}" y="{middle}" text-anchor="end" fill="#0f172a">{escape(name)}</text>')
        parts.append(f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="3" fill="{colour}"/>')
        parts.append(f'<text x="{_LABELS + width + 8:.1f}" y="{middle}" fill="#0f172a">{escape(text)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def lines(
    title: str,
    unit: str,
    over: str,
    drawn: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    *,
    low: tuple[float, float] = (0.0, 0.0),
    log: bool = False,
) -> str:
    """Return lines with their names at their ends, both axes linear or logarithmic.

    What is below the low ends of linear axes is left out.
    """
    width, height, left, right, top, bottom = _WIDTH, 420, 60, _WIDTH - 330, 70, 360
    shown = [(name, [point for point in points if point[0] >= low[0] and point[1] >= low[1]]) for name, points in drawn]
    found = [point for _, points in shown for point in points] or [low]
    high = max(point[0] for point in found), max(point[1] for point in found)
    steps = _ticks(low[0], high[0]), _ticks(low[1], high[1])
    if log:
        axes = zip(*found, strict=True)
        steps = _powers(next(axes)), _powers(next(axes))

    def at(value: float, axis: int) -> float:
        begin, end = ((left, right), (bottom, top))[axis]
        first, last = steps[axis][0], steps[axis][-1]
        part = math.log(value / first) / math.log(last / first) if log else (value - first) / (last - first)
        return begin + (end - begin) * part

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" {_FONT} fill="{_INK}">',
        f"<title>{escape(title)}</title>",
        f'<text x="16" y="26" font-size="16" font-weight="600">{escape(title)}</text>',
        f'<text x="16" y="45">{escape(unit)}</text>',
        f'<text x="{(left + right) / 2}" y="{height - 14}" text-anchor="middle">{escape(over)}</text>',
    ]
    for tick in steps[1]:
        y = at(tick, 1)
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_INK}" stroke-opacity="0.3"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for tick in steps[0]:
        parts.append(f'<text x="{at(tick, 0):.1f}" y="{bottom + 20}" text-anchor="middle">{tick:g}</text>')
    ends = []
    for number, (name, points) in enumerate(shown):
        colour, dashes = _LINES[number % len(_LINES)], ' stroke-dasharray="6 4"' if number >= len(_LINES) else ""
        path = " ".join(f"{at(x, 0):.1f},{at(y, 1):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        if points:
            ends.append((at(points[-1][1], 1), name, colour))
    free = 0.0
    for end, name, colour in sorted(ends):
        # Names that would cover each other move down.
        y = max(end, free)
        free = y + 16
        parts.append(f'<text x="{right + 10}" y="{y + 4:.1f}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _powers(values: Sequence[float]) -> list[float]:
    """Return the powers of ten from at most the least of some positive values to at least the largest."""
    first, last = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return [10.0**power for power in range(first, max(last, first + 1) + 1)]


def _ticks(low: float, high: float) -> list[float]:
    """Return at most eight round numbers from a low end to at least a high one."""
    span = max(high - low, 1e-9)
    size = 10 ** math.floor(math.log10(span))
    step = next(size * factor for factor in (0.2, 0.5, 1.0, 2.0, 5.0) if span / (size * factor) <= 7)
    return [low + step * number for number in range(math.ceil(span / step - 1e-9) + 1)]
