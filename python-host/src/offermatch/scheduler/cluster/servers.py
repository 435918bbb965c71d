"""What is free on one server, counted exactly."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from offermatch.errors import InputError
from offermatch.model import Offer
from offermatch.quantity import as_written
from offermatch.scheduler.cluster.abc import Launch
from offermatch.tables.devices import WHOLLY_FREE, Devices
from offermatch.tables.input import offer_columns
from offermatch.tables.offers import OfferColumns
from offermatch.verify.devices import take_devices

__all__ = ["Server", "Taken", "malformed", "measures_of", "offers_of", "refuse_occupants", "servers_of"]

_Value = TypeVar("_Value")


@dataclass(slots=True)
class Taken:
    """What one launch holds of a server.

    Attributes:
        demand: In each resource dimension, in the smallest unit.
        devices: Device numbers, and the thousandths held of each.
    """

    demand: Mapping[str, int]
    devices: Sequence[tuple[int, int]] = ()


class Server:
    """One server: what there is, what is free, and its devices.

    Attributes:
        name: The name of its offer.
        capacity: What there is in each resource dimension, in the smallest unit.
        free: What is free in each.
        attributes: Named properties.
        devices: The free thousandths of each device.
        measures: Numbers that are compared and not used up.
    """

    __slots__ = ("attributes", "capacity", "devices", "free", "measures", "name")

    def __init__(
        self,
        name: str,
        free: Mapping[str, int],
        capacity: Mapping[str, int] | None = None,
        attributes: Mapping[str, str | None] | None = None,
        devices: Sequence[int] = (),
        measures: Mapping[str, float] | None = None,
    ) -> None:
        """Start with so much free; the capacity is the same unless given."""
        self.name = name
        self.free = dict(free)
        self.capacity = dict(free if capacity is None else capacity)
        self.attributes = dict(attributes or {})
        self.devices = list(devices)
        self.measures = dict(measures or {})

    def shortage(self, launch: Launch) -> str:
        """Return what the launch asks beyond what is free; empty where it fits."""
        free = self.free
        _, _, _, demand, devices, share, _, _ = launch
        for dimension, asked in demand.items():
            if asked > free.get(dimension, 0):
                return f"{asked} {dimension} are asked, {free.get(dimension, 0)} are free"
        if devices and self.devices.count(WHOLLY_FREE) < devices:
            return f"{devices} whole devices are asked, {self.devices.count(WHOLLY_FREE)} are free"
        if share and max(self.devices, default=0) < share:
            return f"{share} thousandths of a device are asked, the freest has {max(self.devices, default=0)}"
        return ""

    def take(self, launch: Launch) -> Taken:
        """Take what a launch asks, which must be there; devices as docs/semantics.md says."""
        free = self.free
        _, _, _, demand, whole, share, _, _ = launch
        for dimension, asked in demand.items():
            if asked:
                free[dimension] -= asked
        thousandths = WHOLLY_FREE * whole or share
        if not thousandths:
            return Taken(demand)
        before = self.devices.copy()
        take_devices(self.devices, thousandths)
        pairs = enumerate(zip(before, self.devices, strict=True))
        return Taken(demand, [(number, was - left) for number, (was, left) in pairs if was != left])

    def give_back(self, taken: Taken) -> None:
        """Free what a launch held."""
        free = self.free
        for dimension, asked in taken.demand.items():
            if asked:
                free[dimension] += asked
        for number, thousandths in taken.devices:
            self.devices[number] += thousandths

    def offer(self) -> Offer:
        """Return what is free as an offer."""
        # What an earlier process let run may hold more than this one was told that there is.
        free = {dimension: max(0, left) for dimension, left in self.free.items()}
        devices = [max(0, left) for left in self.devices]
        written = as_written(free), as_written(self.capacity)
        return Offer(self.name, *written, dict(self.attributes), devices, dict(self.measures) or None)


def malformed(launch: Launch) -> str:
    """Return what is wrong with a launch's numbers; empty where they can be used."""
    _, _, _, demand, devices, share, _, _ = launch
    for dimension, asked in demand.items():
        if type(asked) is not int or asked < 0:
            return f"demand.{dimension} is {asked!r}, which is not a whole number of the smallest unit, 0 or more"
    if type(devices) is not int or devices < 0:
        return f"devices is {devices!r}, which is not a whole number, 0 or more"
    if type(share) is not int or not 0 <= share < WHOLLY_FREE:
        return f"device_share is {share!r}, which is not a whole number from 0 to {WHOLLY_FREE - 1}"
    if devices and share:
        return f"{devices} devices and a share of {share} are asked; a task asks for one of them"
    return ""


def refuse_occupants(offers: OfferColumns) -> None:
    """Refuse occupants of groups: who runs where the scheduler knows from its store.

    Raises:
        InputError: ``rule-unserved``.
    """
    if offers.occupants:
        hint = "leave occupants out of the servers of a cluster: the scheduler knows who runs where"
        place = f"{offers.source}, {next(iter(offers.occupants))}"
        raise InputError("rule-unserved", "a cluster does not serve groups", hint, place)


def servers_of(offers: Sequence[Offer] | OfferColumns) -> list[Server]:
    """Return one server an offer.

    Raises:
        InputError: An offer that cannot be used, or two of one name.
    """
    table = offer_columns(offers, None)
    refuse_occupants(table)
    names = list(table.available)
    free = _rows(table.available, names, len(table))
    capacity = free if table.capacity is None else _rows({**table.available, **table.capacity}, names, len(table))
    attributes = _rows(table.attributes, list(table.attributes), len(table))
    return [
        Server(name, free[row], capacity[row], attributes[row], table.devices.of(row), measures_of(table, row))
        for row, name in enumerate(table.names)
    ]


def measures_of(table: OfferColumns, row: int) -> dict[str, float]:
    """Return the measures of one offer that are set."""
    return {name: column[row] for name, column in table.measures.items() if not math.isnan(column[row])}


def offers_of(servers: Sequence[Server]) -> OfferColumns:
    """Return what is free on these servers, which have names of their own, as a table."""
    dimensions = dict.fromkeys(chain.from_iterable(server.free for server in servers))
    attributes = dict.fromkeys(chain.from_iterable(server.attributes for server in servers))
    table = OfferColumns(
        [server.name for server in servers],
        {name: array("Q", [max(0, server.free.get(name, 0)) for server in servers]) for name in dimensions},
        {name: array("Q", [server.capacity.get(name, 0) for server in servers]) for name in dimensions},
        {name: [server.attributes.get(name) for server in servers] for name in attributes},
        Devices.of_rows([max(0, left) for left in server.devices] for server in servers),
    )
    for name in dict.fromkeys(chain.from_iterable(server.measures for server in servers)):
        table.measures[name] = array("d", [server.measures.get(name, math.nan) for server in servers])
    return table


def _rows(columns: Mapping[str, Sequence[_Value]], names: Sequence[str], rows: int) -> list[dict[str, _Value]]:
    if not names:
        return [{} for _ in range(rows)]
    return [dict(zip(names, values, strict=True)) for values in zip(*(columns[name] for name in names), strict=True)]
