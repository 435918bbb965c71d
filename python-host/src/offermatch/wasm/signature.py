"""The types of the contract, and whether a component's functions have them.

A component may export the right names with other types. Values of such types would fail one by one, deep in the crossing;
so the types are compared once, when an instance is made.

Notation: ``{field:type}`` a record, ``<case(type)|case>`` a variant or enum, ``[type]`` a list, ``ok!error`` a result.
"""

from __future__ import annotations

import re
from typing import Any

from wasmtime import Store, component

__all__ = ["FUNCTIONS", "PACKED_EXPORTS", "PACKED_FUNCTIONS", "TRACING_FUNCTIONS", "signature"]

_OFFERS = "{rows:u32,available:[u64],capacity:[u64],attributes:[u32],device-offsets:[u32],device-free:[u32]}"
_TASKS = (
    "{rows:u32,demand:[u64],devices:[u32],requirement-offsets:[u32],requirement-attributes:[u32],"
    "requirement-excludes:[bool],value-offsets:[u32],values:[u32]}"
)
_MODE = "<exclusive|shared>"
_SETTINGS = f"{{mode:{_MODE},max-score:f64,weights:[f64],scales:[u64]}}"
_CHANGES = f"{{removed:[u32],changed-rows:[u32],changed:{_OFFERS},added:{_OFFERS}}}"
_ASSIGNMENTS = "{tasks:[u32],offers:[u32],scores:[f64]}"
_EXPLANATIONS = "{by-dimension:[u32],by-requirement:[u32],by-devices:[u32],by-score:[u32],candidates:[u32]}"
_CELL = "{column:string,row:u32,value:u64,minimum:u64,maximum:u64}"
_ERROR = (
    f"<column-length({{column:string,expected:u64,found:u64}})|out-of-range({_CELL})|broken-devices({_CELL})"
    f"|bad-setting({{setting:string,position:u32,value:f64}})|repeated-row(u32)|unsupported-mode({_MODE})"
    "|too-many-rows({asked:u64,limit:u64})>"
)
_DESCRIPTION = f"{{name:string,version:string,policy:string,contract:string,modes:[{_MODE}]}}"

FUNCTIONS = {
    "describe": f"()->{_DESCRIPTION}",
    "[static]pool.open": f"({{dimensions:u32,attributes:u32}},{_OFFERS},{_SETTINGS})->own!{_ERROR}",
    "[method]pool.assign": f"(borrow,{_TASKS})->{_ASSIGNMENTS}!{_ERROR}",
    "[method]pool.update": f"(borrow,{_CHANGES})->_!{_ERROR}",
    "[method]pool.explain": f"(borrow,{_TASKS})->{_EXPLANATIONS}!{_ERROR}",
}
"""The functions of the matching interface, with their types: those that every version has."""

TRACING_FUNCTIONS = {"set-traced": "(bool)->_"}
"""The functions that it has besides where the contract has tracing."""

_PACKED_OFFERS = re.sub(r"\[\w+\]", "string", _OFFERS)
_PACKED_TASKS = re.sub(r"\[\w+\]", "string", _TASKS)
_PACKED_ASSIGNMENTS = re.sub(r"\[\w+\]", "string", _ASSIGNMENTS)

PACKED_EXPORTS = {"[static]pool.open": "open", "[method]pool.assign": "assign"}
"""The functions of the interface `packed`, by the function of the matching interface that means the same."""

PACKED_FUNCTIONS = {
    "[static]pool.open": f"({{dimensions:u32,attributes:u32}},{_PACKED_OFFERS},{_SETTINGS})->own!{_ERROR}",
    "[method]pool.assign": f"(borrow,{_PACKED_TASKS})->{_PACKED_ASSIGNMENTS}!{_ERROR}",
}
"""The types of the functions of the interface `packed`, likewise."""


def signature(store: Store, function: component.Func) -> str:
    """Return the type of a function in the notation of ``FUNCTIONS``."""
    found = function.type(store)
    return f"({','.join(_text(kind) for _, kind in found.params)})->{_text(found.result)}"


def _text(kind: Any) -> str:
    if kind is None:
        return "_"
    if isinstance(kind, component.ListType):
        return f"[{_text(kind.element)}]"
    if isinstance(kind, component.RecordType):
        return "{" + ",".join(f"{name}:{_text(inner)}" for name, inner in kind.fields) + "}"
    if isinstance(kind, component.VariantType):
        cases = (name if inner is None else f"{name}({_text(inner)})" for name, inner in kind.cases)
        return f"<{'|'.join(cases)}>"
    if isinstance(kind, component.EnumType):
        return f"<{'|'.join(kind.names)}>"
    if isinstance(kind, component.ResultType):
        return f"{_text(kind.ok)}!{_text(kind.err)}"
    return type(kind).__name__.removesuffix("Type").lower()
