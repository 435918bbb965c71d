#!/usr/bin/env bash
# Packages: componentize-py 0.25.1, wasmtime 50.0.1 (PyPI).
# Guess: a matcher in Python computes the same as a component and in the CPython that it was tried out in.
# Seen: the component holds CPython 3.14 for a machine of 32 bits, whatever Python builds it. sum([0.1] * 10) is 1.0 there (compensated since 3.12) and 0.9999999999999999 in a CPython before; sys.maxsize is 2**31 - 1, and hash(2**40) is 512.
# Why it matters: a score that is a sum differs in its last bit between the two, and so does each tie that is decided by it. Add in a loop: that is plain in both.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.1 wasmtime==50.0.1
cat > world.wit <<'WIT'
package probe:python@0.1.0;
world probe { export tell: func() -> string; }
WIT
cat > facts.py <<'PY'
import sys


def facts() -> str:
    plain = 0.0
    for _ in range(10):
        plain += 0.1
    return repr((sys.version_info[:2], sum([0.1] * 10), plain, sys.maxsize == 2**31 - 1, hash(2**40)))
PY
cat > app.py <<'PY'
import facts
import wit_world


class WitWorld(wit_world.WitWorld):
    def tell(self) -> str:
        return facts.facts()
PY
venv/bin/componentize-py -d world.wit -w probe componentize app --stub-wasi -o app.wasm > /dev/null
venv/bin/python - <<'PY'
import sys

from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

import facts

engine = Engine()
store = Store(engine)
inside = Linker(engine).instantiate(store, Component(engine, open("app.wasm", "rb").read())).get_func(store, "tell")(store)
print("component:", inside, "\nhere:     ", facts.facts())
assert inside == "((3, 14), 1.0, 0.9999999999999999, True, 512)"
if sys.version_info < (3, 12):
    assert facts.facts().split(", ")[2:4] == ["0.9999999999999999", "0.9999999999999999"]
PY
