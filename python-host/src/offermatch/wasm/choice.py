"""Whether columns cross packed, and without wasmtime-py's conversion: only where that changes no answer."""

from __future__ import annotations

import logging
import os
from array import array
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from offermatch.errors import MatcherError, OffermatchError
from offermatch.model import Timings
from offermatch.tables.devices import Devices
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import IN, NOT_IN, Assigned, Changes, OfferTable, Requirements, TaskTable
from offermatch.wasm.component import Code, ComponentPool

__all__ = ["packed_calls"]

_LOG = logging.getLogger("offermatch")


def packed_calls(code: Code) -> Collection[str]:
    """Return the calls of a component that cross packed: all that it has, if they mean what those with lists mean.

    ``OFFERMATCH_CROSSING`` set to ``direct``, ``packed`` or ``public`` decides without the check: ``direct`` is ``packed``
    with arguments that wasmtime-py does not convert.

    Raises:
        MatcherError: ``wrong-world`` where ``packed`` was asked for and the component does not have it.
    """
    forced = os.environ.get("OFFERMATCH_CROSSING", "")
    if forced in ("direct", "packed") and not code.packed:
        hint = "unset OFFERMATCH_CROSSING; the crossing is then chosen by what the component has"
        raise MatcherError("wrong-world", "it does not export the interface packed", hint, str(code.path))
    if forced in ("direct", "packed", "public"):
        code.direct = forced == "direct"
        return () if forced == "public" else code.packed
    expected = _known_call(code, (), direct=False)
    for packed, direct in ((code.packed, True), (code.packed, False), ((), True)):
        try:
            if _known_call(code, packed, direct=direct) == expected:
                code.direct = direct
                return packed
            reason = "it changed an answer"
        except (OffermatchError, TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            reason = f"it failed its check: {error}"
        way = ", ".join(
            [*(["packed"] if packed else ["as lists"]), *(["without wasmtime-py's conversion"] if direct else [])]
        )
        _LOG.warning("columns cross to %s more slowly, not %s: %s", code.path, way, reason)
    return ()


def _known_call(code: Code, packed: Collection[str], *, direct: bool) -> tuple[Any, ...]:
    """Match two small tables that fill every column of the contract."""
    quantities = [array("Q", [7, 2**63 + 1, 9]), array("Q", [5, 6, 2**40])]
    devices = Devices.of_rows([[1000], [], [400, 1000]])
    offers = OfferTable(3, quantities, quantities, [array("Q", [1, 0, 2])], devices)
    conditions = Requirements(
        array("Q", [0, 1, 2]),
        array("Q", [NOT_IN, IN]),
        array("Q", [0, 0]),
        value_offsets=array("Q", [0, 2, 3]),
        values=array("Q", [1, 3, 2]),
    )
    tasks = TaskTable(2, [array("Q", [1, 2]), array("Q", [3, 4])], array("Q", [300, 0]), conditions)
    settings = SettingColumns("shared", 1e9, [0.5, 1.0, 1.0], [3, 0, 0])
    # The rows of this answer are the host's own doing.
    limits = replace(code.limits, output_rows=None)
    pool = ComponentPool(code, offers, Shape(2, 1), settings, Timings(), packed=packed, direct=direct, limits=limits)

    def assigned() -> Assigned:
        # Digits give arrays, and lists lists.
        found = pool.assign(tasks, Timings())
        return Assigned([*found.tasks], [*found.offers], [*found.scores])

    before, explained = assigned(), pool.explain(tasks, Timings())
    pool.update(Changes([1], [0], offers.picked([2]), offers.picked([1])), Timings())
    return before, explained, assigned()
