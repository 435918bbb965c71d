"""The columns of Alibaba's public OpenB GPU trace, read as they are; see docs/formats.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from offermatch.errors import InputError
from offermatch.model import Offer, Quantity, Requirement, Task
from offermatch.quantity import parse

__all__ = ["offers", "tasks"]

_MIB = 2**20


def tasks(header: Sequence[str], rows: Iterable[Sequence[str]], source: str) -> list[Task]:
    """Return the pods of a trace.

    Raises:
        InputError: ``missing-column``, or a quantity that cannot be read.
    """
    at = _positions(header, ("name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"), source)
    # The lists of the trace in which no pod asks for a model leave the column out.
    model = header.index("gpu_spec") if "gpu_spec" in header else None
    pods = []
    for number, cells in enumerate(rows):
        name, cpu, memory, count, thousandths = (cells[position] for position in at)
        models = "" if model is None else cells[model]
        place = f"{source}, row {number} ({name})"
        devices, share = _devices(count, thousandths, place)
        required = (Requirement("model", tuple(dict.fromkeys(models.split("|")))),) if models else ()
        pods.append(Task(name, _demand(cpu, memory, place), required, devices, share))
    return pods


def _devices(count: str, thousandths: str, place: str) -> tuple[int, int]:
    """Return whole devices and the share of one; ``thousandths`` is what is asked of each of the devices."""
    devices, each = _number(count, f"{place}, num_gpu"), _number(thousandths, f"{place}, gpu_milli")
    if devices == 0 and each == 0:
        return 0, 0
    if devices and each == 1000:
        return devices, 0
    if devices == 1 and 0 < each < 1000:
        return 0, each
    message = f"{each} thousandths of each of {devices} devices cannot be asked"
    hint = "ask for 1 to 999 thousandths of one device, for 1000 of each of several, or for 0 of none"
    raise InputError("devices-malformed", message, hint, f"{place}, gpu_milli")


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


def _demand(cpu: str, memory: str, place: str) -> dict[str, Quantity]:
    mebibytes = _number(memory, f"{place}, memory_mib")
    return {"cpu": f"{_number(cpu, f'{place}, cpu_milli')}m", "memory": parse(mebibytes * _MIB, f"{place}, memory_mib")}


def _number(cell: str, place: str) -> int:
    return parse(cell or 0, place)


def _positions(header: Sequence[str], names: Sequence[str], source: str) -> list[int]:
    for name in names:
        if name not in header:
            hint = "give the trace's own files, pods as tasks and nodes as offers"
            raise InputError("missing-column", f"there is no column {name!r}", hint, f"{source}, line 1")
    return [header.index(name) for name in names]
