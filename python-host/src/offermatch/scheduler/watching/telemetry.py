"""Traces and metrics of a scheduler, through OpenTelemetry.

A cycle is a trace: the span ``cycle``, the stages as its children, and the matcher's own spans below
``match_tasks_to_offers``. docs/telemetry.md lists spans, attributes and metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.metrics import MeterProvider, get_meter_provider
from opentelemetry.trace import Span as TraceSpan
from opentelemetry.trace import Status, StatusCode, TracerProvider, get_tracer_provider

from offermatch.scheduler.cycle import Cycle, Observer, Span

__all__ = ["Telemetry"]

_NAME = "offermatch.scheduler"
_SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0]
"""Where the buckets of durations end."""


class Telemetry(Observer):
    """Turns cycles into spans and metrics.

    Without a provider those of the application are used; where it has set none up, nothing is kept.
    """

    def __init__(self, traces: TracerProvider | None = None, metrics: MeterProvider | None = None) -> None:
        """Make the instruments.

        Args:
            traces: Makes the spans.
            metrics: Keeps the metrics.
        """
        self._tracer = (traces or get_tracer_provider()).get_tracer(_NAME)
        meter = (metrics or get_meter_provider()).get_meter(_NAME)
        self._queue = meter.create_gauge("offermatch.queue", "{task}", "Tasks that are ready")
        self._offers = meter.create_gauge("offermatch.offers", "{offer}", "Offers that the cluster made")
        self._utilisation = meter.create_gauge(
            "offermatch.cluster.utilisation", "1", "Part of the capacity in use, by dimension"
        )
        self._shares = meter.create_gauge(
            "offermatch.queue.share", "1", "Dominant share of each queue, where there are several"
        )
        self._matcher = meter.create_gauge("offermatch.matcher", "{matcher}", "1 for the matcher that answered last")
        self._placements = meter.create_counter("offermatch.placements", "{task}", "Tasks that the matcher placed")
        self._possible = meter.create_counter(
            "offermatch.placements.possible", "{task}", "Tasks that any matcher could have placed at most"
        )
        self._launches = meter.create_counter("offermatch.launches", "{task}", "Tasks that the cluster took")
        self._refusals = meter.create_counter("offermatch.refusals", "{task}", "Tasks that were not launched, by reason")
        self._unplaced = meter.create_gauge(
            "offermatch.unplaced", "{task}", "Tasks without an offer, by the check that refuses most offers"
        )
        self._unknown_quotas = meter.create_gauge(
            "offermatch.quotas.unknown", "{quota}", "1 for each quota on a dimension that no offer has"
        )
        self._preemptions = meter.create_counter(
            "offermatch.preemptions", "{task}", "Running tasks that ended for tasks that matter more"
        )
        self._ended = meter.create_counter("offermatch.tasks", "{task}", "Tasks that came to a state")
        self._fallbacks = meter.create_counter(
            "offermatch.fallbacks", "{cycle}", "Cycles that the fallback answered, by reason"
        )
        self._errors = meter.create_counter("offermatch.cycle.errors", "{cycle}", "Cycles that an error ended, by code")
        self._cycle_seconds = meter.create_histogram(
            "offermatch.cycle.duration", "s", "How long cycles take", explicit_bucket_boundaries_advisory=_SECONDS
        )
        self._stage_seconds = meter.create_histogram(
            "offermatch.stage.duration", "s", "How long stages take", explicit_bucket_boundaries_advisory=_SECONDS
        )
        self._last: dict[str, str] | None = None
        self._checks: set[str] = set()
        self._quotas: set[tuple[str, str]] = set()

    @contextmanager
    def cycle(self, cycle: Cycle) -> Iterator[None]:
        """Put the cycle in a span, and count what it did when it is over."""
        with self._tracer.start_as_current_span("cycle", attributes={"offermatch.cycle.number": cycle.number}) as span:
            yield
            self._describe(cycle, span)
        self._count(cycle)

    @contextmanager
    def span(self, span: Span) -> Iterator[None]:
        """Put a stage in a span, and time it."""
        with self._tracer.start_as_current_span(span.name) as traced:
            try:
                yield
            finally:
                traced.set_attributes({f"offermatch.{name}": number for name, number in span.counts.items()})
                self._stage_seconds.record(span.seconds, {"stage": span.name})

    def _describe(self, cycle: Cycle, span: TraceSpan) -> None:
        span.set_attributes(
            {
                "offermatch.queue": cycle.queue,
                "offermatch.offers": cycle.offers,
                "offermatch.placed": cycle.placed,
                "offermatch.launched": cycle.launched,
                "offermatch.matcher": cycle.matcher,
                "offermatch.matcher.digest": cycle.digest,
            }
        )
        if cycle.fallback:
            span.set_attribute("offermatch.fallback", cycle.fallback)
        if cycle.error:
            span.set_status(Status(StatusCode.ERROR, f"{cycle.error}: {cycle.message}"))

    def _count(self, cycle: Cycle) -> None:
        self._cycle_seconds.record(cycle.seconds)
        if cycle.error:
            self._errors.add(1, {"code": cycle.error})
        # A cycle that ended before it knew does not know that there is nothing.
        known = {span.name for span in cycle.spans if not span.error}
        if "get_processable_tasks" in known:
            self._queue.set(cycle.queue)
        if "get_resource_offers_from_cluster" in known:
            self._offers.set(cycle.offers)
        self._placements.add(cycle.placed)
        if cycle.possible is not None:
            self._possible.add(cycle.possible)
        self._launches.add(cycle.launched)
        for reason, number in cycle.refusals.items():
            self._refusals.add(number, {"reason": reason})
        self._preemptions.add(cycle.preempted)
        if cycle.unplaced is not None:
            for check in self._checks.difference(cycle.unplaced):
                self._unplaced.set(0, {"check": check})
            for check, number in cycle.unplaced.items():
                self._unplaced.set(number, {"check": check})
            self._checks |= set(cycle.unplaced)
        for queue, dimension in self._quotas.union(cycle.unknown_quotas):
            self._unknown_quotas.set(
                int((queue, dimension) in cycle.unknown_quotas), {"queue": queue, "dimension": dimension}
            )
        self._quotas.update(cycle.unknown_quotas)
        for state, number in cycle.ended.items():
            self._ended.add(number, {"state": state})
        for dimension, used in cycle.utilisation.items():
            self._utilisation.set(used, {"dimension": dimension})
        for queue, share in cycle.shares.items():
            self._shares.set(share, {"queue": queue})
        if cycle.fallback:
            self._fallbacks.add(1, {"reason": cycle.fallback})
        if cycle.matcher:
            self._tell_matcher({"matcher": cycle.matcher, "digest": cycle.digest})

    def _tell_matcher(self, matcher: dict[str, str]) -> None:
        if self._last is not None and self._last != matcher:
            self._matcher.set(0, self._last)
        self._matcher.set(1, matcher)
        self._last = matcher
