"""The columns of Alibaba's public OpenB GPU trace, read as they are; see docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from offermatch.errors import InputError
from offermatch.model import Offer, Requirement, Task
from offermatch.quantity import parse

__all__ = ["offers", "tasks"]

_MIB = 2**20


def tasks(header: Sequence[str], rows: Iterable[Sequence[str]], source: str) -> list[Task]:
    """Return the pods of a trace.

    Raises:
        InputError: ``missing-column``, or a quantity that cannot be read.
    """
    at = _positions(header, ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli", "gpu_spec"), source)
    pods = []
    for number, cells in enumerate(rows):
        name, cpu, memory, count, thousandths, models = (cells[position] for position in at)
        place = f"{source}, row {number} ({name})"
        devices = _number(count, f"{place}, num_gpu")
        share = _number(thousandths, f"{place}, gpu_milli") if devices else 0
        shared = 0 < share < 1000
        if shared and devices != 1:
            message = f"{share} thousandths of each of {devices} devices cannot be asked"
            raise InputError("devices-malformed", message, "a share is of one device", f"{place}, gpu_milli")
        pods.append(
            Task(
                name,
                _demand(cpu, memory, place),
                (Requirement("model", tuple(dict.fromkeys(models.split("|")))),) if models else (),
                0 if shared else devices,
                share if shared else 0,
            )
        )
    return pods


def offers(header: Sequence[str], rows: Iterable[Sequence[str]], source: str) -> list[Offer]:
    """Return the nodes of a trace; the errors are those of ``tasks``."""
    at = _positions(header, ("sn", "cpu_milli", "memory_mib", "gpu", "model"), source)
    nodes = []
    for number, cells in enumerate(rows):
        name, cpu, memory, count, model = (cells[position] for position in at)
        place = f"{source}, row {number} ({name})"
        devices = _number(count, f"{place}, gpu")
        nodes.append(Offer(name, _demand(cpu, memory, place), attributes={"model": model or None}, devices=devices))
    return nodes


def _demand(cpu: str, memory: str, place: str) -> dict[str, int | str]:
    mebibytes = _number(memory, f"{place}, memory_mib")
    return {"cpu": _number(cpu, f"{place}, cpu_milli"), "memory": parse(mebibytes * _MIB, f"{place}, memory_mib")}


def _number(cell: str, place: str) -> int:
    return parse(cell or 0, place)


def _positions(header: Sequence[str], names: Sequence[str], source: str) -> list[int]:
    for name in names:
        if name not in header:
            hint = "give the trace's own files, pods as tasks and nodes as offers"
            raise InputError("missing-column", f"there is no column {name!r}", hint, f"{source}, line 1")
    return [header.index(name) for name in names]
