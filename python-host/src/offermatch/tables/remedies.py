"""What would help a task that finds no offer, in sentences for people."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal

from offermatch.formats.ports import port_of
from offermatch.model import Check, Explanation
from offermatch.quantity import unit_of

__all__ = ["remedies"]

_BYTES = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def remedies(found: Explanation, units: Mapping[str, str] | None = None) -> list[str]:
    """Return what would help, the check that alone keeps most offers away first; empty where the matcher does not tell.

    What is missing is that of the nearest offer, rounded up.

    Args:
        found: How the offers stand to a task.
        units: What the numbers of a dimension are in, as of the settings.
    """
    if found.checks is None:
        return []
    sentences = []
    members = found.members
    if members is not None and members.placed + members.running < members.least:
        there = members.placed + members.running
        sentences.append(f"{there} of the {members.least} members that group {members.group} needs find an offer")
    if found.candidates:
        return sentences
    alone = sorted(((name, check) for name, check in found.checks.items() if check.alone), key=lambda named: -named[1].alone)
    sentences += [_sentence(name, check, found, units) for name, check in alone]
    if found.capable == 0:
        sentences.append("no offer in the list could hold it, even if it were empty")
    return sentences


def _sentence(name: str, check: Check, found: Explanation, units: Mapping[str, str] | None) -> str:
    offers = "1 offer lacks" if check.alone == 1 else f"{check.alone} offers lack"
    if name in found.by_dimension and (port := port_of(name)) is not None:
        return f"{offers} only port {port}, which is taken there"
    if name in found.by_dimension:
        return f"{offers} only {name}: {_quantity(name, int(check.missing), units)} more would be enough for the nearest"
    if name == "devices":
        return f"{offers} only devices: {int(check.missing)} thousandths more would be enough for the nearest"
    if name == "score":
        # An offer exactly at the limit misses nothing, and fails all the same.
        return f"{offers} only a lower score: a limit more than {check.missing:.6g} higher would admit the nearest"
    if name == "together":
        return f"{offers} only {found.words.get(name, 'the value')} of the group's members"
    if name.startswith("limit "):
        return f"{offers} only room under {found.words.get(name, name)}"
    nearest = f": the nearest is {check.missing:.6g} away" if check.missing else ""
    return f"{offers} only {found.words.get(name, f'what is asked by {name}')}{nearest}"


def _quantity(dimension: str, missing: int, units: Mapping[str, str] | None) -> str:
    unit = unit_of(dimension, units)
    if unit.kind == "bytes":
        name, size = next(((name, size) for name, size in _BYTES if missing >= size), ("bytes", 1))
        shown = (Decimal(missing) / size).quantize(Decimal("0.01"), ROUND_CEILING)
        return f"{_plain(shown)} {name}"
    if unit.kind == "cores":
        return "1 core" if missing == 1000 else f"{_plain(Decimal(missing) / 1000)} cores"
    return unit.shown(missing)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
