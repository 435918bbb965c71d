"""Generated cases with every rule mixed: to the case of a seed come measures, preferences, groups, workloads and plans.

The order in which numbers are drawn is part of the definition: host/library/src/conformance/mixed.rs draws the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite, nan
from typing import Any

from offermatch.conformance.generate import generated, pick
from offermatch.model import USED_FIRST, Description
from offermatch.recording.columns import devices_of
from offermatch.recording.recording import Recording
from offermatch.sample import SplitMix64
from offermatch.tables.tables import AT_LEAST

__all__ = ["mixed", "of_the_reference", "parameters"]

_APART = 0x6D69786564
"""What tells the numbers that are drawn here from those of the case without rules."""

# Few different numbers, so that offers tie, and the extremes.
_MEASURES = (nan, 0.0, -0.0, 1.5, -2.0, 5e-324, 1e308, inf, -inf)
_BOUNDS = (0.0, -0.0, 1.5, -2.0, 5e-324, 1e308, inf, -inf)
_PENALTIES = (inf, inf, 0.0, 0.25, 3.0, 5e-324, 1e308)
_SHARES = (0.25, 1.0, 3.0, 1e-300)
_DEVICES = (0, 0, 300, 500, 1000, 2000)


def mixed(seed: int) -> Recording:
    """Return the case of a seed with rules, without answers."""
    case, draw = generated(seed), SplitMix64(seed ^ _APART)
    shape = {**case.shape, "measures": draw.below(3)}
    settings = dict(case.settings)
    if draw.below(4) == 0:
        settings["max_score"] = None
    if draw.below(4) == 0:
        settings["workload"] = _workload(draw, shape)
    offers, known, steps = _measured(draw, shape, case.offers), case.offers["rows"], []
    for step in case.steps:
        if "update" in step:
            changes = dict(step["update"])
            changes |= {table: _measured(draw, shape, changes[table]) for table in ("changed", "added")}
            if draw.below(4) == 0:
                changes["workload"] = _workload(draw, shape)
            known += changes["added"]["rows"]
            steps.append({"update": changes})
            continue
        ((kind, tasks),) = step.items()
        steps.append({kind: _grouped(draw, shape, _required(draw, shape, tasks), known)})
    if settings["mode"] == "shared" and draw.below(2) == 0:
        # What runs uses what the offers had not free when the pool was opened: more of it may be used by then, but not less.
        offers["capacity"] = [min(free + draw.below(9), 2**64 - 1) for free in offers["available"]]
        unchanged = next((at for at, step in enumerate(steps) if "update" in step), len(steps))
        steps.insert(draw.below(unchanged + 1), {"preempt": _preempted(draw, shape, offers)})
    return Recording(
        shape, settings, offers, steps, name=f"mixed-{seed}", about=case.about, group="mixed", raise_scales=True
    )


def parameters(seed: int, description: Description) -> list[float]:
    """Return parameters for a matcher that has any, each at a quarter of its range, or none."""
    draw = SplitMix64(seed ^ ~_APART % 2**64)
    if not description.parameters or draw.below(2) == 0:
        return []
    drawn = [(one, one.minimum + (one.maximum - one.minimum) * (draw.below(5) / 4)) for one in description.parameters]
    return [value if isfinite(value) else one.default for one, value in drawn]


def of_the_reference(given: Sequence[float], description: Description) -> list[float]:
    """Return those of a matcher's parameters that the reference has, too."""
    return [value for one, value in zip(description.parameters, given, strict=False) if one == USED_FIRST]


def _measured(draw: SplitMix64, shape: Mapping[str, int], offers: Mapping[str, Any]) -> dict[str, Any]:
    """Return offers with measures."""
    count = offers["rows"] * shape["measures"]
    return {**offers, "measures": [pick(draw, _MEASURES) for _ in range(count)]} if draw.below(4) > 0 else {**offers}


def _workload(draw: SplitMix64, shape: Mapping[str, int]) -> dict[str, Any]:
    """Return typical tasks."""
    rows = 1 + draw.below(3)
    tasks = {"rows": rows, "demand": [draw.below(5) for _ in range(rows * shape["dimensions"])]}
    return {"tasks": _required(draw, shape, tasks), "shares": [pick(draw, _SHARES) for _ in range(rows)]}


