"""Which crossing a component is reached by: the fastest one that changes no answer."""

from __future__ import annotations

import logging
import os
from array import array
from collections.abc import Callable
from dataclasses import replace
from functools import cache

from offermatch.errors import MatcherError, OffermatchError
from offermatch.model import Timings
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import Assigned, Explained, OfferTable, Requirements, TaskTable
from offermatch.wasm.bulk import BulkCrossing, layout_is_known
from offermatch.wasm.component import Code, ComponentPool
from offermatch.wasm.crossing import Crossing, PublicCrossing
from offermatch.wasm.packed import PackedCrossing

__all__ = ["choose_crossing"]

_LOG = logging.getLogger("offermatch")
_Known = tuple[Assigned, Explained]
_PROVEN: set[str] = set()
"""Contracts for which some component has shown, in this process, that the bulk crossing gives what the public one gives. How
values lie in memory hangs on their types, and those all components of a contract share."""


def choose_crossing(code: Code) -> Crossing:
    """Return the fastest crossing that gives what the public one gives: packed, bulk, or the public one itself.

    Whether a component means the same by ``packed`` is asked of each one.

    ``OFFERMATCH_CROSSING`` set to ``packed``, ``bulk`` or ``public`` decides without the check.

    Raises:
        MatcherError: ``wrong-world`` where ``packed`` was asked for and the component does not have it.
    """
    forced = os.environ.get("OFFERMATCH_CROSSING", "")
    if forced == "packed" and not code.packs:
        hint = "unset OFFERMATCH_CROSSING; the crossing is then chosen by what the component has"
        raise MatcherError("wrong-world", "it does not export the interface packed", hint, str(code.path))
    if forced in _FORCED:
        return _FORCED[forced]()
    inner: Crossing = BulkCrossing() if code.contract in _PROVEN else PublicCrossing()
    expected = _known_call(code, inner)
    if not isinstance(inner, BulkCrossing) and _bulk_holds(code, expected):
        _PROVEN.add(code.contract)
        inner = BulkCrossing()
    if code.packs and _holds(code, PackedCrossing(inner), expected):
        return PackedCrossing(inner)
    return inner


_FORCED: dict[str, Callable[[], Crossing]] = {
    "packed": lambda: PackedCrossing(BulkCrossing() if layout_is_known() else PublicCrossing()),
    "bulk": BulkCrossing,
    "public": PublicCrossing,
}


def _bulk_holds(code: Code, expected: _Known) -> bool:
    if not layout_is_known():
        _warn_once("bulk", "the layout of wasmtime's values is not the known one")
        return False
    return _holds(code, BulkCrossing(), expected)


def _holds(code: Code, crossing: Crossing, expected: _Known) -> bool:
    try:
        found = _known_call(code, crossing)
    except (OffermatchError, TypeError, ValueError, AttributeError, KeyError) as error:
        _warn_once(crossing.name, f"it failed its check: {error}")
        return False
    if found != expected:
        _warn_once(crossing.name, "it changed an answer")
    return found == expected


def _known_call(code: Code, crossing: Crossing) -> _Known:
    """Match two small tables that fill every column of the contract."""
    quantities = [array("Q", [7, 2**63 + 1, 9]), array("Q", [5, 6, 2**40])]
    offers = OfferTable(
        3, quantities, quantities, [array("Q", [1, 0, 2])], array("Q", [0, 1, 1, 3]), array("Q", [1000, 400, 1000])
    )
    conditions = Requirements(
        array("Q", [0, 1, 1]), array("Q", [0]), array("Q", [1]), array("Q", [0, 2]), array("Q", [1, 3])
    )
    tasks = TaskTable(2, [array("Q", [1, 2]), array("Q", [3, 4])], array("Q", [300, 0]), conditions)
    settings = SettingColumns("shared", 1e9, [0.5, 1.0, 1.0], [3, 0, 0])
    instance = code.instance()
    # The rows of this answer are the host's own doing.
    instance.limits = replace(instance.limits, output_rows=None)
    backend = ComponentPool(instance, crossing, offers, Shape(2, 1), settings, Timings())
    found = backend.assign(tasks, Timings())
    # Some crossings give lists and some arrays.
    return Assigned([*found.tasks], [*found.offers], [*found.scores]), backend.explain(tasks, Timings())


@cache
def _warn_once(crossing: str, reason: str) -> None:
    _LOG.warning("columns cross to the component more slowly, without the %s crossing: %s", crossing, reason)
