"""The types of the contract, and whether a component's functions have them.

A component may export the right names with other types. Values of such types would fail one by one, deep in a call; so the
types are compared once, when an instance is made.

Notation: ``{field:type}`` a record, ``<case(type)|case>`` a variant or enum, ``[type]`` a list, ``type?`` an option,
``ok!error`` a result.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from wasmtime import Store, component

from offermatch.wasm.contract import CONTRACT

__all__ = ["functions", "signature"]

_MODE = "<exclusive|shared>"
_RULE = "<measures|preferences|groups|workload>"
_ASSIGNMENTS = "{tasks:[u32],offers:[u32],scores:[f64]}"
_CELL = "{column:string,row:u32,value:u64,minimum:u64,maximum:u64}"
_NUMBER = "{column:string,row:u32,value:f64,minimum:f64,maximum:f64}"
_LENGTH = "column-length({column:string,expected:u64,found:u64})"
_SETTING = "bad-setting({setting:string,position:u32,value:f64})"
_ROWS = "too-many-rows({asked:u64,limit:u64})"

_GROUPS = (
    "{rows:u32,least:[u32],together:[u32],limit-offsets:[u32],limit-attributes:[u32],limit-counts:[u32],"
    "occupant-groups:[u32],occupant-offers:[u32],occupant-counts:[u32]}"
)
_TASKS = (
    "{rows:u32,demand:[u64],devices:[u32],requirement-offsets:[u32],requirement-kinds:[u32],requirement-subjects:[u32],"
    "requirement-bounds:[f64],requirement-weights:[f64],value-offsets:[u32],values:[u32],group-of:[u32],"
    f"groups:{_GROUPS}}}"
)
_WORKLOAD = f"{{tasks:{_TASKS},shares:[f64]}}"
_OFFERS = "{rows:u32,available:[u64],capacity:[u64],attributes:[u32],measures:[f64],device-offsets:[u32],device-free:[u32]}"
_EXPLANATIONS = (
    "{dimension-fails:[u32],dimension-alone:[u32],dimension-missing:[u64],requirement-fails:[u32],requirement-alone:[u32],"
    "requirement-missing:[f64],devices-fails:[u32],devices-alone:[u32],devices-missing:[u32],together-fails:[u32],"
    "together-alone:[u32],limit-fails:[u32],limit-alone:[u32],score-fails:[u32],score-missing:[f64],candidates:[u32],"
    "capable:[u32],members-placed:[u32]}"
)
_ERROR = (
    f"<{_LENGTH}|out-of-range({_CELL})|broken-devices({_CELL})|{_SETTING}|bad-number({_NUMBER})|repeated-row(u32)"
    f"|unsupported-mode({_MODE})|{_ROWS}|unsupported-rule({_RULE})>"
)
_RUNNING = (
    "{rows:u32,offers:[u32],priorities:[s32],starts:[u64],demand:[u64],device-offsets:[u32],device-numbers:[u32],"
    "device-thousandths:[u32]}"
)
_PLAN = "{tasks:[u32],offers:[u32],scores:[f64],victim-offsets:[u32],victims:[u32]}"

_NOW = {
    "describe": (
        f"()->{{name:string,version:string,policy:string,contract:string,modes:[{_MODE}],rules:[{_RULE}],"
        "parameters:[{name:string,default:f64,minimum:f64,maximum:f64}]}"
    ),
    "open": (
        f"({{dimensions:u32,attributes:u32,measures:u32}},{_OFFERS},{{mode:{_MODE},max-score:f64?,weights:[f64],"
        f"scales:[u64],parameters:[f64],workload:{_WORKLOAD}?}})->own!{_ERROR}"
    ),
    "assign": f"(borrow,{_TASKS})->{_ASSIGNMENTS}!{_ERROR}",
    "update": (
        f"(borrow,{{removed:[u32],changed-rows:[u32],changed:{_OFFERS},added:{_OFFERS},workload:{_WORKLOAD}?}})->_!{_ERROR}"
    ),
    "explain": f"(borrow,{_TASKS})->{_EXPLANATIONS}!{_ERROR}",
    "preempt": f"(borrow,{_TASKS},[s32],{_RUNNING})->{_PLAN}!{_ERROR}",
    "set-traced": "(bool)->_",
}
"""The calls of contract 0.3.0."""

_TASKS_BEFORE = (
    "{rows:u32,demand:[u64],devices:[u32],requirement-offsets:[u32],requirement-attributes:[u32],"
    "requirement-excludes:[bool],value-offsets:[u32],values:[u32]}"
)
_OFFERS_BEFORE = _OFFERS.replace("measures:[f64],", "")
_ERROR_BEFORE = (
    f"<{_LENGTH}|out-of-range({_CELL})|broken-devices({_CELL})|{_SETTING}|repeated-row(u32)|unsupported-mode({_MODE})"
    f"|{_ROWS}>"
)
_SETTINGS_BEFORE = f"{{mode:{_MODE},max-score:f64,weights:[f64],scales:[u64]}}"
_BEFORE = {
    "describe": f"()->{{name:string,version:string,policy:string,contract:string,modes:[{_MODE}]}}",
    "open": f"({{dimensions:u32,attributes:u32}},{_OFFERS_BEFORE},{_SETTINGS_BEFORE})->own!{_ERROR_BEFORE}",
    "assign": f"(borrow,{_TASKS_BEFORE})->{_ASSIGNMENTS}!{_ERROR_BEFORE}",
    "update": (
        f"(borrow,{{removed:[u32],changed-rows:[u32],changed:{_OFFERS_BEFORE},added:{_OFFERS_BEFORE}}})->_!{_ERROR_BEFORE}"
    ),
    "explain": (
        f"(borrow,{_TASKS_BEFORE})->{{by-dimension:[u32],by-requirement:[u32],by-devices:[u32],by-score:[u32],"
        f"candidates:[u32]}}!{_ERROR_BEFORE}"
    ),
    "set-traced": "(bool)->_",
}
"""The calls of contract 0.2.0."""


def functions(version: str, *, packed: bool) -> Mapping[str, str]:
    """Return the types of a contract's calls, or those of their packed ones."""
    found = _NOW if version == CONTRACT else _BEFORE
    if not packed:
        return found
    digits = {name: re.sub(r"\[\w+\]", "string", text) for name, text in found.items()}
    if found is _BEFORE:
        digits["open"] = digits["open"].replace("weights:string,scales:string", "weights:[f64],scales:[u64]")
    return digits


def signature(store: Store, function: component.Func) -> str:
    """Return the type of a function in the notation of ``functions``."""
    found = function.type(store)
    return f"({','.join(_text(kind) for _, kind in found.params)})->{_text(found.result)}"


def _text(kind: Any) -> str:
    if kind is None:
        return "_"
    if isinstance(kind, component.ListType):
        return f"[{_text(kind.element)}]"
    if isinstance(kind, component.OptionType):
        return f"{_text(kind.payload)}?"
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
