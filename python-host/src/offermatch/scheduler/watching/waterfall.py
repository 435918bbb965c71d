"""A trace as people look at it: the spans of one cycle, one line each, where they begin and how long they take.

Reads the lines of OTLP JSON that ``offermatch run --trace`` writes, or any OpenTelemetry exporter to a file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from offermatch.errors import InputError
from offermatch.reading import unreadable
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["TracedSpan", "Waterfall", "draw", "read_traces"]

_WIDTH = 48
"""Characters of the longest bar."""


@dataclass(slots=True)
class TracedSpan:
    """A span as it was exported.

    Attributes:
        name: Its name.
        id: Its id.
        parent: The id of the span it belongs to; empty for none.
        start: When it began, in nanoseconds since the epoch.
        end: When it ended.
        attributes: What it tells.
        error: Why it failed; empty where it did not.
    """

    name: str
    id: str
    parent: str
    start: int
    end: int
    attributes: Mapping[str, Any]
    error: str = ""


@dataclass(slots=True)
class Waterfall:
    """The spans of one trace.

    Attributes:
        trace: The id of the trace.
        spans: In the order in which they are shown, parents before their children.
        depths: How deep each is.
    """

    trace: str
    spans: list[TracedSpan] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)

    @property
    def number(self) -> int | None:
        """The number of the cycle; None where the root is something else."""
        number = self.spans[0].attributes.get("offermatch.cycle.number")
        return int(number) if number is not None else None


_OTLP = "give a file that `offermatch run --trace` wrote: one OTLP JSON object a line"


def read_traces(path: Path) -> list[Waterfall]:
    """Return the traces of a file, in the order in which they begin.

    Raises:
        InputError: ``file-unreadable``, or ``file-malformed`` with the line.
    """
    by_trace: dict[str, list[TracedSpan]] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    for trace, span in _spans(line, f"{path}, line {number}"):
                        by_trace.setdefault(trace, []).append(span)
    except OSError as error:
        raise unreadable(error, str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("file-malformed", "not UTF-8", _OTLP, str(path)) from error
    found = [_ordered(trace, spans) for trace, spans in by_trace.items()]
    return sorted(found, key=lambda one: one.spans[0].start)


def draw(waterfall: Waterfall) -> RenderableType:
    """Return the picture of a trace."""
    begin = min(span.start for span in waterfall.spans)
    whole = max(max(span.end for span in waterfall.spans) - begin, 1)
    title = f"trace {visible(waterfall.trace, LONGEST_NAME)}, {whole / 1e6:.1f} ms"
    if waterfall.number is not None:
        title = f"cycle {waterfall.number}, " + title
    table = Table(box=None, padding=(0, 1), title=Text(title), title_justify="left")
    table.add_column("span", no_wrap=True)
    table.add_column("ms", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("", overflow="fold")
    for span, depth in zip(waterfall.spans, waterfall.depths, strict=True):
        left = min(int(_WIDTH * (span.start - begin) / whole), _WIDTH - 1)
        length = min(max(1, round(_WIDTH * (span.end - span.start) / whole)), _WIDTH - left)
        bar = Text(" " * left + "━" * length, style="red" if span.error else ("cyan", "green", "yellow")[min(depth, 2)])
        table.add_row(
            Text("  " * depth + visible(span.name, LONGEST_NAME)),
            f"{(span.end - span.start) / 1e6:.2f}",
            bar,
            Text(visible(_about(span)), style="dim"),
        )
    return table


def _about(span: TracedSpan) -> str:
    if span.error:
        return span.error
    values = {
        name.removeprefix("offermatch."): value for name, value in span.attributes.items() if value not in ("", 0, None)
    }
    shown = {name: value for name, value in values.items() if not name.endswith("digest") and name != "cycle.number"}
    return ", ".join(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}" for name, value in shown.items())


def _spans(line: str, place: str) -> Iterator[tuple[str, TracedSpan]]:
    try:
        for resource in json.loads(line).get("resourceSpans", []):
            for scope in resource.get("scopeSpans", []):
                for span in scope.get("spans", []):
                    status = span.get("status", {})
                    failed = status.get("code") in (2, "STATUS_CODE_ERROR")
                    yield (
                        span["traceId"],
                        TracedSpan(
                            span["name"],
                            span["spanId"],
                            span.get("parentSpanId", ""),
                            int(span["startTimeUnixNano"]),
                            int(span["endTimeUnixNano"]),
                            {one["key"]: _value(one.get("value", {})) for one in span.get("attributes", [])},
                            (status.get("message") or "failed") if failed else "",
                        ),
                    )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"it is not a line of OTLP JSON: {type(error).__name__}: {error}"
        raise InputError("file-malformed", message, _OTLP, place) from error


def _value(value: Mapping[str, Any]) -> Any:
    for kind, given in value.items():
        return int(given) if kind == "intValue" else given
    return None


def _ordered(trace: str, spans: Sequence[TracedSpan]) -> Waterfall:
    """Put children behind their parents; what has lost its parent stands at the top."""
    known = {span.id for span in spans}
    children: dict[str, list[TracedSpan]] = {}
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        children.setdefault(span.parent if span.parent in known else "", []).append(span)
    result = Waterfall(trace)
    # Each span is met once: a file in which spans are their own ancestors shows those at no place.
    stack = [(span, 0) for span in reversed(children.pop("", []))]
    while stack:
        span, depth = stack.pop()
        result.spans.append(span)
        result.depths.append(depth)
        stack.extend((child, depth + 1) for child in reversed(children.pop(span.id, [])))
    if not result.spans:
        raise InputError("file-malformed", "its spans are their own ancestors", "export the trace again", f"trace {trace}")
    return result
