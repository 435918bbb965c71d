#!/usr/bin/env bash
# Packages: opentelemetry-sdk 1.45.2, opentelemetry-exporter-otlp-proto-http 1.45.2 (PyPI).
# Guess: a gauge of 2**63 is refused when it is set, or that one point is left out of the export; force_flush() says if something was not sent.
# Seen: the SDK takes it, the exporter can not encode it, and then sends none of the metrics of that interval, those of other instruments included. force_flush() returns True. As a float the same number is sent.
# Why it matters: one unlimited amount (2**64 - 1 bytes is common for "no limit") on one node ends all metrics of the scheduler for as long as that node is there.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.2 opentelemetry-exporter-otlp-proto-http==1.45.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import http.server
import logging
import threading

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

logging.disable(logging.CRITICAL)
posts = []


class Collector(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        posts.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
threading.Thread(target=server.serve_forever, daemon=True).start()


def sent(amount):
    posts.clear()
    exporter = OTLPMetricExporter(f"http://127.0.0.1:{server.server_port}/v1/metrics")
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=1_000_000)])
    meter = provider.get_meter("t")
    meter.create_counter("placed").add(1)
    meter.create_gauge("free").set(amount)
    flushed = provider.force_flush()
    found = flushed, any(b"placed" in post for post in posts)
    provider.shutdown()
    return found


seen = [sent(2**63 - 1), sent(2**63), sent(float(2**63))]
server.shutdown()
print("(flushed, the counter arrived):", seen)
assert seen == [(True, True), (True, False), (True, True)]
PY
