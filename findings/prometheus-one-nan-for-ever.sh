#!/usr/bin/env bash
# Packages: prometheus_client 0.26.0 (PyPI).
# Guess: an observation of NaN in a histogram is refused, or left out as a whole.
# Seen: it is left out of every bucket and of the count, but not of the sum, which is NaN from then on, for the life of the process.
# Why it matters: one score or one share of 0 / 0 ends the average (sum / count) in every chart, while the counts still look right.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check prometheus_client==0.26.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from prometheus_client import CollectorRegistry, Histogram

score = Histogram("score", "of what was placed", buckets=(0.5, 1), registry=CollectorRegistry())
for value in (0.25, float("nan"), 0.75):
    score.observe(value)
seen = {(sample.name, *sample.labels.values()): sample.value for metric in score.collect() for sample in metric.samples}
print({name: value for name, value in seen.items() if name[0] != "score_created"})
assert seen["score_count",] == seen["score_bucket", "+Inf"] == 2
assert seen["score_sum",] != seen["score_sum",]
PY
