#!/usr/bin/env bash
# Packages: opentelemetry-sdk 1.45.2, numpy 2.4.6 (PyPI).
# Guess: a numpy integer as an attribute is a number, or is dropped, and numpy floats are treated alike.
# Seen: numpy.float64(1.5) stays a number; numpy.int64(3) becomes the text "3", with a warning in the log. As an attribute of a metric it falls together with a real text "3".
# Why it matters: counts of tasks and offers that come from arrays turn a numeric attribute into text in the back end, and a query such as tasks > 100 finds nothing.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PY'
import logging

import numpy
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider

logging.disable(logging.WARNING)
span = TracerProvider().get_tracer("t").start_span("cycle", attributes={"tasks": numpy.int64(3), "share": numpy.float64(1.5)})
print(dict(span.attributes))
assert span.attributes["tasks"] == "3"
assert isinstance(span.attributes["share"], float)

reader = InMemoryMetricReader()
counter = MeterProvider([reader]).get_meter("t").create_counter("placed")
for devices in (numpy.int64(3), "3", 3):
    counter.add(1, {"devices": devices})
points = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
seen = {repr(point.attributes["devices"]): point.value for point in points}
print(seen)
assert seen == {"'3'": 2, "3": 1}
PY