def _required(draw: SplitMix64, shape: Mapping[str, int], tasks: Mapping[str, Any]) -> dict[str, Any]:
    """Return tasks with requirements and preferences of every kind, or with those that they have."""
    attributes, measures = shape["attributes"], shape["measures"]
    if attributes + measures == 0 or draw.below(4) == 0:
        return {**tasks}
    first = 0 if attributes else AT_LEAST
    many = 4 - first if measures else AT_LEAST
    offsets, kinds, subjects, bounds, weights, ends, values = [0], [], [], [], [], [0], []
    for _ in range(tasks["rows"]):
        for _ in range(draw.below(4)):
            kinds.append(first + draw.below(many))
            is_set = kinds[-1] < AT_LEAST
            subjects.append(draw.below(attributes if is_set else measures))
            bounds.append(pick(draw, _BOUNDS))
            weights.append(pick(draw, _PENALTIES))
            values += [1 + draw.below(3) for _ in range(draw.below(3) if is_set else 0)]
            ends.append(len(values))
        offsets.append(len(kinds))
    kept = {name: column for name, column in tasks.items() if not name.startswith(("requirement_", "value"))}
    found: dict[str, Any] = {"requirement_offsets": offsets, "requirement_kinds": kinds, "requirement_subjects": subjects}
    found |= {"requirement_bounds": bounds, "requirement_weights": weights, "value_offsets": ends, "values": values}
    return {**kept, **found}


def _grouped(draw: SplitMix64, shape: Mapping[str, int], tasks: Mapping[str, Any], known: int) -> dict[str, Any]:
    """Return tasks of which some belong to groups, with every rule."""
    if draw.below(3) == 0:
        return {**tasks}
    groups = 1 + draw.below(3)
    of = [draw.below(groups + 1) for _ in range(tasks["rows"])]
    found: dict[str, Any] = {"rows": groups, "least": [], "together": []}
    found |= {"limit_offsets": [0], "limit_attributes": [], "limit_counts": []}
    found |= {"occupant_groups": [], "occupant_offers": [], "occupant_counts": []}
    for group in range(groups):
        size = of.count(group + 1)
        for _ in range(draw.below(3) if known else 0):
            count = draw.below(3)
            found["occupant_groups"].append(group)
            found["occupant_offers"].append(draw.below(known))
            found["occupant_counts"].append(count)
            size += count
        found["least"].append(draw.below(size + 1))
        found["together"].append(draw.below(shape["attributes"] + 1))
        for _ in range(draw.below(3)):
            found["limit_attributes"].append(draw.below(shape["attributes"] + 1))
            found["limit_counts"].append(1 + draw.below(3))
        found["limit_offsets"].append(len(found["limit_attributes"]))
    return {**tasks, "group_of": of, "groups": found}


def _preempted(draw: SplitMix64, shape: Mapping[str, int], offers: Mapping[str, Any]) -> dict[str, Any]:
    """Return tasks of which each would fit an offer if nothing ran there, and what runs beside what the offers have free."""
    width, known = shape["dimensions"], offers["rows"]
    rows, demand = (1 + draw.below(8), []) if known else (0, [])
    for _ in range(rows):
        first = draw.below(known) * width
        for at in range(first, first + width):
            demand.append(offers["available"][at] + draw.below(offers["capacity"][at] - offers["available"][at] + 1))
    tasks: dict[str, Any] = {"rows": rows, "demand": demand}
    if draw.below(2) == 0:
        tasks["devices"] = [pick(draw, _DEVICES) for _ in range(rows)]
    if draw.below(2) == 0:
        tasks = _required(draw, shape, tasks)
    priorities = [draw.below(4) for _ in range(rows)]
    return {"tasks": tasks, "priorities": priorities, "running": _running(draw, width, offers)}


def _running(draw: SplitMix64, width: int, offers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what runs on offers, within what they have not free."""
    found: dict[str, Any] = {"rows": 0, "offers": [], "priorities": [], "starts": [], "demand": []}
    found |= {"device_offsets": [0], "device_numbers": [], "device_thousandths": []}
    room = [has - free for has, free in zip(offers["capacity"], offers["available"], strict=True)]
    free = devices_of(offers)
    for offer in range(offers["rows"]):
        devices = [1000 - one for one in free.of(offer)]
        for _ in range(1 + draw.below(3)):
            found["rows"] += 1
            found["offers"].append(offer)
            found["priorities"].append(draw.below(4) - 2)
            found["starts"].append(draw.below(3))
            for at in range(offer * width, (offer + 1) * width):
                found["demand"].append(draw.below(room[at] + 1))
                room[at] -= found["demand"][-1]
            for number in range(len(devices)):
                if draw.below(2) == 0:
                    found["device_numbers"].append(number)
                    found["device_thousandths"].append(draw.below(devices[number] + 1))
                    devices[number] -= found["device_thousandths"][-1]
            found["device_offsets"].append(len(found["device_numbers"]))
    return found
