#!/usr/bin/env bash
# Packages: opentelemetry-instrumentation-system-metrics 0.66b2, opentelemetry-sdk 1.45.2, psutil 7.2.2 (PyPI).
# Guess: process.cpu.utilization and process.runtime.cpython.cpu.utilization are two names of one figure, as process.cpu.time and process.runtime.cpython.cpu_time are. A second reader (OTLP beside Prometheus) reads the same figures as the first.
# Seen: each of the two counts from when the other was asked for, so that one of them is about 0 in a collection, whatever the process does. A reader that reads right after another one is told that no CPU of the machine did anything (system.cpu.utilization).
# Why it matters: a worker that is busy is idle on the dashboard, or is so in one of two backends. A scheduler that takes load for a measure sends more work to it. The seconds in process.cpu.time are right for both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-instrumentation-system-metrics==0.66b2 opentelemetry-sdk==1.45.2 psutil==7.2.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import os
import time

from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

readers = [InMemoryMetricReader(), InMemoryMetricReader()]
SystemMetricsInstrumentor().instrument(meter_provider=MeterProvider(metric_readers=readers))


def read(reader):
    """The metrics by name, each the list of its points."""
    scopes = reader.get_metrics_data().resource_metrics[0].scope_metrics
    return {metric.name: metric.data.data_points for scope in scopes for metric in scope.metrics}


def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        sum(range(10_000))


def figures(metrics):
    """The two utilizations of the process, the larger one first, and the part that the busiest CPU spent for users."""
    process = [metrics[name][0].value for name in ("process.cpu.utilization", "process.runtime.cpython.cpu.utilization")]
    busiest = max(point.value for point in metrics["system.cpu.utilization"] if point.attributes["state"] == "user")
    return *sorted(process, reverse=True), busiest


for _ in range(2):  # the figures of the first rounds count from the start
    for reader in readers:
        read(reader)
    work(1)
for _ in range(2):
    (larger, smaller, busiest), (*_, busiest_after) = (figures(read(reader)) for reader in readers)
    print(f"process {larger:.2f} and {smaller:.2f}, busiest CPU {busiest:.2f}, for the second reader {busiest_after:.2f}")
    assert larger * os.cpu_count() > 0.3 and smaller < larger / 5
    assert busiest > 0.3 and busiest_after < 0.2
    work(2)
PY
