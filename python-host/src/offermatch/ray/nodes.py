"""How many nodes of each type a list of bundles asks for.

Ray adds one node at a time, and packs every bundle into every node type to score it. Here equal bundles are one run with
a count, and as many nodes are added at once as would be chosen one after the other for the same reason.
"""

from __future__ import annotations

import logging
import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from offermatch.ray.packing import copies_that_fit, get_bin_pack_residual
from offermatch.ray.quantities import Bundles, Resources, Shape

__all__ = ["get_nodes_for", "is_resource_based", "score"]

_LOG = logging.getLogger("offermatch.ray")

Score = tuple[bool, int, float, float]


@dataclass(slots=True)
class _Run:
    """Equal bundles that follow each other.

    Attributes:
        shape: What each of them asks.
        rows: Which bundles they are.
    """

    shape: Shape
    rows: list[int]


@dataclass(slots=True)
class _Fill:
    """One node of a type, filled from the runs in their order, until it has no room for any.

    Attributes:
        copies: How many bundles of each run it takes.
        room: How many it would take if the run had enough; None where it is without limit.
        score: How good a choice the type is; None where nothing fits.
    """

    copies: list[int]
    room: list[int | None]
    score: Score | None

    def room_for(self, number: int) -> int | None:
        """Return how many bundles of a run it would take if the run had enough; None where it is without limit."""
        return self.room[number] if number < len(self.room) else 0


def get_nodes_for(
    node_types: Mapping[str, Mapping[str, Any]],
    existing_nodes: Mapping[str, int],
    head_node_type: str,
    max_to_add: int,
    resources: list[dict[str, float]],
    utilization_scorer: Callable[[dict[str, float], list[dict[str, float]], str], Any],
    strict_spread: bool = False,
) -> tuple[dict[str, int], list[dict[str, float]]]:
    """Return how many nodes of each type to add, and the bundles that still have no place.

    The same as ``ray.autoscaler._private.resource_demand_scheduler.get_nodes_for`` of Ray 2.60 wherever the doubles that
    Ray adds up are exact.

    Args:
        node_types: ``resources`` and ``max_workers`` of each type.
        existing_nodes: How many nodes of each type are there.
        head_node_type: The type of the head node, which may be there once more than ``max_workers``.
        max_to_add: The most nodes to add, of all types together.
        resources: What each bundle asks.
        utilization_scorer: How good a choice a type is. Ray's own is computed on runs of equal bundles; another one is
            called as Ray calls it.
        strict_spread: Whether each bundle takes a node of its own.

    Raises:
        InputError: ``quantity-malformed`` for a quantity that is negative, not finite or no number.
    """
    chooser = _Chooser(node_types, existing_nodes, head_node_type, max_to_add, utilization_scorer)
    residual = chooser.spread(resources) if strict_spread else chooser.pack(resources)
    return chooser.added, residual


def is_resource_based(scorer: Any) -> bool:
    """Return whether a scorer is the one that Ray takes unless another is configured, or this package's."""
    function = getattr(scorer, "func", scorer)
    place = getattr(function, "__module__", ""), getattr(function, "__name__", "")
    return place in {
        ("ray.autoscaler._private.resource_demand_scheduler", "_default_utilization_scorer"),
        ("offermatch.ray.autoscaler", "utilization_scorer"),
    }


def score(node: Resources, demands: Sequence[Resources]) -> Score | None:
    """Return how good a choice a node of this kind is: higher is better, None where no bundle fits.

    The score of Ray's ``_resource_based_utilization_scorer``: nodes without GPUs for bundles without GPUs, then the
    number of resource kinds that are asked for, then the least and the mean of ``quantity * utilization ** 3``.
    """
    bundles = Bundles(demands, [node])
    return _fill(node, 0, _runs(bundles, range(len(demands))), set(bundles.shapes), bundles).score


