"""Measures what a call of `match` costs while it is traced, beside one that is not, and beside OpenTelemetry's SDK alone.

The three take turns. The SDK alone makes the same spans with the same attributes. They end in its batch processor and are
sent nowhere.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import Any

from offermatch.extras import require
from offermatch.matcher import Matcher
from offermatch.sample import Sample

__all__ = ["missed", "table", "traced"]

_MOST = 1.0
"""Milliseconds that a traced call may cost beyond one that is not."""
_API = "opentelemetry.trace"


def traced(sample: Sample, rounds: int) -> dict[str, Any]:
    """Return the medians of so many rounds, in milliseconds.

    Raises:
        InputError: ``extra-missing``.
    """
    require("telemetry", "opentelemetry.sdk")
    # A process has one tracer provider, for good.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (sample, rounds))


def _measured(sample: Sample, rounds: int) -> dict[str, Any]:
    from opentelemetry import trace  # noqa: PLC0415 - needs the extra
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: PLC0415 - likewise
    from opentelemetry.sdk.trace.export import (  # noqa: PLC0415 - likewise
        BatchSpanProcessor,
        SpanExporter,
        SpanExportResult,
    )

    class Last(SpanExporter):
        """Keeps what it was sent last."""

        spans: Sequence[ReadableSpan] = ()

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            self.spans = spans
            return SpanExportResult.SUCCESS

    exporter, provider = Last(), TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    tracer, matcher = provider.get_tracer("offermatch"), Matcher.load()
    tasks, offers = sample.rows()

    def call() -> None:
        matcher.match(tasks, offers)

    call()
    provider.force_flush()
    *inner, outer = exporter.spans

    def make() -> None:
        with tracer.start_as_current_span(outer.name) as current:
            current.set_attributes(outer.attributes or {})
            context = trace.set_span_in_context(current)
            for one in inner:
                tracer.start_span(one.name, context, one.kind, one.attributes, start_time=one.start_time).end(one.end_time)

    seconds: dict[str, list[float]] = {"untraced": [], "traced": [], "sdk": []}
    api = sys.modules[_API]
    for _ in range(rounds):
        # Nobody is asked for a span where the application has not imported OpenTelemetry.
        del sys.modules[_API]
        try:
            seconds["untraced"].append(_seconds(call))
        finally:
            sys.modules[_API] = api
        seconds["traced"].append(_seconds(call))
        seconds["sdk"].append(_seconds(make))
    provider.shutdown()
    found = {name: 1000.0 * median(each) for name, each in seconds.items()}
    beyond = found["traced"] - found["untraced"]
    return {
        "unit": "ms",
        "sample": str(sample),
        "rounds": rounds,
        "spans": len(inner) + 1,
        **{name: round(value, 4) for name, value in found.items()},
        "beyond": round(beyond, 4),
        "ratio": round(found["traced"] / found["untraced"], 2),
    }


def _seconds(call: Callable[[], None]) -> float:
    begin = perf_counter()
    call()
    return perf_counter() - begin


def missed(measured: dict[str, Any]) -> list[str]:
    """Return what was not reached, in sentences."""
    beyond = measured["beyond"]
    return [f"a traced call costs {beyond:.2f} ms more, of {_MOST:g} ms at most"] if beyond > _MOST else []


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people, and what was not reached."""
    rows = (
        ("a call that is not traced", measured["untraced"]),
        (f"a traced call, {measured['ratio']:.2f} times that", measured["traced"]),
        (f"which costs more, of {_MOST:g} at most", measured["beyond"]),
        (f"of that OpenTelemetry's SDK alone, for {measured['spans']} spans", measured["sdk"]),
    )
    width = max(len(label) for label, _ in rows)
    lines = [f"milliseconds of {measured['sample']}, medians of {measured['rounds']} rounds", ""]
    lines += [f"{label:<{width}}{value:>10.3f}" for label, value in rows]
    return "\n".join([*lines, *(f"MISSED: {one}" for one in missed(measured)), ""])
