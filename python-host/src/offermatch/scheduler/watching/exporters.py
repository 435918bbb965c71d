"""Where traces and metrics go: an OTLP endpoint, a Prometheus server, a file. Nowhere unless somebody says so."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.file import FileSpanExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from prometheus_client import start_http_server

from offermatch.errors import InputError
from offermatch.scheduler.watching.telemetry import Telemetry
from offermatch.writing import unwritable

__all__ = ["exporting"]


@contextmanager
def exporting(
    trace_file: Path | None = None, metrics_port: int | None = None, metrics_address: str = "127.0.0.1"
) -> Iterator[list[Telemetry]]:
    """Set up what the arguments and the environment ask for, and send what is left when the block ends.

    ``OTEL_EXPORTER_OTLP_ENDPOINT`` (or that of traces or metrics alone) switches OTLP over HTTP on;
    OpenTelemetry's other variables (``OTEL_SERVICE_NAME``, ``OTEL_TRACES_SAMPLER``, ...) hold as they are documented there.

    Args:
        trace_file: Spans are appended here, as lines of OTLP JSON.
        metrics_port: Metrics are served here for Prometheus, at ``/metrics``.
        metrics_address: The address with that port.

    Yields:
        What listens to the scheduler; empty where nothing was asked for.

    Raises:
        InputError: ``file-unwritable`` or ``listen-failed``.
    """
    with ExitStack() as entered:
        resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "offermatch")})
        traces = _traces(entered, resource, trace_file)
        metrics = _metrics(entered, resource, metrics_port, metrics_address)
        yield [Telemetry(traces, metrics)] if traces or metrics else []


def _traces(entered: ExitStack, resource: Resource, trace_file: Path | None) -> TracerProvider | None:
    otlp = _endpoint("TRACES")
    if not otlp and trace_file is None:
        return None
    provider = TracerProvider(resource=resource)
    entered.callback(provider.shutdown)
    if otlp:
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    if trace_file is not None:
        try:
            stream = entered.enter_context(trace_file.open("a", encoding="utf-8"))
        except OSError as error:
            raise unwritable(error, trace_file) from error
        # Closed after the provider: the exit stack ends them in this order's reverse.
        entered.callback(provider.force_flush)
        provider.add_span_processor(SimpleSpanProcessor(FileSpanExporter(stream=stream)))
    # The matcher's own spans are made by whatever tracer is set for the whole process.
    trace.set_tracer_provider(provider)
    return provider


def _metrics(entered: ExitStack, resource: Resource, port: int | None, address: str) -> MeterProvider | None:
    readers: list[MetricReader] = []
    if _endpoint("METRICS"):
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    if port is not None:
        try:
            server, thread = start_http_server(port, address)
        except (OSError, OverflowError) as error:
            raise InputError(
                "listen-failed",
                getattr(error, "strerror", None) or str(error),
                "choose another port, up to 65535, and an address of this machine",
                f"{address}, port {port}",
            ) from error
        entered.callback(thread.join)
        entered.callback(server.server_close)
        entered.callback(server.shutdown)
        readers.append(PrometheusMetricReader())
    if not readers:
        return None
    provider = MeterProvider(readers, resource=resource)
    entered.callback(provider.shutdown)
    return provider


def _endpoint(signal: str) -> bool:
    return bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or os.environ.get(f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"))