class _Chooser:
    """Adds nodes until all bundles have a place or no type may be added."""

    def __init__(
        self,
        node_types: Mapping[str, Mapping[str, Any]],
        existing: Mapping[str, int],
        head: str,
        max_to_add: int,
        scorer: Callable[[dict[str, float], list[dict[str, float]], str], Any],
    ) -> None:
        self.added: dict[str, int] = defaultdict(int)
        self._types = node_types
        self._existing = existing
        self._head = head
        self._max_to_add = max_to_add
        self._scorer = scorer

    def pack(self, demands: list[dict[str, float]]) -> list[dict[str, float]]:
        """Add nodes that take several bundles each, and return the bundles without a place."""
        if not is_resource_based(self._scorer):
            return self._pack_by_calls(demands)
        if not (demands and self._may_add()):
            return demands
        nodes = {name: kind["resources"] for name, kind in self._types.items()}
        bundles = Bundles(demands, list(nodes.values()))
        numbers = {name: number for number, name in enumerate(nodes)}

        def filled(name: str, runs: Iterable[_Run], shapes: Collection[Shape]) -> _Fill:
            return _fill(nodes[name], numbers[name], runs, shapes, bundles)

        # Ray scores the first node with the bundles as they were given, and all others with the bundles in order.
        shapes = set(bundles.shapes)
        given = {name: filled(name, _runs(bundles, range(len(demands))), shapes).score for name in self._open()}
        best = self._best(given)
        if best is None:
            self._warn(demands[0], len(demands))
            return demands
        runs = list(_runs(bundles, bundles.order()))
        runs = self._add(best, 1, runs, filled(best, runs, shapes))
        while runs and self._may_add():
            shapes = {run.shape for run in runs}
            fills = {name: filled(name, runs, shapes) for name in self._open()}
            best = self._best({name: fill.score for name, fill in fills.items()})
            if best is None:
                self._warn(demands[runs[0].rows[0]], sum(len(run.rows) for run in runs))
                break
            times = min(self._room(best), _repeats(runs, fills[best], list(fills.values())))
            runs = self._add(best, times, runs, fills[best])
        return [demands[row] for run in runs for row in run.rows]

    def _add(self, name: str, times: int, runs: list[_Run], fill: _Fill) -> list[_Run]:
        """Add nodes of a type, and return what they leave of the runs."""
        self.added[name] += times
        for run, copies in zip(runs, fill.copies, strict=False):
            del run.rows[: times * copies]
        return [run for run in runs if run.rows]

    def spread(self, bundles: list[dict[str, float]]) -> list[dict[str, float]]:
        """Add a node for each bundle, and return the bundles without a place."""
        known: dict[tuple[str, tuple[tuple[str, float], ...]], Any] = {}
        for row, bundle in enumerate(bundles):
            if not self._may_add():
                return bundles[row:]
            scores = {}
            for name in self._open():
                key = name, tuple(bundle.items())
                if key not in known:
                    node = self._types[name]["resources"]
                    exact = is_resource_based(self._scorer)
                    known[key] = score(node, [bundle]) if exact else self._scorer(node, [bundle], name)
                scores[name] = known[key]
            best = self._best(scores)
            if best is None:
                self._warn(bundle, len(bundles) - row)
                return bundles[row:]
            self.added[best] += 1
        return bundles[len(bundles) :] if bundles else bundles

    def _pack_by_calls(self, bundles: list[dict[str, float]]) -> list[dict[str, float]]:
        while bundles and self._may_add():
            best = self._best({name: self._scorer(self._types[name]["resources"], bundles, name) for name in self._open()})
            if best is None:
                self._warn(bundles[0], len(bundles))
                break
            self.added[best] += 1
            residual, _ = get_bin_pack_residual([self._types[best]["resources"]], bundles)
            if len(residual) == len(bundles):
                message = f"utilization_scorer chose {best!r}, which holds none of the bundles"
                raise AssertionError(message)
            bundles = residual
        return bundles

    def _may_add(self) -> bool:
        return sum(self.added.values()) < self._max_to_add

    def _open(self) -> list[str]:
        """Return the types of which more nodes may be added."""
        return [name for name in self._types if self._room_of_type(name) > 0]

    def _room_of_type(self, name: str) -> int:
        most: int = self._types[name].get("max_workers", 0) + (name == self._head)
        return most - self._existing.get(name, 0) - self.added.get(name, 0)

    def _room(self, name: str) -> int:
        return min(self._room_of_type(name), self._max_to_add - sum(self.added.values()))

    @staticmethod
    def _best(scores: Mapping[str, Any]) -> str | None:
        found = [(score, name) for name, score in scores.items() if score is not None]
        return max(found)[1] if found else None

    @staticmethod
    def _warn(bundle: Resources, count: int) -> None:
        if not any("_group_" in name for name in bundle):
            _LOG.warning("no node type that may be added holds %s (%d bundles wait)", dict(bundle), count)


def _runs(bundles: Bundles, rows: Iterable[int]) -> Iterator[_Run]:
    return (_Run(shape, list(members)) for shape, members in groupby(rows, key=bundles.shapes.__getitem__))


def _fill(node: Resources, number: int, runs: Iterable[_Run], shapes: Collection[Shape], bundles: Bundles) -> _Fill:
    """Fill one node, the one of this number among the nodes of the bundles; the runs are of these shapes."""
    held = {name: column[number] for name, column in bundles.held.items()}
    free = dict(held)
    copies: list[int] = []
    room: list[int | None] = []
    full = set[Shape]()
    for run in runs:
        if len(full) == len(shapes):
            break
        fit = 0 if run.shape in full else copies_that_fit(run.shape.asked, free)
        taken = len(run.rows) if fit is None else min(len(run.rows), fit)
        room.append(fit)
        copies.append(taken)
        if taken:
            for name, quantity in run.shape.asked.items():
                free[name] -= taken * quantity
        elif fit == 0:
            full.add(run.shape)
    used = {name: (held[name] - free[name]) / bundles.units[name] for name in held}
    return _Fill(copies, room, _score(node, shapes, used) if any(copies) else None)


def _score(node: Resources, shapes: Collection[Shape], used: Mapping[str, float]) -> Score | None:
    asked = {name for shape in shapes for name in shape.asked}
    by_resource = []
    matching = 0
    for name, value in node.items():
        if value < 1:
            continue
        if name in asked:
            matching += 1
        by_resource.append(value * (used.get(name, 0.0) / value) ** 3)
    if not by_resource:
        return None
    spares_gpus = not (_conserves_gpus() and node.get("GPU", 0) > 0 and not any("GPU" in shape.named for shape in shapes))
    return spares_gpus, matching, min(by_resource), float(sum(by_resource)) / len(by_resource)


def _conserves_gpus() -> bool:
    """Return Ray's setting, which keeps bundles that ask for no GPU off nodes that have some."""
    return os.environ.get("AUTOSCALER_CONSERVE_GPU_NODES", "1") != "0"


def _repeats(runs: Sequence[_Run], chosen: _Fill, fills: Sequence[_Fill]) -> int:
    """Return how many nodes of the chosen type would be chosen one after the other.

    As long as each run that shrinks has at least as many bundles as any type has room for, every type is filled and
    scored as before.
    """
    times: int | None = None
    for number, (run, copies) in enumerate(zip(runs, chosen.copies, strict=False)):
        if not copies:
            continue
        rooms = [fill.room_for(number) for fill in fills]
        if any(room is None for room in rooms):
            return 1
        most = max(room for room in rooms if room is not None)
        if len(run.rows) < most:
            return 1
        again = (len(run.rows) - most) // copies + 1
        times = again if times is None else min(times, again)
    return times or 1
