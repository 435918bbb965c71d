"""Jobs as ``squeue --json`` and nodes as ``scontrol show node --json`` print them; docs/formats.md has each field.

Both files are read together: a job's partitions and features are said as the sets of them that nodes have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from offermatch.errors import InputError
from offermatch.model import Offer, Quantity, Requirement, Task, is_in
from offermatch.quantity import MAXIMUM, UNITS, parse
from offermatch.tables.bad import Rows, nameless
from offermatch.tables.columns import check_devices
from offermatch.visible import called

__all__ = ["tables"]

_MIB = 2**20
_GIVE = "give what 'squeue --json' prints as tasks, and what 'scontrol show node --json' prints as offers"
_WAITS_FOR_OTHERS = {"Dependency", "DependencyNeverSatisfied", "JobHeldUser", "JobHeldAdmin", "BeginTime"}
_USABLE = {"IDLE", "MIXED", "ALLOCATED"}
_UNUSABLE = {
    "DRAIN",
    "DRAINED",
    "DRAINING",
    "DOWN",
    "FAIL",
    "MAINT",
    "NOT_RESPONDING",
    "POWERING_DOWN",
    "RESERVED",
    "FUTURE",
}
_UNUSABLE |= {"REBOOT_ISSUED", "REBOOT_REQUESTED", "UNKNOWN", "ERROR", "INVALID_REG", "INVALID"}

_Row = Mapping[str, Any]
_Sets = dict[str, dict[str, frozenset[str]]]
"""Of partitions and of features, by how they are written."""


def tables(jobs: Any, nodes: Any, source: str, node_source: str) -> tuple[Rows[Task], Rows[Offer]]:
    """Return the waiting jobs and the nodes that can take some, as rows.

    Raises:
        InputError: A file without jobs, or without nodes.
    """
    asking, offered = Rows[Task](source), Rows[Offer](node_source)
    sets: _Sets = {"partitions": {}, "features": {}}
    for row, node in enumerate(_rows(nodes, "nodes", node_source)):
        name = _text(node.get("name"))
        with offered.reading(row, name):
            place = f"{node_source}, row {row}"
            offer = _offer(node, sets, called(place, name) if name else place)
            if offer is not None:
                offered.add(offer, row)
    tasks: list[tuple[tuple[int, int], int, Task]] = []
    for row, job in enumerate(_rows(jobs, "jobs", source)):
        name = _text(job.get("job_id"))
        with asking.reading(row, name):
            place = called(f"{source}, row {row}", name)
            is_pending = "PENDING" in _words(job, "job_state", place)
            waits = is_pending and _word(job, "state_reason", place) not in _WAITS_FOR_OTHERS
            priority = _number(job, "priority", place)
            if waits and priority != 0:
                order = -(priority or 0), _number(job, "job_id", place) or 0
                tasks += [(order, row, task) for task in _tasks(job, sets, place)]
    for _, row, task in sorted(tasks, key=lambda one: one[0]):
        asking.add(task, row)
    return asking, offered


def _rows(document: Any, key: str, source: str) -> list[_Row]:
    rows = document.get(key) if isinstance(document, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise InputError("file-malformed", f"there is no array of {key}", _GIVE, source)
    return rows


def _offer(node: _Row, sets: _Sets, place: str) -> Offer | None:
    """Return a node as an offer, None where it takes no jobs; its partitions and features are added to the sets."""
    name = _text(node.get("name"))
    if not name:
        raise nameless(f"{place}, name")
    # A star, a tilde and the like behind a state say more of it.
    said = _words(node, "state", place) + _words(node, "state_flags", place)
    states = {word.rstrip("*~#!%$@^-+").upper() for word in said}
    if not states & _USABLE or states & _UNUSABLE:
        return None

    def known(key: str) -> int:
        return _number(node, key, place) or 0

    cores = known("effective_cpus") or known("cpus")
    memory = max(0, known("real_memory") - known("specialized_memory"))
    there, used = (_gres(_word(node, key, place), f"{place}, {key}") for key in ("gres", "gres_used"))
    capacity: dict[str, Quantity] = {"cpu": cores, "memory": memory * _MIB}
    available: dict[str, Quantity] = {
        "cpu": max(0, cores - known("alloc_cpus")),
        "memory": max(0, memory - known("alloc_memory")) * _MIB,
    }
    attributes: dict[str, str | None] = {"node": name}
    devices = 0
    if sum(kind == "gpu" for kind, _ in there) > 1:
        message = f"the node has GPUs of several types: {_word(node, 'gres', place)}"
        raise InputError("devices-malformed", message, "give a node one type of GPU, or leave it out", f"{place}, gres")
    for (kind, model), count in there.items():
        free = max(0, count - sum(many for (same, _), many in used.items() if same == kind))
        if kind == "gpu":
            devices += free
            attributes["gpu"] = model or None
        else:
            capacity[f"gres/{kind}"], available[f"gres/{kind}"] = count, free
    for key, found in sets.items():
        words = frozenset(_words(node, "active_features" if key == "features" else key, place) or _words(node, key, place))
        written = ",".join(sorted(words))
        found[written] = words
        attributes[key] = written or "(none)"
    return Offer(name, available, capacity, attributes, check_devices(devices, f"{place}, gres"))


def _tasks(job: _Row, sets: Mapping[str, Mapping[str, frozenset[str]]], place: str) -> list[Task]:
    asked = dict(part.partition("=")[::2] for part in _word(job, "tres_req_str", place).split(",") if part)
    counted = asked.pop("node", "")
    nodes = parse(counted, f"{place}, tres_req_str, node") if counted else _number(job, "node_count", place)
    if (nodes or 1) > 1:
        hint = "ask for one node a task, or leave the job out"
        raise InputError("file-malformed", f"a job of {nodes} nodes cannot be said as a task", hint, f"{place}, node_count")
    demand: dict[str, Quantity] = {}
    devices, required = 0, []
    for name, amount in asked.items():
        column = f"{place}, tres_req_str, {name}"
        if name == "cpu":
            demand["cpu"] = f"{parse(amount, column, UNITS['cores'])}m"
        elif name == "mem":
            demand["memory"] = _memory(amount, column)
        elif name == "gres/gpu":
            devices = check_devices(parse(amount, column), column)
        elif name.startswith("gres/gpu:"):
            devices = max(devices, check_devices(parse(amount, column), column))
            required.append(is_in("gpu", name.partition(":")[2]))
        elif name.startswith("gres/"):
            demand[name.partition(":")[0]] = parse(amount, column)
    if not any(name.startswith("gres/") for name in asked):
        # Where the accounting does not count them, what is asked for a node stands apart.
        per_node = ",".join(re.split(r"^gres[:/]", part)[-1] for part in _word(job, "tres_per_node", place).split(","))
        for (kind, model), count in _gres(per_node, f"{place}, tres_per_node").items():
            if kind == "gpu":
                devices = check_devices(devices + count, f"{place}, tres_per_node")
                required += [is_in("gpu", model)] if model else []
            else:
                demand[f"gres/{kind}"] = count
    wanted = set(_words(job, "partition", place))
    if wanted:
        required.append(_among("partitions", sets["partitions"], lambda found: bool(found & wanted)))
    features = _word(job, "features", place)
    if features:
        required.append(_among("features", sets["features"], _expression(features, f"{place}, features")))
    name = _text(job.get("job_id"))
    array = _word(job, "array_task_string", place)
    names = [f"{name}_{index}" for index in _indices(array, f"{place}, array_task_string")] if array else [name]
    return [Task(one, demand, tuple(required), devices) for one in names]


def _among(attribute: str, sets: Mapping[str, frozenset[str]], holds: Any) -> Requirement:
    return Requirement(attribute, tuple(written or "(none)" for written, found in sets.items() if holds(found)))


def _expression(text: str, place: str) -> Any:
    """Return what tells whether a set of features fits ``a&b`` or ``a|b``."""
    if re.fullmatch(r"[^&|()\[\]*!]+(?:&[^&|()\[\]*!]+)*", text):
        return frozenset(text.split("&")).issubset
    if re.fullmatch(r"[^&|()\[\]*!]+(?:\|[^&|()\[\]*!]+)*", text):
        words = frozenset(text.split("|"))
        return lambda found: bool(found & words)
    hint = "join features by & or by |, not by both, without counts and brackets"
    raise InputError("file-malformed", f"the features {text!r} cannot be said as a requirement", hint, place)


def _memory(amount: str, place: str) -> int:
    """Return bytes: Slurm's K, M, G and T are powers of 1024, and a bare number is MiB."""
    suffix = amount[-1:]
    if suffix in "KMGTP" and suffix:
        return parse(amount[:-1], place, UNITS[f"{suffix}iB"])
    return parse(amount, place, UNITS["MiB"])


