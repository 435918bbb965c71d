"""What a matcher tells of its work: spans, as children of the OpenTelemetry span that a call is made in.

    on-start ──> the time is taken ──> on-end ──> kept until the call is over ──> made by the application's tracer

OpenTelemetry is never imported here: where the application has not done so, nobody traces. Its API has no span whose id is
given, so the spans get ids of its own and keep their parents.
"""

from __future__ import annotations

import json
import logging
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

from wasmtime.component import Record, Variant

__all__ = ["FUNCTIONS", "MATCHING", "MOST_PARTS", "UNREAD", "Spans", "span", "tell"]

MATCHING = "match_tasks_to_offers"
"""The span of a cycle's matching."""

_MOST_SPANS = 1000
MOST_PARTS = 1000
"""The attributes, events and links of one span, and what is in them; a span of more is left out."""
UNREAD = (
    *("trace-id", "trace-flags", "is-remote", "trace-state", "start-time", "end-time", "events", "links"),
    *("schema-url", "dropped-attributes", "dropped-events", "dropped-links"),
)
"""What a span has and nobody looks at: a component has no clock, and its trace is the caller's."""
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_log = logging.getLogger("offermatch")


@dataclass(slots=True)
class _Ended:
    """A span that has ended, with times in nanoseconds."""

    span: Record
    begin: int
    end: int


class Spans:
    """What one instance tells of the call that is being made."""

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self._outer: Any = None
        self._open: dict[str, int] = {}
        self._ended: list[_Ended] = []
        self._begun = self._text = 0

    @property
    def traced(self) -> bool:
        """Whether the call that is being made is traced."""
        return self._outer is not None

    def begin(self, most_text: int) -> bool:
        """Begin a call, of which so many bytes of text are listened to; return whether it is traced and sampled."""
        self._outer = None
        trace = sys.modules.get("opentelemetry.trace")
        if trace is None:
            return False
        outer = trace.get_current_span()
        context = outer.get_span_context()
        if not context.is_valid or not context.trace_flags.sampled:
            return False
        self._outer, self._begun, self._text = outer, 0, most_text
        self._open.clear()
        self._ended.clear()
        return True

    def emit(self) -> None:
        """End a call: make the spans that have ended; the others are none. Whatever goes wrong is a matter of the log."""
        if self._ended:
            try:
                _make(self._outer, sorted(self._ended, key=lambda one: one.begin))
            except Exception:  # noqa: BLE001 - whatever a tracer does wrong, the cycle has its answer
                _log.warning("the spans of a matcher are lost", exc_info=True)
        self._outer = None

    def on_start(self, context: Record) -> None:
        """Begin a span."""
        begin = time.time_ns()
        span_id = _field(context, "span-id")
        self._begun += 1
        if self.traced and self._begun <= _MOST_SPANS and self._pays(span_id):
            self._open[span_id] = begin

    def on_end(self, span: Record) -> None:
        """End a span."""
        end = time.time_ns()
        begin = self._open.pop(_field(_field(span, "span-context"), "span-id"), None)
        status = _field(span, "status")
        scope = _field(span, "instrumentation-scope")
        texts = [_field(span, "name"), _field(span, "parent-span-id"), getattr(status, "payload", None) or ""]
        texts += [text for entry in _field(span, "attributes") for text in (_field(entry, "key"), _field(entry, "value"))]
        texts += [_field(scope, "name"), _field(scope, "version") or ""]
        if begin is not None and self._pays(*texts):
            self._ended.append(_Ended(span, begin, end))

    def outer_span_context(self) -> Record:
        """Return the span that the call is made in, as the contract has it."""
        context = None if self._outer is None else self._outer.get_span_context()
        record = Record()
        vars(record).update(
            {
                "trace-id": _NO_TRACE if context is None else f"{context.trace_id:032x}",
                "span-id": _NO_SPAN if context is None else f"{context.span_id:016x}",
                "trace-flags": set() if context is None else {"sampled"},
                "is-remote": context is not None and context.is_remote,
                "trace-state": [] if context is None else list(context.trace_state.items()),
            }
        )
        return record

    def _pays(self, *texts: str) -> bool:
        """Return whether these texts are within what this call may have left."""
        size = sum(len(text.encode()) for text in texts)
        if size > self._text:
            return False
        self._text -= size
        return True


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "on-start": Spans.on_start,
    "on-end": Spans.on_end,
    "outer-span-context": Spans.outer_span_context,
}
"""The functions of `wasi:otel/tracing`."""


@contextmanager
def span(name: str) -> Iterator[None]:
    """Put a block in a span of that name, unless it is in one already, where the application has OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or getattr(trace.get_current_span(), "name", None) == name:
        yield
        return
    with _tracer(trace.get_tracer_provider(), "offermatch", None).start_as_current_span(name):
        yield


def tell(attributes: Mapping[str, str | int]) -> None:
    """Put attributes on the span that is current, where the application has OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        trace.get_current_span().set_attributes(attributes)


def _make(outer: Any, ended: list[_Ended]) -> None:
    """Make spans, parents before their children."""
    trace = sys.modules["opentelemetry.trace"]
    provider = trace.get_tracer_provider()
    made: dict[str, Any] = {}
    for one in ended:
        found = _field(one.span, "instrumentation-scope")
        tracer = _tracer(provider, _field(found, "name"), _field(found, "version"))
        context = trace.set_span_in_context(made.get(_field(one.span, "parent-span-id"), outer))
        attributes = {_field(entry, "key"): _attribute(_field(entry, "value")) for entry in _field(one.span, "attributes")}
        kind = getattr(trace.SpanKind, _field(one.span, "span-kind").upper())
        span = tracer.start_span(
            _field(one.span, "name"), context=context, kind=kind, attributes=attributes, start_time=one.begin
        )
        status = _field(one.span, "status")
        if isinstance(status, Variant) and status.tag == "error":
            span.set_status(trace.Status(trace.StatusCode.ERROR, status.payload))
        span.end(one.end)
        made[_field(_field(one.span, "span-context"), "span-id")] = span


@lru_cache(maxsize=16)
def _tracer(provider: Any, name: str, version: str | None) -> Any:
    """Return a tracer, which a provider would make anew whenever it is asked."""
    return provider.get_tracer(name, version)


def _field(record: Record, name: str) -> Any:
    return vars(record)[name]


def _attribute(text: str) -> Any:
    """Return the value of an attribute, which crosses as JSON; what is not a scalar stays text, as do NaN and infinity.

    An integer that 64 bits with a sign do not hold is a float: exporters know no other integers.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return float(value) if abs(value) < 2**1023 else text
    if isinstance(value, float) and math.isinf(value):
        return text
    return value if isinstance(value, (bool, int, float, str)) else text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
