"""What a trap means: wasmtime-py hands over text, and this module is the only one that reads it."""

from __future__ import annotations

import re

from wasmtime import WasmtimeError

from offermatch.errors import MatcherError
from offermatch.limits import Limits, exceeded
from offermatch.wasm.engine import MOST_INSTANCES, MOST_MEMORIES, MOST_TABLES

__all__ = ["RETURNED_BYTES", "trapped"]

RETURNED_BYTES = 2**27
"""What wasmtime lets one call return, in bytes of its own values (32 a number); wasmtime-py has no way to change it."""

_MEMORY = re.compile(r"memory minimum size of ([0-9]+) pages exceeds")
_TABLE = re.compile(r"table minimum size of ([0-9]+) elements exceeds")
_COUNT = re.compile(r"(memory|table|instance) count too high at ([0-9]+)")
_PARTS = {
    "memory": ("limit-memory", "memories", MOST_MEMORIES, "memories"),
    "table": ("limit-table", "tables", MOST_TABLES, "tables"),
    "instance": ("limit-component", "instances", MOST_INSTANCES, "core instances"),
}
"""What an instance has too many of, by wasmtime's word: the code, the limit, its value, and the word of the error."""
# wasmtime's limit makes the growth of memory fail, and what the component makes of that is its own. A Rust matcher traps in
# one of these, where its functions still have names.
_ALLOCATION = re.compile(
    r"handle_alloc_error|rust_oom|alloc_error_handler|raw_vec\W+(?:\w+\W+)*?handle_error|capacity_overflow"
)


def trapped(error: WasmtimeError, limits: Limits, milliseconds: float, place: str, output: str) -> MatcherError:
    """Return the error for a call that ended in a trap.

    Args:
        error: What wasmtime says.
        limits: The limits of the call.
        milliseconds: How long the call took.
        place: The component.
        output: What the component wrote, as the end of a message.
    """
    text = str(error)
    if "wasm trap: interrupt" in text:
        asked = f"it was still running after {milliseconds:,.0f} ms"
        return exceeded("limit-time", "call_milliseconds", limits.call_milliseconds, asked, place, output)
    if "all fuel consumed" in text:
        asked = f"it asked for more instructions after {milliseconds:,.0f} ms"
        return exceeded("limit-fuel", "fuel", limits.fuel, asked, place, output)
    if "fuel allocated for hostcalls" in text:
        asked = f"its answer needs more than {RETURNED_BYTES:,} bytes here"
        return exceeded("limit-output", "output_rows", limits.output_rows, asked, place, output)
    if found := _MEMORY.search(text):
        asked = f"it asked for {int(found[1]) * 65536:,} bytes"
        return exceeded("limit-memory", "memory_bytes", limits.memory_bytes, asked, place, output)
    if found := _TABLE.search(text):
        asked = f"it asked for {int(found[1]):,} elements"
        return exceeded("limit-table", "table_elements", limits.table_elements, asked, place, output)
    if found := _COUNT.search(text):
        code, limit, value, parts = _PARTS[found[1]]
        return exceeded(code, limit, value, f"it asked for {found[2]} {parts}", place, output)
    if _ALLOCATION.search(text):
        asked = "it could not be given the memory it asked for"
        return exceeded("limit-memory", "memory_bytes", limits.memory_bytes, asked, place, output)
    hint = "its instance was thrown away; match again, or use the reference matcher"
    if "unreachable" in text:
        # A refused growth of memory or a table is not told to the host, and this is what a matcher then mostly does.
        hint += f"; a matcher that needs more than memory_bytes = {limits.memory_bytes:,} may end like this too"
    hint += "; docs/other-languages.md#when-a-guest-fails says which mistake of each language ends so"
    return MatcherError("matcher-trapped", _cause(text) + output, hint, place)


def _cause(text: str) -> str:
    """Return the last line of an error, which is where wasmtime puts the cause, without its number."""
    lines = text.strip().splitlines()
    return re.sub(r"^\s*[0-9]+: ", "", lines[-1]).strip() if lines else "no reason given"
