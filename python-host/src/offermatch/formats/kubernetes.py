"""Pods and nodes as ``kubectl get -o json`` or ``-o yaml`` prints them; docs/formats.md says what becomes of each field.

    pods that wait ──> tasks         nodes ──> offers, less what the pods on them hold

Both files are read together: what a pod tolerates is told by the taints of the nodes, and what a node has left by the pods
that run on it. What cannot be said as a task is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, TypeVar

from offermatch.errors import InputError
from offermatch.formats.ports import amounts_of, room_of
from offermatch.model import Offer, Requirement, Task, is_in, not_in
from offermatch.quantity import COUNT, MAXIMUM, UNITS, Unit, as_written, parse
from offermatch.tables.bad import BadRow, Rows, nameless
from offermatch.visible import called

__all__ = ["EMPTY", "Node", "Pod", "meets", "objects", "tables"]

EMPTY = "(empty)"
"""Stands for the empty value of a label, which Kubernetes tells apart from a label that is not there."""

_YES = "yes"
_HARD = ("NoSchedule", "NoExecute")
_UNSCHEDULABLE = ("node.kubernetes.io/unschedulable", "", "NoSchedule")
_MOST_PORT = 65535
_POD_LEVEL = ("cpu", "memory", "hugepages-")
_GIVE = "give what 'kubectl get pods -A -o json' and 'kubectl get nodes -o json' print"

_Object = Mapping[str, Any]
_Amounts = dict[str, int]
_Made = TypeVar("_Made", "Node", "Pod")


def objects(documents: Iterable[Any], source: str) -> list[tuple[_Object, str]]:
    """Return the objects of documents, lists taken apart, each with its place.

    Raises:
        InputError: ``file-malformed`` for what is no object of Kubernetes.
    """
    found: list[tuple[_Object, str]] = []
    for document in documents:
        items = document.get("items") if isinstance(document, Mapping) and "items" in document else [document]
        if not isinstance(items, list):
            raise _shape(f"{source}, items", "an array")
        kind = document.get("kind", "") if isinstance(document, Mapping) else ""
        for item in items:
            place = f"{source}, row {len(found)}"
            if not isinstance(item, Mapping):
                raise _shape(place, "an object")
            # In a list of one kind, as the API gives it, the items do not say theirs.
            found.append((item if "kind" in item else {**item, "kind": str(kind).removesuffix("List")}, place))
    return found


def tables(
    tasks: Sequence[tuple[_Object, str]], offers: Sequence[tuple[_Object, str]], source: str, offer_source: str
) -> tuple[Rows[Task], Rows[Offer]]:
    """Return the waiting pods of the first and the nodes of the second as rows; pods of either hold what they run on.

    A node is of no use where what a pod on it holds cannot be read.

    Raises:
        InputError: A file of other objects.
    """
    asking, offered = Rows[Task](source), Rows[Offer](offer_source)
    held: dict[str, _Amounts] = {}
    unclear: dict[str, str] = {}
    pods = _read(tasks, "Pod", Pod, asking, unclear)
    known = {pod.name for _, pod in pods}
    beside = [(row, pod) for row, pod in _read(offers, "Pod", Pod, offered, unclear) if pod.name not in known]
    read = _read(offers, "Node", Node, offered, {})
    for kind, given in (("Pod", tasks), ("Node", offers)):
        if given and not any(item["kind"] == kind for item, _ in given):
            raise InputError("file-malformed", f"there is no {kind}", _GIVE, given[0][1])
    for found, listed in ((asking, pods), (offered, beside)):
        for row, pod in listed:
            if pod.node and not pod.ended:
                with found.reading(row, pod.name):
                    _hold(pod, held, unclear)
    nodes: list[tuple[int, Node]] = []
    for row, node in read:
        if node.name in unclear:
            message = f"what {unclear[node.name]} holds of it cannot be read"
            hint = "mend the pod, or leave the node out"
            error = InputError("file-malformed", message, hint, called(f"{offer_source}, row {row}", node.name))
            offered.bad.append(BadRow(offer_source, row, node.name, error))
        else:
            nodes.append((row, node))
    there = [node for _, node in nodes]
    taints = dict.fromkeys(taint for node in there for taint in node.taints)
    resources = dict.fromkeys(name for node in there for name in node.allocatable)
    for row, pod in sorted((one for one in pods if one[1].waits), key=lambda one: -one[1].priority):
        with asking.reading(row, pod.name):
            amounts = pod.asked()
            asking.add(Task(pod.name, as_written(amounts), tuple(pod.requirements(there, taints))), row)
            resources.update(dict.fromkeys(amounts))
    for row, node in nodes:
        # Sorted, as kubectl prints them, because the order of dimensions is the order in which a score is summed up.
        offered.add(node.offer(sorted(resources), held.get(node.name, {})), row)
    return asking, offered


def _read(
    given: Sequence[tuple[_Object, str]],
    kind: str,
    make: Callable[[_Object, str], _Made],
    found: Rows[Any],
    unclear: dict[str, str],
) -> list[tuple[int, _Made]]:
    """Return the objects of a kind, each with its row; notes which nodes those that cannot be used are on."""
    made: list[tuple[int, _Made]] = []
    for row, (item, place) in enumerate(given):
        if item["kind"] != kind:
            continue
        before = len(found.bad)
        with found.reading(row, _written_name(item, kind)):
            made.append((row, make(item, place)))
        spec = item.get("spec")
        if len(found.bad) > before and isinstance(spec, Mapping) and _text(spec.get("nodeName")):
            unclear.setdefault(_text(spec["nodeName"]), _written_name(item, kind) or f"the pod in row {row}")
    return made


def _hold(pod: Pod, held: dict[str, _Amounts], unclear: dict[str, str]) -> None:
    try:
        _add(held.setdefault(pod.node, {}), pod.asked())
    except InputError:
        unclear.setdefault(pod.node, pod.name)
        raise


def _written_name(item: _Object, kind: str) -> str:
    """Return the name that an object has as far as it can be read; empty where it has none."""
    metadata = item.get("metadata")
    if not isinstance(metadata, Mapping):
        return ""
    name = _text(metadata.get("name"))
    return f"{_text(metadata.get('namespace')) or 'default'}/{name}" if name and kind == "Pod" else name


class Node:
    """A node.

    Attributes:
        name: Its name.
        labels: Its labels.
        allocatable: What pods may have of it, in the smallest unit.
        taints: Its taints that keep pods away, as key, value and effect; a cordon is one.
    """

    def __init__(self, item: _Object, place: str) -> None:
        """Read the object; an ``InputError`` names the place."""
        metadata = _part(item, "metadata", place)
        self.name = _name(metadata, place)
        self._place = f"{place} ({self.name})"
        spec, status = _part(item, "spec", self._place), _part(item, "status", self._place)
        self.labels = {key: _text(value) for key, value in _part(metadata, "labels", self._place).items()}
        there = status.get("allocatable")
        there = status.get("capacity") if _is_nothing(there) else there
        self.allocatable = _amounts(there, f"{self._place}, status.allocatable")
        self.taints = [
            (_text(one.get("key")), _text(one.get("value")), _text(one.get("effect")))
            for one in _list(spec, "taints", self._place)
            if _text(one.get("effect")) in _HARD
        ]
        if _text(spec.get("unschedulable")).lower() == "true" and _UNSCHEDULABLE not in self.taints:
            self.taints.append(_UNSCHEDULABLE)

    def offer(self, resources: Iterable[str], held: _Amounts) -> Offer:
        """Return what is left of the node once the pods on it have their part."""
        capacity = {name: self.allocatable.get(name, 0) if (room := room_of(name)) is None else room for name in resources}
        free = {name: max(0, there - held.get(name, 0)) for name, there in capacity.items()}
        return Offer(self.name, as_written(free), as_written(capacity), self.attributes())

    def attributes(self) -> dict[str, str | None]:
        """Return its name, labels and taints as what requirements are about."""
        attributes: dict[str, str | None] = {"metadata.name": self.name}
        for key, value in self.labels.items():
            attributes[key] = value or EMPTY
            attributes[f"exists:{key}"] = _YES
        attributes.update(dict.fromkeys(map(_taint, self.taints), _YES))
        return attributes


class Pod:
    """A pod.

    Attributes:
        name: Its namespace and name.
        node: The node that it is bound to; empty where it is not.
        priority: Its priority.
        ended: Whether it holds nothing any more.
        waits: Whether it is to be scheduled.
    """

    def __init__(self, item: _Object, place: str) -> None:
        """Read the object; an ``InputError`` names the place."""
        metadata = _part(item, "metadata", place)
        self.name = f"{_text(metadata.get('namespace')) or 'default'}/{_name(metadata, place)}"
        self._place = f"{place} ({self.name})"
        self._spec, status = _part(item, "spec", self._place), _part(item, "status", self._place)
        self.node = _text(self._spec.get("nodeName"))
        self.ended = _text(status.get("phase")) in ("Succeeded", "Failed")
        priority = _text(self._spec.get("priority")) or "0"
        try:
            self.priority = int(priority)
        except ValueError:
            raise _shape(f"{self._place}, spec.priority", "a whole number") from None
        # A pod with a gate is not scheduled before the gate is gone, and one that is being deleted never is.
        gated = bool(_list(self._spec, "schedulingGates", self._place))
        self.waits = not (self.node or self.ended or gated or metadata.get("deletionTimestamp"))

    def asked(self) -> _Amounts:
        """Return what the pod asks in all, as Kubernetes counts it.

        Init containers run one after the other, before the containers; those with restartPolicy Always stay beside all that
        comes after them. Overhead is added; what is asked for the pod as a whole replaces the sum.
        """
        containers: _Amounts = {}
        for one in _list(self._spec, "containers", self._place):
            _add(containers, self._container(one))
        beside: _Amounts = {}
        most: _Amounts = {}
        for one in _list(self._spec, "initContainers", self._place):
            now = self._container(one)
            if one.get("restartPolicy") == "Always":
                _add(containers, now)
                _add(beside, now)
                now = beside
            else:
                _add(now, beside)
            for name, amount in now.items():
                most[name] = max(most.get(name, 0), amount)
        total = {name: max(containers.get(name, 0), most.get(name, 0)) for name in {**containers, **most}}
        whole = self._resources(_part(self._spec, "resources", self._place), "spec.resources")
        total.update({name: amount for name, amount in whole.items() if name.startswith(_POD_LEVEL)})
        _add(total, _amounts(self._spec.get("overhead"), f"{self._place}, spec.overhead"))
        total["pods"] = 1
        total.update(amounts_of(self.ports()))
        return total

    def ports(self) -> list[tuple[int, str, str]]:
        """Return the ports of the host that the pod asks for, each with its protocol and address.

        Sidecars count, other init containers do not.
        """
        first = _list(self._spec, "initContainers", self._place)
        beside = [one for one in first if one.get("restartPolicy") == "Always"]
        found = []
        for container in (*_list(self._spec, "containers", self._place), *beside):
            for port in _list(container, "ports", self._place):
                number = _text(port.get("hostPort")) or "0"
                if not (number.isascii() and number.isdigit()) or int(number) > _MOST_PORT:
                    where = f"{self._place}, container {_text(container.get('name'))}, ports.hostPort"
                    raise InputError("file-malformed", f"{number} is no port", f"a port is 1 to {_MOST_PORT}", where)
                if int(number):
                    found.append((int(number), _text(port.get("protocol")), _text(port.get("hostIP"))))
        return found

    def _container(self, one: _Object) -> _Amounts:
        return self._resources(_part(one, "resources", self._place), f"container {_text(one.get('name'))}")

    def _resources(self, resources: _Object, where: str) -> _Amounts:
        """Return what is requested; where only a limit is set, the limit, as the API server has it."""
        limits = _amounts(resources.get("limits"), f"{self._place}, {where}, limits")
        return {**limits, **_amounts(resources.get("requests"), f"{self._place}, {where}, requests")}

    def requirements(
        self, nodes: Sequence[Node], taints: Iterable[tuple[str, str, str]], *, alone: bool = True
    ) -> list[Requirement]:
        """Return what a node must have: labels, names, and no taint that the pod does not tolerate.

        Args:
            nodes: The nodes that there are.
            taints: All their taints.
            alone: Whether nobody else looks at the rules about other pods, so that they are refused.

        Raises:
            InputError: A rule that cannot be said of one pod and one node.
        """
        selector = _part(self._spec, "nodeSelector", self._place)
        found = [is_in(key, _text(value) or EMPTY) for key, value in sorted(selector.items())]
        affinity = _part(self._spec, "affinity", self._place)
        if alone:
            self._refuse_rules_about_others(affinity)
        if self._spec.get("resourceClaims"):
            raise self._unsupported("a resource claim", "ask for an extended resource, or leave the pod out")
        node = _part(affinity, "nodeAffinity", self._place)
        required = _part(node, "requiredDuringSchedulingIgnoredDuringExecution", self._place)
        if required:
            found += self._terms(_list(required, "nodeSelectorTerms", self._place), nodes)
        tolerations = _list(self._spec, "tolerations", self._place)
        found += [not_in(_taint(one), _YES) for one in taints if not any(_tolerates(each, one) for each in tolerations)]
        return found

    def _terms(self, terms: Sequence[_Object], nodes: Sequence[Node]) -> list[Requirement]:
        """Return the requirements of terms, one of which must hold.

        Where they cannot be said of labels, because there are several or numbers are compared, they are said of the names of
        the nodes for which they hold.
        """
        each = [[*_list(term, "matchExpressions", self._place), *_list(term, "matchFields", self._place)] for term in terms]
        # A term without an expression matches nothing.
        each = [expressions for expressions in each if expressions]
        if len(each) == 1:
            said = [_said(one) for one in each[0]]
            if all(said):
                return [one for one in said if one is not None]
        holds = [
            node.name for node in nodes if any(all(self._holds(one, node) for one in expressions) for expressions in each)
        ]
        return [Requirement("metadata.name", tuple(holds))]

    def _holds(self, one: _Object, node: Node) -> bool:
        key, operator = _text(one.get("key")), _text(one.get("operator"))
        value = node.name if key == "metadata.name" else node.labels.get(key)
        values = list(map(_text, _list(one, "values", self._place)))
        found = meets(value, operator, values)
        if found is not None:
            return found
        if operator in ("Gt", "Lt") and len(values) == 1:
            # A label that is no whole number fails both.
            if value is None or not (_WHOLE.fullmatch(value) and _WHOLE.fullmatch(values[0])):
                return False
            return int(value) > int(values[0]) if operator == "Gt" else int(value) < int(values[0])
        hint = "the operators are In, NotIn, Exists, DoesNotExist, and Gt and Lt with one value"
        raise InputError("file-malformed", f"{operator!r} is no operator", hint, f"{self._place}, spec.affinity, {key}")

    def _refuse_rules_about_others(self, affinity: _Object) -> None:
        for rule in ("podAffinity", "podAntiAffinity"):
            if _list(_part(affinity, rule, self._place), "requiredDuringSchedulingIgnoredDuringExecution", self._place):
                raise self._unsupported(f"required {rule}", "prefer it, or leave the pod out")
        for one in _list(self._spec, "topologySpreadConstraints", self._place):
            if one.get("whenUnsatisfiable") != "ScheduleAnyway":
                raise self._unsupported("a topology spread constraint", "let it schedule anyway, or leave the pod out")

    def _unsupported(self, what: str, hint: str) -> InputError:
        return InputError("file-malformed", f"{what} cannot be said as a task", hint, f"{self._place}, spec")


def meets(value: str | None, operator: str, values: Collection[str]) -> bool | None:
    """Return whether a label (None: it is not there) meets an expression; None for an operator that some selectors lack."""
    match operator:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return None


_WHOLE = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


def _said(one: _Object) -> Requirement | None:
    """Return an expression as a requirement on a label; None where it is none."""
    key, values = _text(one.get("key")), one.get("values")
    known = tuple(_text(value) or EMPTY for value in values) if isinstance(values, list) else ()
    return {
        "In": Requirement(key, known),
        "NotIn": Requirement(key, known, excludes=True),
        "Exists": is_in(f"exists:{key}", _YES),
        "DoesNotExist": not_in(f"exists:{key}", _YES),
    }.get(_text(one.get("operator")))


def _tolerates(toleration: _Object, taint: tuple[str, str, str]) -> bool:
    key, value, effect = taint
    wanted, operator = _text(toleration.get("key")), _text(toleration.get("operator")) or "Equal"
    if _text(toleration.get("effect")) not in ("", effect) or wanted not in ("", key):
        return False
    if operator == "Exists":
        return True
    return operator == "Equal" and wanted != "" and _text(toleration.get("value")) == value


def _taint(taint: tuple[str, str, str]) -> str:
    key, value, effect = taint
    return f"taint:{key}={value}:{effect}"


def _amounts(given: Any, place: str) -> _Amounts:
    """Return resources in the smallest unit; parts of it count as one, as they do for Kubernetes."""
    if _is_nothing(given):
        return {}
    if not isinstance(given, Mapping):
        raise _shape(place, "an object")
    return {
        name: _whole(amount, f"{place}.{name}", UNITS["0.001"] if name == "cpu" else COUNT) for name, amount in given.items()
    }


def _whole(amount: Any, place: str, unit: Unit) -> int:
    # Thousands of nodes and pods have the same few amounts.
    with suppress(InputError):
        if isinstance(amount, str):
            return _of_text(amount, unit)
    return parse(_quantity(amount), place, unit, round_up=True)


@lru_cache(2**14)
def _of_text(amount: str, unit: Unit) -> int:
    return parse(amount, "", unit, round_up=True)


def _quantity(amount: Any) -> Any:
    return (
        amount if isinstance(amount, str) or amount is None else str(amount).lower() if isinstance(amount, bool) else amount
    )


def _add(amounts: _Amounts, more: _Amounts) -> None:
    for name, amount in more.items():
        amounts[name] = min(MAXIMUM, amounts.get(name, 0) + amount)


def _name(metadata: _Object, place: str) -> str:
    name = _text(metadata.get("name"))
    if not name:
        raise nameless(f"{place}, metadata.name")
    return name


def _part(whole: _Object, key: str, place: str) -> _Object:
    found = whole.get(key)
    if _is_nothing(found):
        return {}
    if not isinstance(found, Mapping):
        raise _shape(f"{place}, {key}", "an object")
    return found


def _list(whole: _Object, key: str, place: str) -> list[_Object]:
    found = whole.get(key)
    if _is_nothing(found):
        return []
    if not isinstance(found, list):
        raise _shape(f"{place}, {key}", "an array")
    if key != "values" and not all(isinstance(one, Mapping) for one in found):
        raise _shape(f"{place}, {key}", "an array of objects")
    return found


def _is_nothing(value: Any) -> bool:
    """Return whether a value stands for nothing: YAML writes that as an empty text, too."""
    return value is None or value == ""


def _text(value: Any) -> str:
    """Return a scalar as text: YAML is read without guesses at types, JSON has them."""
    if value is None or isinstance(value, (Mapping, list)):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shape(place: str, wanted: str) -> InputError:
    return InputError("file-malformed", f"not {wanted}", _GIVE, place)
