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
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, NoReturn

from offermatch.wasm.tracing import Context, EndedSpan

__all__ = ["FUNCTIONS", "MATCHING", "Spans", "listening", "span", "tell"]

MATCHING = "match_tasks_to_offers"
"""The span of a cycle's matching."""

_MOST_SPANS = 1000
_NO_CONTEXT = Context("0" * 32, "0" * 16, sampled=False, remote=False, state=())
_log = logging.getLogger("offermatch")


class Spans:
    """What one instance tells of the call that is being made."""

    def __init__(self) -> None:
        """Listen to nothing yet."""
        self._outer: Any = None
        self._open: dict[str, int] = {}
        self._ended: list[tuple[int, int, EndedSpan]] = []
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
                _make(self._outer, self._ended)
            except Exception:  # noqa: BLE001 - whatever a tracer does wrong, the cycle has its answer
                _log.warning("the spans of a matcher are lost", exc_info=True)
        self._outer = None

    def on_start(self, span_id: str) -> None:
        """Begin a span."""
        begin = time.time_ns()
        self._begun += 1
        if self.traced and self._begun <= _MOST_SPANS and self._pays(span_id):
            self._open[span_id] = begin

    def on_end(self, span: EndedSpan) -> None:
        """End a span."""
        end = time.time_ns()
        begin = self._open.pop(span.id, None)
        texts = (span.name, span.parent, span.error or "", span.scope, span.version or "")
        if begin is not None and self._pays(*texts, *chain.from_iterable(span.attributes)):
            self._ended.append((begin, end, span))

    def outer_span_context(self) -> Context:
        """Return the span that the call is made in, as the contract has it."""
        if self._outer is None:
            return _NO_CONTEXT
        found = self._outer.get_span_context()
        state = tuple(found.trace_state.items())
        return Context(f"{found.trace_id:032x}", f"{found.span_id:016x}", sampled=True, remote=found.is_remote, state=state)

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


def listening() -> bool:
    """Return whether the application has OpenTelemetry."""
    return "opentelemetry.trace" in sys.modules


def span(name: str) -> AbstractContextManager[object]:
    """Put a block in a span of that name, unless it is in one already, where the application has OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is None or getattr(trace.get_current_span(), "name", None) == name:
        return nullcontext()
    found: AbstractContextManager[object] = _tracer(trace.get_tracer_provider(), "offermatch", None).start_as_current_span(
        name
    )
    return found


def tell(attributes: Mapping[str, str | int]) -> None:
    """Put attributes on the span that is current, where the application has OpenTelemetry."""
    trace = sys.modules.get("opentelemetry.trace")
    if trace is not None:
        trace.get_current_span().set_attributes(attributes)


def _make(outer: Any, ended: list[tuple[int, int, EndedSpan]]) -> None:
    """Make spans, of when each began and ended, parents before their children."""
    trace = sys.modules["opentelemetry.trace"]
    provider = trace.get_tracer_provider()
    made: dict[str, Any] = {}
    for begin, end, ended_span in sorted(ended, key=itemgetter(0)):
        span = _tracer(provider, ended_span.scope, ended_span.version).start_span(
            ended_span.name,
            context=trace.set_span_in_context(made.get(ended_span.parent, outer)),
            kind=trace.SpanKind[ended_span.kind.upper()],
            attributes={key: _attribute(value) for key, value in ended_span.attributes},
            start_time=begin,
        )
        if ended_span.error is not None:
            span.set_status(trace.Status(trace.StatusCode.ERROR, ended_span.error))
        span.end(end)
        made[ended_span.id] = span


@lru_cache(maxsize=16)
def _tracer(provider: Any, name: str, version: str | None) -> Any:
    """Return a tracer, which a provider would make anew whenever it is asked."""
    return provider.get_tracer(name, version)


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