def _gres(text: str, place: str) -> dict[tuple[str, str], int]:
    """Return how many there are of each kind and type in ``gpu:a100:4(S:0-1),shard:8``."""
    found: dict[tuple[str, str], int] = {}
    # What stands in parentheses says which ones they are.
    for part in filter(None, re.sub(r"\([^)]*(\)|$)", "", text).split(",")):
        kind, *rest = part.split(":")
        counted = re.fullmatch(r"([0-9]{1,9})([KMGT]?)", rest[-1], re.ASCII) if rest else None
        count = int(counted[1]) * 1024 ** " KMGT".index(counted[2] or " ") if counted else 1
        model = rest[0] if len(rest) == 2 or (rest and not counted) else ""
        sum_of_kind = found.get((kind, model), 0) + count
        if not kind or len(rest) > 2 or (len(rest) == 2 and not counted) or sum_of_kind > MAXIMUM:
            raise InputError("devices-malformed", f"{text!r} is no list of resources", "as in gpu:a100:4", place)
        found[kind, model] = sum_of_kind
    return found


def _indices(text: str, place: str) -> Iterable[int]:
    """Return the tasks of an array that may start: ``0-9:2,20%4``, of which four run at a time."""
    ranges, _, most = text.partition("%")
    found: list[int] = []
    for part in ranges.split(","):
        match = re.fullmatch(r"([0-9]{1,7})(?:-([0-9]{1,7})(?::([1-9][0-9]{0,6}))?)?", part, re.ASCII)
        if match is None:
            raise InputError("file-malformed", f"{text!r} is no list of tasks", "as in 0-9, 1,3,5 or 0-99%10", place)
        found += range(int(match[1]), int(match[2] or match[1]) + 1, int(match[3] or 1))
    return found[: int(most)] if most.isdigit() and int(most) else found


def _number(row: _Row, key: str, place: str) -> int | None:
    """Return a number as Slurm's versions print it: bare, or an object that says whether it is set."""
    value = row.get(key)
    if isinstance(value, Mapping):
        value = value.get("number") if value.get("set", True) and not value.get("infinite") else None
    if value is None or value == "":
        return None
    return parse(value, f"{place}, {key}")


def _words(row: _Row, key: str, place: str) -> list[str]:
    """Return words as Slurm's versions print them: in an array, or joined by commas."""
    value = row.get(key)
    if isinstance(value, list):
        return [_written(one, f"{place}, {key}") for one in value]
    return [word for word in _word(row, key, place).split(",") if word]


def _word(row: _Row, key: str, place: str) -> str:
    """Return the text under a key; empty where there is none. What cannot be read may be what keeps a job from a node."""
    return _written(row.get(key), f"{place}, {key}")


def _written(value: Any, place: str) -> str:
    if isinstance(value, (Mapping, list, bool)):
        raise InputError("file-malformed", "not text", _GIVE, place)
    return _text(value)


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, (Mapping, list, bool)) else str(value)
