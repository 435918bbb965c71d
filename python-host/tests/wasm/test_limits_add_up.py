"""Limits hold for an instance as a whole, however many parts it is made of, and for what it has the host do."""

from pathlib import Path

import pytest
from wasmtime import Store, WasmtimeError, wat2wasm
from wasmtime.component import Component, Linker

from offermatch import LimitError, Limits, Matcher
from offermatch.policies import BUNDLED
from offermatch.wasm.callback import MOST_VALUES, add_function
from offermatch.wasm.component import Code
from offermatch.wasm.engine import shared_engine
from parts import with_instances


def load(module, count):
    limits = Limits(memory_bytes=2**26, table_elements=10_000)
    return Matcher(Code(Path("many parts"), limits, content=with_instances(BUNDLED.read_bytes(), module, count)))


def test_a_few_parts_more_are_served():
    assert load("(module (table 4000 funcref))", 2).description.policy == "best-fit"


@pytest.mark.parametrize(
    ("module", "count", "code", "words"),
    [
        ("(module (table 0 funcref))", 60, "limit-table", "tables, above tables = 16"),
        ("(module (memory 512))", 30, "limit-memory", "memories, above memories = 1"),
        ("(module)", 100, "limit-component", "core instances, above instances = 64"),
        ("(module (table 20000 funcref))", 1, "limit-table", "20,000 elements, above table_elements = 10,000"),
    ],
)
def test_many_parts_are_refused_by_their_own_limit(module, count, code, words):
    with pytest.raises(LimitError, match=words) as caught:
        load(module, count)
    assert caught.value.code == code
    assert caught.value.limit in words


TAKES = """(component
  (import "take" (func $take (param "items" (list (tuple u32 u32)))))
  (core module $memory (memory (export "memory") 64)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $of (instantiate $memory))
  (alias core export $of "memory" (core memory $all))
  (core func $lowered (canon lower (func $take) (memory $all)))
  (core module $m (import "" "take" (func $take (param i32 i32)))
    (func (export "call") (param i32) (call $take (i32.const 0) (local.get 0))))
  (core instance $i (instantiate $m (with "" (instance (export "take" (func $lowered))))))
  (func (export "call") (param "count" u32) (canon lift (core func $i "call"))))"""


def test_what_hands_over_too_much_ends():
    engine, taken = shared_engine(Limits(call_milliseconds=None)), []
    linker, store = Linker(engine), Store(engine)
    with linker.root() as root:
        add_function(root, "take", lambda _store, items: taken.append(len(items)))
    function = linker.instantiate(store, Component(engine, bytes(wat2wasm(TAKES)))).get_func(store, "call")
    function(store, MOST_VALUES)
    with pytest.raises(WasmtimeError, match=r"more than 65536 values"):
        function(store, MOST_VALUES + 1)
    assert taken == [MOST_VALUES]
