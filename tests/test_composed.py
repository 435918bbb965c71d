"""Components composed of others that call one another: served where one memory is enough, else refused by that limit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import wasmtime

from conftest import COMPONENT

_NESTED, _INSTANCES = 4, 5
# Two components, of which one calls the other. What is handed over is a number, or a text that lies in a memory of each.
CALLS = """(component
  (component $called
    (core module $m {memory}
      (func (export "take") (param {values}) (result i32) local.get 0)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024))
    (core instance $i (instantiate $m))
    (func (export "take") (param "value" {type}) (result u32) (canon lift (core func $i "take") {lifted})))
  (component $calls
    (import "take" (func $take (param "value" {type}) (result u32)))
    (core module $memory {memory})
    (core instance $i (instantiate $memory))
    (core func $lowered (canon lower (func $take) {lowered}))
    (core module $m (import "" "take" (func (param {values}) (result i32))))
    (core instance (instantiate $m (with "" (instance (export "take" (func $lowered)))))))
  (instance $a (instantiate $called))
  (instance (instantiate $calls (with "take" (func $a "take")))))"""
NUMBER = {"type": "u32", "values": "i32", "memory": "", "lifted": "", "lowered": ""}
TEXT = {
    "type": "string",
    "values": "i32 i32",
    "memory": '(memory (export "memory") 1)',
    "lifted": '(memory (core memory $i "memory")) (realloc (core func $i "realloc"))',
    "lowered": '(memory (core memory $i "memory"))',
}


def _leb128(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def _read_leb128(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 0x80:
            return number, at


def _with_component(component: bytes, nested: bytes) -> bytes:
    """Return a component with an instance of another one inside that nothing else of it uses."""
    # The sections follow the eight bytes of the header: a number, a length, the content.
    at, components = 8, 0
    while at < len(component):
        components += component[at] == _NESTED
        length, content = _read_leb128(component, at + 1)
        at = content + length
    instance = b"\1\0" + _leb128(components) + b"\0"
    for number, section in ((_NESTED, nested), (_INSTANCES, instance)):
        component += bytes([number]) + _leb128(len(section)) + section
    return component


@pytest.fixture
def composed(tmp_path: Path) -> Any:
    """Return a function that makes the bundled matcher with two components more, which call one another."""

    def make(handed_over: dict[str, str]) -> Path:
        path = tmp_path / "composed.wasm"
        path.write_bytes(_with_component(COMPONENT.read_bytes(), bytes(wasmtime.wat2wasm(CALLS.format(**handed_over)))))
        return path

    return make


def test_components_that_hand_over_numbers_are_served(same_answer: Any, composed: Any) -> None:
    sample = ("--sample", "uniform:30x20:1")
    answer = same_answer(*sample, "--matcher", composed(NUMBER))
    assert answer["answer_digest"] == same_answer(*sample, "--matcher", COMPONENT)["answer_digest"]


def test_components_with_memories_of_their_own_are_refused_by_the_limit(hosts: Any, composed: Any) -> None:
    path = composed(TEXT)
    for host in hosts:
        done = host.run("match", "--sample", "uniform:1x1", "--matcher", path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error[limit-memory]: "), f"{host.name}: {done.stderr}"
        assert re.search(r"asked for 2 memories(, above memories = 1|; the limit memories is 1)\n", done.stderr), done.stderr
        assert "hint: nobody can set this limit: build the matcher from fewer parts" in done.stderr
