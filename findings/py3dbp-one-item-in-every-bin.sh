#!/usr/bin/env bash
# Packages: py3dbp 1.1.2 (PyPI).
# Guess: pack() puts each item into at most one bin.
# Seen: unless distribute_items=True is given, every bin is packed with all the items anew, so one item lies in both bins, and an item that fits nowhere beside it is "unfitted" twice.
# Why it matters: who reads the bins as a placement starts the task on every node. The method is named for packing several bins, and nothing in its answer shows that it tried alternatives.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check py3dbp==1.1.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
from py3dbp import Bin, Item, Packer


def packed(**options):
    packer = Packer()
    for name in ("bin-1", "bin-2"):
        packer.add_bin(Bin(name, 10, 10, 10, 10))
    packer.add_item(Item("small", 5, 5, 5, 5))
    packer.add_item(Item("large", 10, 10, 10, 5))
    packer.pack(**options)
    return {box.name: [item.name for item in box.items] for box in packer.bins}


print("default:", packed(), "| distribute_items:", packed(distribute_items=True))
assert packed() == {"bin-1": ["small"], "bin-2": ["small"]}
assert packed(distribute_items=True) == {"bin-1": ["small"], "bin-2": ["large"]}
PY
