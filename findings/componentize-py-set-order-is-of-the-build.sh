#!/usr/bin/env bash
# Packages: componentize-py 0.25.1, wasmtime 50.0.1 (PyPI).
# Guess: the order in which a Python guest walks a set of strings changes from run to run, as in CPython, or never.
# Seen: it is the same in every run and every instance of one component, and another in the next build of the same source: the seed of Python's hashes is drawn when the component is built.
# Why it matters: a matcher that breaks ties by such a walk passes every test there is, and answers otherwise after a rebuild without a change.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check componentize-py==0.25.1 wasmtime==50.0.1
cat > order.wit <<'WIT'
package probe:order@0.1.0;
world probe { export walk: func() -> string; }
WIT
cat > app.py <<'PY'
import wit_world


class WitWorld(wit_world.WitWorld):
    def walk(self) -> str:
        return " ".join({f"offer-{number}" for number in range(12)})
PY
for build in 1 2 3; do
    venv/bin/componentize-py -d order.wit -w probe componentize app --stub-wasi -o "$build.wasm" > /dev/null
done
venv/bin/python - <<'PY'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker

engine = Engine()


def walks(build):
    component = Component(engine, open(f"{build}.wasm", "rb").read())
    found = set()
    for _ in range(3):
        store = Store(engine)
        entry = Linker(engine).instantiate(store, component).get_func(store, "walk")
        found.update((entry(store), entry(store)))
    return found


seen = [walks(build) for build in (1, 2, 3)]
print(*seen, sep="\n")
assert all(len(found) == 1 for found in seen)
assert len(set.union(*seen)) == 3
PY
