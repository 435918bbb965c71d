#!/usr/bin/env bash
# Packages: componentize-py 0.25.1, wasmtime 50.0.1 (PyPI).
# Guess: with --stub-wasi, what needs the system raises in the guest (ImportError, OSError), so that try and except, or a log line dropped, get on without it.
# Seen: an import inside a function, of a module of the standard library that was not imported at the build, print() and time.time() all end the call in a trap ("unreachable"), also inside try and except; and the instance is dead from then on. The same import at the top of the module is fine: it runs at the build.
# Why it matters: a lazy import in a branch that tests do not reach, or a forgotten print, is a crash in production, with no Python line in its message.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.1 wasmtime==50.0.1
cat > world.wit <<'WIT'
package probe:python@0.1.0;
world probe { export try-to: func(name: string) -> string; }
WIT
cat > app.py <<'PY'
import bisect
import time

import wit_world


class WitWorld(wit_world.WitWorld):
    def try_to(self, name: str) -> str:
        try:
            if name == "import at the top":
                return str(bisect.bisect([1, 2, 3], 2))
            if name == "import late":
                import graphlib

                return graphlib.__name__
            if name == "print":
                print("placed")
            if name == "time":
                time.time()
            return "done"
        except BaseException as error:
            return type(error).__name__
PY
venv/bin/componentize-py -d world.wit -w probe componentize app --stub-wasi -o app.wasm > /dev/null
venv/bin/python - <<'PY'
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker

engine = Engine()
component = Component(engine, open("app.wasm", "rb").read())


def outcome(name):
    store = Store(engine)
    entry = Linker(engine).instantiate(store, component).get_func(store, "try-to")
    try:
        return entry(store, name)
    except WasmtimeError as error:
        return "trap" if "unreachable" in str(error) else str(error)


seen = {name: outcome(name) for name in ("import at the top", "import late", "print", "time", "nothing")}
print(seen)
assert seen == {"import at the top": "2", "import late": "trap", "print": "trap", "time": "trap", "nothing": "done"}
PY
