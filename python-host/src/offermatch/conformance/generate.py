"""Generated cases, the same in every host: small pools with many ties, and among them large ones.

The order in which numbers are drawn is part of the definition: host/library/src/conformance/generate.rs draws the same.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, TypeVar

from offermatch.recording.columns import devices_shown
from offermatch.recording.recording import Recording
from offermatch.sample import SplitMix64
from offermatch.tables.devices import Devices

__all__ = ["generated", "pick"]

_Item = TypeVar("_Item")
_LARGEST = 2**64 - 1

# Largest quantities of a table: small ones make ties.
_MOSTS = (1, 2, 4, 20, 1000, 2**40, _LARGEST)
_MAX_SCORES = (31.0, 31.0, 1e300, 1e300, 1e300, 0.5, 0.0, 2.0)
_WEIGHTS = (0.0, 0.1, 1.0, 3.7, 1e-250)
_SCALES = (0, 1, 3, 48, 2**39)


def generated(seed: int) -> Recording:
    """Return the case of a seed, without answers."""
    draw = SplitMix64(seed)
    large = draw.below(100) == 0
    shape = {"dimensions": draw.below(4), "attributes": draw.below(3)}
    settings = _settings(draw, shape)
    rows, most = 160 + draw.below(100) if large else draw.below(9), pick(draw, _MOSTS)
    offers = _offers(draw, shape, rows, most)
    known, steps = rows, []
    # The last step places tasks.
    for left in reversed(range(1 + draw.below(3))):
        if left and draw.below(4) == 0:
            changes = _changes(draw, shape, known)
            known += changes["added"]["rows"]
            steps.append({"update": changes})
            continue
        kind = "explain" if left and draw.below(5) == 0 else "assign"
        rows = 48 + draw.below(50) if large else draw.below(9)
        steps.append({kind: _tasks(draw, shape, rows, most)})
    return Recording(shape, settings, offers, steps, name=f"generated-{seed}", group="generated")


def pick(draw: SplitMix64, items: Sequence[_Item]) -> _Item:
    """Return one of several."""
    return items[draw.below(len(items))]


def _settings(draw: SplitMix64, shape: dict[str, int]) -> dict[str, Any]:
    mode = "exclusive" if draw.below(2) == 0 else "shared"
    settings: dict[str, Any] = {"mode": mode, "max_score": pick(draw, _MAX_SCORES)}
    terms = range(shape["dimensions"] + 1)
    if draw.below(3) == 0:
        settings["weights"] = [pick(draw, _WEIGHTS) for _ in terms]
    if draw.below(3) == 0:
        settings["scales"] = [pick(draw, _SCALES) for _ in terms]
    return settings


def _extreme(draw: SplitMix64) -> int:
    kind = draw.below(4)
    if kind == 0:
        return _LARGEST - draw.below(3)
    if kind == 1:
        return draw.next()
    return 2**63 + draw.below(2) if kind == 2 else draw.below(5)


def _quantities(draw: SplitMix64, count: int, most: int) -> list[int]:
    """Return quantities up to a largest one; up to the largest of all, those at the ends of their range."""
    return [_extreme(draw) if most == _LARGEST else draw.below(most + 1) for _ in range(count)]


def _offers(draw: SplitMix64, shape: dict[str, int], rows: int, most: int) -> dict[str, Any]:
    table: dict[str, Any] = {"rows": rows, "available": _quantities(draw, rows * shape["dimensions"], most)}
    if draw.below(2) == 0:
        table["capacity"] = [min(available + draw.below(3), _LARGEST) for available in table["available"]]
    table["attributes"] = [draw.below(4) for _ in range(rows * shape["attributes"])]
    if draw.below(3) == 0:
        offsets, free = [0], []
        for _ in range(rows):
            for _ in range(draw.below(4)):
                kind = draw.below(4)
                free.append((1000, 500, 0)[kind] if kind < 3 else draw.below(1001))
            offsets.append(len(free))
        table |= devices_shown(Devices(array("Q", offsets), array("Q", free)))
    return table


def _devices(draw: SplitMix64) -> int:
    kind = draw.below(7)
    if kind < 3:
        return 0
    return 1 + draw.below(999) if kind < 5 else 1000 * (1 + draw.below(3))


def _tasks(draw: SplitMix64, shape: dict[str, int], rows: int, most: int) -> dict[str, Any]:
    """Return tasks that ask for no more than the largest offers may have."""
    demand = _quantities(draw, rows * shape["dimensions"], min(pick(draw, _MOSTS), most))
    table: dict[str, Any] = {"rows": rows, "demand": demand}
    if draw.below(3) == 0:
        table["devices"] = [_devices(draw) for _ in range(rows)]
    if shape["attributes"] > 0 and draw.below(2) == 0:
        offsets, attributes, excludes, ends, values = [0], [], [], [0], []
        for _ in range(rows):
            for _ in range(draw.below(3)):
                attributes.append(draw.below(shape["attributes"]))
                excludes.append(draw.below(2) == 1)
                values += [1 + draw.below(3) for _ in range(draw.below(3))]
                ends.append(len(values))
            offsets.append(len(attributes))
        table |= {"requirement_offsets": offsets, "requirement_attributes": attributes}
        table |= {"requirement_excludes": excludes, "value_offsets": ends, "values": values}
    return table


def _changes(draw: SplitMix64, shape: dict[str, int], rows: int) -> dict[str, Any]:
    """Return changes of some of the rows, and up to two new ones."""
    removed, changed_rows = [], []
    for row in range(rows):
        kind = draw.below(8)
        if kind == 0:
            removed.append(row)
        elif kind == 1:
            changed_rows.append(row)
    if draw.below(2) == 1:
        removed.reverse()
        changed_rows.reverse()
    changed = _offers(draw, shape, len(changed_rows), pick(draw, _MOSTS))
    added = draw.below(3)
    more = _offers(draw, shape, added, pick(draw, _MOSTS))
    return {"removed": removed, "changed_rows": changed_rows, "changed": changed, "added": more}
