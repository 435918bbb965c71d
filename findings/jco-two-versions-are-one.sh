#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 (npm).
# Guess: a component that imports 0.2.9 and 1.0.0 of one interface, as one that is composed of parts of different age does, is given each by its own name.
# Seen: both are read from one key without a version, test:pkg/iface, and both call the same function. Keys with versions are not looked at. --map for one of the two versions sets them apart.
# Why it matters: the older part of a component calls the newer functions, whose meaning may be another one: that is what a new number is for. Nothing is refused.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm pkg set type=module
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 > /dev/null
cat > two.wat <<'END'
(component
  (import "test:pkg/iface@0.2.9" (instance $older (export "f" (func (result u32)))))
  (import "test:pkg/iface@1.0.0" (instance $newer (export "f" (func (result u32)))))
  (core func $older-f (canon lower (func $older "f")))
  (core func $newer-f (canon lower (func $newer "f")))
  (core module $code
    (import "" "older" (func $older (result i32)))
    (import "" "newer" (func $newer (result i32)))
    (func (export "older") (result i32) call $older)
    (func (export "newer") (result i32) call $newer))
  (core instance $instance (instantiate $code (with "" (instance
    (export "older" (func $older-f))
    (export "newer" (func $newer-f))))))
  (func (export "older") (result u32) (canon lift (core func $instance "older")))
  (func (export "newer") (result u32) (canon lift (core func $instance "newer"))))
END
npx jco parse two.wat -o two.wasm > log.txt 2>&1
npx jco transpile two.wasm -o plain --instantiation async >> log.txt 2>&1
npx jco transpile two.wasm -o mapped --instantiation async --map 'test:pkg/iface@1.0.0=newer' >> log.txt 2>&1
cat > run.js <<'END'
import { readFile } from "node:fs/promises";

const older = { f: () => 29 };
const newer = { f: () => 100 };

async function called(folder, imports) {
  const { instantiate } = await import(`./${folder}/two.js`);
  try {
    const component = await instantiate(async (path) => WebAssembly.compile(await readFile(`${folder}/${path}`)), imports);
    return `0.2.9 calls ${component.older()}, 1.0.0 calls ${component.newer()}`;
  } catch (error) {
    return error.name;
  }
}

console.log("one key:", await called("plain", { "test:pkg/iface": newer }));
console.log("keys with versions:", await called("plain", { "test:pkg/iface@0.2.9": older, "test:pkg/iface@1.0.0": newer }));
console.log("both kinds of key:", await called("plain", { "test:pkg/iface": older, "test:pkg/iface@1.0.0": newer }));
console.log("mapped:", await called("mapped", { "test:pkg/iface": older, newer }));
END
node run.js | tee seen.txt
diff seen.txt - <<'END'
one key: 0.2.9 calls 100, 1.0.0 calls 100
keys with versions: TypeError
both kinds of key: 0.2.9 calls 29, 1.0.0 calls 29
mapped: 0.2.9 calls 29, 1.0.0 calls 100
END
