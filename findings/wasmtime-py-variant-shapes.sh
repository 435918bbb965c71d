#!/usr/bin/env bash
# Packages: wasmtime 50.0.1 (PyPI).
# Guess: a variant, and a result, has one shape in Python, with its case and its payload, whichever cases its type has.
# Seen: where the payloads of all cases are different Python types, a value is the bare payload, and a Variant with a tag is refused; where two are alike, it is a Variant with a tag, and a bare payload is refused. result<u32, string> gives 7 or a text with nothing that says which is the error; result<u32, u32> gives Variant(tag="err", payload=7). True goes to the first case that takes an int, also if a later case is bool.
# Why it matters: adding one case to a contract changes the Python value of all the others, and code that reads an answer sees an error as an answer.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check wasmtime==50.0.1
cd "$work"
"$work/venv/bin/python" - <<'PY'
from wasmtime import Engine, Store
from wasmtime.component import Component, Linker, Variant

engine = Engine()


def function(wat):
    store = Store(engine)
    instance = Linker(engine).instantiate(store, Component(engine, wat))
    entry = instance.get_func(store, "f")
    return lambda *values: entry(store, *values)


def answer(result_type, *stores):
    body = " ".join(f"(i32.store (i32.const {64 + 4 * word}) (i32.const {value}))" for word, value in enumerate(stores))
    return function(f"""(component
      (core module $m (memory (export "memory") 1) (func (export "f") (result i32) {body} (i32.const 64)))
      (core instance $i (instantiate $m))
      (func (export "f") (result {result_type}) (canon lift (core func $i "f") (memory (core memory $i "memory")))))""")()


def case_number(cases):
    """A function that gives the number of the case it was given."""
    return function(f"""(component
      (core module $m (func (export "f") (param i32 i64) (result i32) local.get 0))
      (core instance $i (instantiate $m))
      (type $t (variant {cases})) (export $v "v" (type $t))
      (func (export "f") (param "x" $v) (result u32) (canon lift (core func $i "f"))))""")


def outcome(call, value):
    try:
        return call(value)
    except (TypeError, ValueError) as error:
        return type(error).__name__


text = [answer("(result u32 (error string))", 0, 7), answer("(result u32 (error string))", 1, 0, 0)]
print("result<u32, string>, 7 and an error of empty text:", text)
assert text == [7, ""]
error_alone = answer("(result (error u32))", 1, 7)
error_alike = answer("(result u32 (error u32))", 1, 7)
print("result<_, u32> in error:", error_alone, "| result<u32, u32> in error:", error_alike)
assert error_alone == 7
assert isinstance(error_alike, Variant) and (error_alike.tag, error_alike.payload) == ("err", 7)

apart = case_number('(case "count" u64) (case "share" f64)')
alike = case_number('(case "count" u64) (case "bytes" u64)')
seen = [outcome(call, value) for call in (apart, alike) for value in (5, Variant("count", 5))]
print("two kinds of number, bare and tagged:", seen[:2], "| one kind:", seen[2:])
assert seen == [0, "ValueError", "TypeError", 0]

count_first = case_number('(case "count" u64) (case "whole" bool)')
whole_first = case_number('(case "whole" bool) (case "count" u64)')
print("True, as the cases are ordered:", ("count", "whole")[count_first(True)], ("whole", "count")[whole_first(True)])
assert (count_first(True), whole_first(True)) == (0, 0)
PY
