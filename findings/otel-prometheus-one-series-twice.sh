#!/usr/bin/env bash
# Packages: opentelemetry-exporter-prometheus 0.66b2, opentelemetry-sdk 1.45.2, prometheus_client 0.26.0 (PyPI).
# Guess: instruments whose names differ are different series on Prometheus' page, or the second is refused, as prometheus_client refuses a name that is taken.
# Seen: names are rewritten for Prometheus after the check for doubles, and can meet there. The counters jobs and jobs_total are both jobs_total, with 1 and 10 on one page under the same labels; so are waits in seconds and waits_seconds, and the gauges free.cpu and free_cpu. There is no warning, and prometheus_client's own parser reads both lines.
# Why it matters: a series has one value a scrape, so that a server has to drop one of the two. Where it is not always the same one, a counter that falls from 10 to 1 looks like a restart, and the rate of jobs is wrong.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-exporter-prometheus==0.66b2 opentelemetry-sdk==1.45.2 prometheus_client==0.26.0
cd "$work"
"$work/venv/bin/python" - > seen.txt 2> warnings.txt <<'PY'
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import REGISTRY, CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

meter = MeterProvider([PrometheusMetricReader()]).get_meter("scheduler")
meter.create_counter("jobs").add(1)
meter.create_counter("jobs_total").add(10)
meter.create_counter("waits", unit="s").add(2)
meter.create_counter("waits_seconds").add(20)
meter.create_gauge("free.cpu").set(3)
meter.create_gauge("free_cpu").set(30)

page = generate_latest(REGISTRY).decode()
samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
for name in ("jobs_total", "waits_seconds_total", "free_cpu"):
    seen = [sample for sample in samples if sample.name == name]
    print(name, *(sample.value for sample in seen), "same labels:", seen[0].labels == seen[1].labels)

registry = CollectorRegistry()
Counter("jobs", "by prometheus_client itself", registry=registry)
try:
    Counter("jobs_total", "the same name", registry=registry)
except ValueError as error:
    print(type(error).__name__)
PY
cat seen.txt
[ ! -s warnings.txt ]
diff seen.txt - <<'END'
jobs_total 1.0 10.0 same labels: True
waits_seconds_total 2.0 20.0 same labels: True
free_cpu 3.0 30.0 same labels: True
DuplicateTimeseries
END
