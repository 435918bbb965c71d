"""The rule of devices of docs/semantics.md, as the host checks it.

It is written apart from the reference loop on purpose: what one gets wrong, the other finds.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["DEVICE", "devices_for", "take_devices"]

DEVICE = 1000
"""Thousandths of one device."""


def devices_for(free: Sequence[int], thousandths: int) -> tuple[int, ...] | None:
    """Return the numbers of the devices that a task gets; None where they do not serve it.

    Args:
        free: What is left of each device, in thousandths.
        thousandths: What the task asks for: a share below ``DEVICE``, or whole devices.
    """
    if thousandths >= DEVICE:
        wanted = thousandths // DEVICE
        numbers: list[int] = []
        for number, left in enumerate(free):
            if len(numbers) < wanted and left == DEVICE:
                numbers.append(number)
        return tuple(numbers) if len(numbers) == wanted else None
    if thousandths == 0:
        return ()
    tightest = None
    for number, left in enumerate(free):
        if left >= thousandths and (tightest is None or left < free[tightest]):
            tightest = number
    return None if tightest is None else (tightest,)


def take_devices(free: list[int], thousandths: int) -> bool:
    """Take the devices that a task gets, and return whether they were there to take."""
    numbers = devices_for(free, thousandths)
    for number in numbers or ():
        free[number] -= min(thousandths, DEVICE)
    return numbers is not None
