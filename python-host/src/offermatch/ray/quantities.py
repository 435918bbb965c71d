"""Ray's resource quantities as whole numbers.

Ray adds and subtracts doubles, so that three bundles of 0.1 do not fit into 0.3. A node itself counts ten-thousandths.
Here a quantity is the decimal number that its shortest text says, and all quantities of one resource are multiples of one
power of ten. Sums of them are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from offermatch.errors import InputError

__all__ = ["Bundles", "Resources", "Shape", "held_by"]

Resources = Mapping[str, float]
"""The quantity of each resource, as Ray has it."""

_Items = tuple[tuple[str, float], ...]

_IMPLICIT_PREFIX = "node:__internal_implicit_resource_"
"""Every node has 1 of each resource whose name starts so, without listing it."""

_LARGEST = 2**63 - 1


@dataclass(eq=False, slots=True)
class Shape:
    """What equal bundles ask.

    Attributes:
        asked: Whole numbers by resource; a resource of which nothing is asked is left out.
        named: The resources that are named, also those of which nothing is asked.
        rank: Ray packs bundles of a higher rank first.
    """

    asked: dict[str, int]
    named: frozenset[str]
    rank: int


class Bundles:
    """Bundles and the nodes that they are packed on, with one scale a resource.

    Where the largest quantity of a resource leaves no room for all digits, what is asked is rounded up and what a node has
    is rounded down.

    Attributes:
        shapes: The shape of each bundle.
        units: By resource that some bundle names, how many of its whole numbers make 1.
        held: Likewise what each node has, in whole numbers.
        whole: Likewise whether all bundles ask with Python integers.
    """

    def __init__(self, demands: Sequence[Resources], nodes: Sequence[Resources]) -> None:
        """Count bundles and nodes in whole numbers.

        Raises:
            InputError: ``quantity-malformed`` for a quantity that is negative, not finite or no number.
        """
        items = [tuple(demand.items()) for demand in demands]
        distinct = dict.fromkeys(items)
        asked: dict[str, dict[float, int]] = {}
        for shape in distinct:
            for name, value in shape:
                asked.setdefault(name, {})[value] = 0
        self.whole = {name: all(isinstance(value, int) for value in values) for name, values in asked.items()}
        self.units: dict[str, int] = {}
        self.held: dict[str, list[int]] = {}
        for name, values in asked.items():
            column = held_by(nodes, name)
            numbers = {value: _decimal(value, name) for value in {*values, *column}}
            digits = _digits(numbers.values(), name)
            self.units[name] = 10**digits
            values.update((value, _whole(numbers[value], digits, ROUND_CEILING)) for value in values)
            held = {value: _whole(numbers[value], digits, ROUND_FLOOR) for value in set(column)}
            self.held[name] = [held[value] for value in column]
        ranks = _ranks(distinct)
        made = {
            shape: Shape(
                {name: asked[name][value] for name, value in shape if value},
                frozenset(name for name, _ in shape),
                ranks[shape],
            )
            for shape in distinct
        }
        self.shapes = [made[shape] for shape in items]

    def order(self) -> list[int]:
        """Return the rows of the bundles in the order in which Ray packs them."""
        ranks = [shape.rank for shape in self.shapes]
        return sorted(range(len(ranks)), key=ranks.__getitem__, reverse=True)


def _ranks(distinct: Iterable[_Items]) -> dict[_Items, int]:
    """Return the place of each distinct bundle: more resources, then the larger sum, then names and quantities."""
    keys = {items: (len(items), sum(value for _, value in items), tuple(sorted(items))) for items in distinct}
    places = {key: place for place, key in enumerate(sorted(set(keys.values())))}
    return {items: places[key] for items, key in keys.items()}


def held_by(nodes: Iterable[Resources], name: str) -> list[float]:
    """Return how much each node has of a resource."""
    unlisted = 1.0 if name.startswith(_IMPLICIT_PREFIX) else 0.0
    return [node.get(name, unlisted) for node in nodes]


def _decimal(value: Any, name: str) -> Decimal:
    try:
        number = Decimal(value if isinstance(value, int) else "NaN" if isinstance(value, str) else repr(float(value)))
    except (TypeError, ValueError):
        number = Decimal("NaN")
    if not number.is_finite() or number < 0:
        hint = "a quantity is a finite number from 0"
        raise InputError("quantity-malformed", f"{value!r} cannot be asked for or offered", hint, name)
    return number


def _digits(numbers: Iterable[Decimal], name: str) -> int:
    """Return how many decimal digits all of these numbers need, or fewer where the largest leaves no room for them."""
    digits, largest = 0, Decimal(1)
    for number in numbers:
        exponent = number.normalize().as_tuple().exponent
        assert isinstance(exponent, int)  # noqa: S101 - the number is finite
        digits, largest = max(digits, -exponent), max(largest, number)
    if largest > _LARGEST:
        raise InputError("quantity-malformed", f"{largest} is too large", f"the most is {_LARGEST}", name)
    room = len(str(_LARGEST // int(largest.to_integral_value(ROUND_CEILING)))) - 1
    return min(digits, room)


def _whole(number: Decimal, digits: int, rounding: str) -> int:
    return int(number.scaleb(digits).to_integral_value(rounding))
