"""Orders in which a batch of tasks can be placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

from offermatch.tables.offers import OfferColumns
from offermatch.tables.tasks import TaskColumns

__all__ = ["ORDERS", "Order", "in_order"]

Order = Literal["given", "size"]
ORDERS: tuple[Order, ...] = get_args(Order)


def in_order(tasks: TaskColumns, offers: OfferColumns, order: Order) -> TaskColumns:
    """Return the tasks in an order.

    ``given`` is as they are. ``size`` has the largest first: by the squares of what is asked in each dimension, over the
    largest capacity in it, and of the devices likewise, summed. Equal ones stay as they stood.
    """
    if order == "given":
        return tasks
    capacity = offers.capacity or offers.available
    sizes = [0.0] * len(tasks)

    def add(asked: Sequence[int], most: int) -> None:
        for row, quantity in enumerate(asked):
            share = float(quantity) / float(most)
            sizes[row] += share * share

    for name, demand in tasks.demand.items():
        add(demand, max(capacity.get(name, ()), default=0) or 1)
    if tasks.devices is not None:
        add(tasks.devices, 1000 * offers.devices.most or 1)
    ordered = tasks.of_given(sorted(range(len(tasks)), key=lambda row: -sizes[row]))
    return replace(ordered, left_out=tasks.left_out)
