"""Lines over time as SVG, without a plotting library: readable without a script, in light and in dark.

Colours are plain attributes, which every renderer knows. The style of a page overrides them, and has the dark ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

__all__ = ["STYLE", "Chart", "Line", "chart", "standalone"]

_WIDTH, _HEIGHT = 860, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 92, 16, 46, 30
_COLOURS = {
    "talk": ("#be123c", "#fb7185"),
    "loop": ("#b45309", "#f59e0b"),
    "component": ("#475569", "#94a3b8"),
    "component-improved": ("#0f766e", "#2dd4bf"),
    "policy-1": ("#0f766e", "#2dd4bf"),
    "policy-2": ("#be123c", "#fb7185"),
    "policy-3": ("#b45309", "#f59e0b"),
    "policy-4": ("#475569", "#94a3b8"),
    "policy-5": ("#6d28d9", "#a78bfa"),
    "policy-6": ("#0369a1", "#38bdf8"),
}

_FONT = 'font-family="system-ui, sans-serif" font-size="13"'
_TITLE = 'fill="#0f172a" font-size="15" font-weight="600"'
_SOFT = 'fill="#64748b"'
_LIGHT = " ".join(f".plot .{name} {{ --line: {light}; }}" for name, (light, _) in _COLOURS.items())
_DARK = " ".join(f".plot .{name} {{ --line: {dark}; }}" for name, (_, dark) in _COLOURS.items())
STYLE = f"""\
.plot {{ font: 13px system-ui, sans-serif; --ink: #0f172a; --soft: #64748b; --rule: #e2e8f0; --paper: #ffffff; }}
.plot text {{ fill: var(--soft); }} .plot .title {{ fill: var(--ink); font-size: 15px; font-weight: 600; }}
.plot line {{ stroke: var(--rule); }} .plot .paper {{ fill: var(--paper); }}
.plot path {{ fill: none; stroke: var(--line); stroke-width: 1.8; stroke-linejoin: round; }}
.plot .key {{ stroke: var(--line); stroke-width: 3; }} .plot circle {{ fill: var(--line); opacity: 0; }}
.plot circle:hover {{ opacity: 1; }} {_LIGHT}
@media (prefers-color-scheme: dark) {{
.plot {{ --ink: #e2e8f0; --soft: #94a3b8; --rule: #334155; --paper: #0f172a; }} {_DARK}
}}
"""
"""What every chart needs once on its page."""


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes:
        name: The side's key, which decides its colour.
        title: For people.
        points: Pairs of x and y; where y is None the line has a gap.
    """

    name: str
    title: str
    points: Sequence[tuple[float, float | None]]


@dataclass(frozen=True)
class Chart:
    """What a chart shows.

    Attributes:
        title: For people.
        lines: At least one.
        ticks: The positions on the x axis that are named, and their names; the first and the last are its ends.
        y_text: Writes a value.
        y_most: The end of the y axis, which begins at 0; the largest value, rounded up, unless given.
    """

    title: str
    lines: Sequence[Line]
    ticks: Sequence[tuple[float, str]]
    y_text: Callable[[float], str]
    y_most: float | None = None


def chart(shown: Chart, *, values: bool = True) -> str:
    """Return an ``svg`` element, which ``STYLE`` on its page adapts to dark displays.

    Args:
        shown: What it shows.
        values: Whether a value shows when the pointer rests on a line; an image needs none.
    """
    most = shown.y_most or _rounded(max((y for line in shown.lines for _, y in line.points if y is not None), default=0.0))
    left, right = shown.ticks[0][0], shown.ticks[-1][0]
    floor = _HEIGHT - _BOTTOM

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - left) / (right - left or 1.0)
        return _LEFT + across * (_WIDTH - _LEFT - _RIGHT), floor - min(1.0, y / most) * (floor - _TOP)

    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg class="plot" xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-label="{escape(shown.title)}" {_FONT}>',
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        f'<text class="title" x="{_LEFT}" y="18" {_TITLE}>{escape(shown.title)}</text>',
    ]
    for step in range(5):
        value = most * step / 4
        y = place(left, value)[1]
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e8f0"/>')
        label = escape(shown.y_text(value))
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" {_SOFT}>{label}</text>')
    for at, name in shown.ticks:
        anchor = "end" if at == right else "middle"
        where = f'x="{place(at, 0)[0]:.1f}" y="{_HEIGHT - 10}" text-anchor="{anchor}"'
        parts.append(f"<text {where} {_SOFT}>{escape(name)}</text>")
    at_x = _LEFT
    for line in shown.lines:
        drawn = f'class="key" stroke="{_COLOURS[line.name][0]}" stroke-width="3"'
        parts.append(f'<g class="{line.name}"><line {drawn} x1="{at_x}" x2="{at_x + 18}" y1="33" y2="33"/></g>')
        parts.append(f'<text x="{at_x + 24}" y="37" {_SOFT}>{escape(line.title)}</text>')
        at_x += 48 + 7 * len(line.title)
    parts += [_line(line, place, shown.y_text if values else None) for line in shown.lines]
    return "\n".join([*parts, "</svg>"])


def standalone(shown: Chart) -> str:
    """Return a chart as a file of its own."""
    return chart(shown, values=False) + "\n"


def _line(line: Line, place: Callable[[float, float], tuple[float, float]], text: Callable[[float], str] | None) -> str:
    path, circles, draw = [], [], "M"
    colour = _COLOURS[line.name][0]
    for x, y in line.points:
        if y is None:
            draw = "M"
            continue
        across, up = place(x, y)
        path.append(f"{draw}{across:.1f} {up:.1f}")
        draw = "L"
        if text is not None:
            label = escape(f"{line.title}: {text(y)}")
            circles.append(
                f'<circle cx="{across:.1f}" cy="{up:.1f}" r="4" fill="{colour}" opacity="0"><title>{label}</title></circle>'
            )
    drawn = f'fill="none" stroke="{colour}" stroke-width="1.8" stroke-linejoin="round"'
    return f'<g class="{line.name}"><path {drawn} d="{" ".join(path)}"/>{"".join(circles)}</g>'


def _rounded(value: float) -> float:
    """Return the next of 1, 2, 4, 6, 8 and 10 times a power of ten, which four steps divide well; 1 for 0."""
    if value <= 0:
        return 1.0
    unit = 1.0
    while unit > value:
        unit /= 10
    while unit * 10 <= value:
        unit *= 10
    return next(times * unit for times in (1, 2, 4, 6, 8, 10) if times * unit >= value)
