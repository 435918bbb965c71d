#!/usr/bin/env bash
# Packages: ddsketch 3.0.1 (PyPI).
# Guess: a sketch of quantiles takes each value with a weight, so the time for which a queue had a length is that length's weight. In seconds, minutes or hours, the quantiles are the same, and between the least and the largest value.
# Seen: they hang on the unit. Lengths of 10 to 13 with a weight of 6 seconds each have a median of 11, with 0.1 minutes each one of -0.99, a value that was never added; so is each median where the weights add up to less than 1. With 0.25 each the largest of the four is the least.
# Why it matters: weights are allowed to be fractions, and shares of an hour or a core are fractions. A dashboard of waits has a negative wait, or the shortest one as its maximum, as long as there is little to add up.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ddsketch==3.0.1
venv/bin/python - > seen.txt <<'PY'
from ddsketch import DDSketch

for weight in (6, 1, 0.25, 0.1):
    sketch = DDSketch(0.01)
    for length in (10, 11, 12, 13):
        sketch.add(length, weight)
    quantiles = [round(sketch.get_quantile_value(quantile), 2) for quantile in (0, 0.5, 0.9, 1)]
    print("weight", weight, "| quantiles 0, 0.5, 0.9, 1:", *quantiles, "| average", round(sketch.avg, 2))
PY
cat seen.txt
diff seen.txt - <<'END'
weight 6 | quantiles 0, 0.5, 0.9, 1: 10.07 10.91 13.07 13.07 | average 11.5
weight 1 | quantiles 0, 0.5, 0.9, 1: 10.07 10.91 12.06 13.07 | average 11.5
weight 0.25 | quantiles 0, 0.5, 0.9, 1: 10.07 10.07 10.07 10.07 | average 11.5
weight 0.1 | quantiles 0, 0.5, 0.9, 1: 10.07 -0.99 -0.99 -0.99 | average 11.5
END
