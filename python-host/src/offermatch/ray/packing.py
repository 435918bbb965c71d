"""First-fit of bundles on nodes, in the order of Ray's autoscaler.

Few distinct bundles on few nodes are packed run by run, a run being equal bundles that follow each other. The rest is
matched by the component: in shared mode with weights of zero every offer ties, and the first of the list wins.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from offermatch import Matcher, OfferColumns, TaskColumns
from offermatch.ray.quantities import Bundles, Shape

__all__ = ["copies_that_fit", "get_bin_pack_residual"]

_SMALL = 3_000
"""Distinct bundles x nodes up to which walking through runs is faster than a call of the component."""


def get_bin_pack_residual(
    node_resources: Sequence[dict[str, float]], resource_demands: Sequence[dict[str, float]], strict_spread: bool = False
) -> tuple[list[dict[str, float]], list[dict[str, float]]]:
    """Return the bundles that fit on no node, and what the nodes have left.

    The same as ``ray.autoscaler._private.resource_demand_scheduler.get_bin_pack_residual`` of Ray 2.60 wherever the
    doubles that Ray adds up are exact. Bundles with more resources go first, then those with the larger sum, then by name
    and quantity in descending order; each takes the first node that has room.

    Args:
        node_resources: What each node has. Not changed.
        resource_demands: What each bundle asks.
        strict_spread: Whether a node takes one bundle at the most.

    Raises:
        InputError: ``quantity-malformed`` for a quantity that is negative, not finite or no number.

    Examples:
        >>> get_bin_pack_residual([{"CPU": 1}], [{"CPU": 0.3}, {"CPU": 0.3}, {"CPU": 0.3}, {"CPU": 0.1}])
        ([], [{'CPU': 0.0}])
    """
    bundles = Bundles(resource_demands, node_resources)
    order = bundles.order()
    shapes = [bundles.shapes[row] for row in order]
    # An empty node makes Ray give up a bundle that it would hold, which no matcher does.
    walks = len(set(shapes)) * len(node_resources) <= _SMALL or not all(node_resources)
    places = (_walk if walks else _match)(node_resources, bundles, shapes, strict_spread)
    residual = [resource_demands[row] for row, place in zip(order, places, strict=True) if place < 0]
    return residual, _left(node_resources, bundles, shapes, places)


def copies_that_fit(asked: Mapping[str, int], free: Mapping[str, int]) -> int | None:
    """Return how many equal bundles fit into what is free; None where they ask for nothing."""
    return min((free[name] // quantity for name, quantity in asked.items()), default=None)


def _walk(nodes: Sequence[dict[str, float]], bundles: Bundles, shapes: Sequence[Shape], strict: bool) -> list[int]:
    """Return the node of each bundle, -1 for none, run by run."""
    free = [dict(zip(bundles.held, row, strict=True)) for row in zip(*bundles.held.values(), strict=True)]
    free = free or [{} for _ in nodes]
    used: set[int] = set()
    places: list[int] = []
    for shape, run in groupby(shapes):
        waiting = sum(1 for _ in run)
        for place, there in enumerate(free):
            if place in used:
                continue
            fit = copies_that_fit(shape.asked, there)
            copies = waiting if fit is None else min(waiting, fit)
            if not copies:
                continue
            # An empty node never gets fuller: in Ray it stops every bundle that it would hold.
            is_empty = not nodes[place]
            if strict:
                copies = 1
                used.add(place)
            elif is_empty:
                copies = waiting
            places.extend([-1 if is_empty else place] * copies)
            waiting -= copies
            for name, quantity in shape.asked.items() if not is_empty else ():
                there[name] -= copies * quantity
            if not waiting:
                break
        places.extend([-1] * waiting)
    return places


def _match(nodes: Sequence[dict[str, float]], bundles: Bundles, shapes: Sequence[Shape], strict: bool) -> list[int]:
    """Return the node of each bundle, -1 for none, as the component finds it."""
    demand = {f"resource {number}": _asked(shapes, name) for number, name in enumerate(bundles.held)}
    available = {f"resource {number}": array("Q", held) for number, held in enumerate(bundles.held.values())}
    if strict:
        demand["bundles"], available["bundles"] = array("Q", [1]) * len(shapes), array("Q", [1]) * len(nodes)
    answer = _first_fit().match(
        TaskColumns(list(map(str, range(len(shapes)))), demand, source="resource_demands"),
        OfferColumns(list(map(str, range(len(nodes)))), available, source="node_resources"),
        mode="shared",
        weights=dict.fromkeys((*available, "devices"), 0.0),
    )
    places = [-1] * len(shapes)
    for task, offer in zip(answer.task_rows, answer.offer_rows, strict=True):
        places[task] = offer
    return places


def _asked(shapes: Sequence[Shape], name: str) -> array[int]:
    quantities = {shape: shape.asked.get(name, 0) for shape in set(shapes)}
    return array("Q", map(quantities.__getitem__, shapes))


@lru_cache(maxsize=1)
def _first_fit() -> Matcher:
    return Matcher.load()


def _left(
    nodes: Sequence[dict[str, float]], bundles: Bundles, shapes: Sequence[Shape], places: Sequence[int]
) -> list[dict[str, float]]:
    left: list[dict[str, Any]] = list(map(dict, nodes))
    for name, held in bundles.held.items():
        free = [*held, 0]
        for place, quantity in zip(places, _asked(shapes, name), strict=True):
            free[place] -= quantity
        unit, whole = bundles.units[name], bundles.whole[name]
        for node, had, has in zip(left, held, free[:-1], strict=True):
            if has != had:
                node[name] = has // unit if whole and isinstance(node.get(name, 1), int) else has / unit
    return left
