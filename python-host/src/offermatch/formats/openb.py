"""The columns of Alibaba's public OpenB GPU trace, read as they are; see docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from offermatch.errors import InputError
from offermatch.model import Offer, Quantity, Requirement, Task
from offermatch.quantity import UNITS, parse
from offermatch.tables.columns import check_devices
from offermatch.visible import called

__all__ = ["NODES", "PODS", "check_columns", "offer", "offers", "task", "tasks"]

PODS = ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli")
NODES = ("sn", "cpu_milli", "memory_mib", "gpu", "model")
"""The columns that are read; the first has the names."""


def tasks(header: Sequence[str], rows: Iterable[Sequence[str]], source: str) -> list[Task]:
    """Return the pods of a trace.

    Raises:
        InputError: ``missing-column``, and as of ``task``.
    """
    check_columns(header, PODS, source)
    return [task(dict(zip(header, cells, strict=True)), f"{source}, row {at}") for at, cells in enumerate(rows)]


def offers(header: Sequence[str], rows: Iterable[Sequence[str]], source: str) -> list[Offer]:
    """Return the nodes of a trace; the errors are those of ``tasks``."""
    check_columns(header, NODES, source)
    return [offer(dict(zip(header, cells, strict=True)), f"{source}, row {at}") for at, cells in enumerate(rows)]


def task(row: Mapping[str, str], place: str) -> Task:
    """Return a pod of a trace.

    Raises:
        InputError: A quantity that cannot be read, or ``devices-malformed``.
    """
    place = called(place, row["name"])
    # The lists of the trace in which no pod asks for a model leave the column out.
    models = row.get("gpu_spec", "")
    devices, share = _devices(row["num_gpu"], row["gpu_milli"], place)
    required = (Requirement("model", tuple(models.split("|"))),) if models else ()
    return Task(row["name"], _demand(row, place), required, devices, share)


def _devices(count: str, thousandths: str, place: str) -> tuple[int, int]:
    """Return whole devices and the share of one; ``thousandths`` is what is asked of each of the devices."""
    devices = check_devices(_number(count, f"{place}, num_gpu"), f"{place}, num_gpu")
    each = _number(thousandths, f"{place}, gpu_milli")
    if devices == 0 and each == 0:
        return 0, 0
    if devices and each == 1000:
        return devices, 0
    if devices == 1 and 0 < each < 1000:
        return 0, each
    message = f"{each} thousandths of each of {devices} devices cannot be asked"
    hint = "ask for 1 to 999 thousandths of one device, for 1000 of each of several, or for 0 of none"
    raise InputError("devices-malformed", message, hint, f"{place}, gpu_milli")


def offer(row: Mapping[str, str], place: str) -> Offer:
    """Return a node of a trace; the errors are those of ``task``."""
    place = called(place, row["sn"])
    devices = check_devices(_number(row["gpu"], f"{place}, gpu"), f"{place}, gpu")
    return Offer(row["sn"], _demand(row, place), attributes={"model": row["model"] or None}, devices=devices)


def _demand(row: Mapping[str, str], place: str) -> dict[str, Quantity]:
    cpu = f"{_number(row['cpu_milli'], f'{place}, cpu_milli')}m"
    return {"cpu": cpu, "memory": parse(row["memory_mib"] or 0, f"{place}, memory_mib", UNITS["MiB"])}


def _number(cell: str, place: str) -> int:
    return parse(cell or 0, place)


def check_columns(header: Sequence[str], names: Sequence[str], source: str) -> None:
    """Refuse a table that does not have these columns.

    Raises:
        InputError: ``missing-column``.
    """
    for name in names:
        if name not in header:
            hint = "give the trace's own files, pods as tasks and nodes as offers"
            raise InputError("missing-column", f"there is no column {name!r}", hint, f"{source}, line 1, {name}")
