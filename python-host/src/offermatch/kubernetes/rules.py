"""What a pod asks about other pods, as it is written: spread that must hold, required affinity and anti-affinity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from offermatch.errors import InputError
from offermatch.formats.kubernetes import meets
from offermatch.kubernetes.api import Object
from offermatch.visible import visible

__all__ = ["Labels", "Namespaces", "Rules", "Spread", "Target", "Term"]

Labels = Mapping[str, str]

_Selector = tuple[tuple[str, str, tuple[str, ...]], ...]
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_KINDS = ("podAffinity", "podAntiAffinity")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


class Namespaces:
    """The namespaces that there are, with their labels; for one thread."""

    def __init__(self, labels: Mapping[str, Labels]) -> None:
        """Take the labels of each by its name."""
        self._labels = labels
        self._found: dict[_Selector, frozenset[str]] = {}

    def having(self, selector: _Selector) -> frozenset[str]:
        """Return those whose labels meet a selector."""
        found = self._found.get(selector)
        if found is None:
            found = frozenset(name for name, labels in self._labels.items() if _met(selector, labels))
            self._found[selector] = found
        return found


@dataclass(frozen=True, slots=True)
class Target:
    """The pods that a rule of one pod is about.

    Attributes:
        namespaces: Those that they are in; None for any.
        selector: What their labels meet, as key, operator and values; None is met by no pod, the empty one by each.
    """

    namespaces: frozenset[str] | None
    selector: _Selector | None

    def matches(self, namespace: str, labels: Labels) -> bool:
        """Return whether a pod is one of them."""
        if self.selector is None or (self.namespaces is not None and namespace not in self.namespaces):
            return False
        return _met(self.selector, labels)


@dataclass(frozen=True, slots=True)
class Term:
    """One term of affinity or anti-affinity.

    Attributes:
        key: The label of nodes whose values are the domains.
        selector: As in ``Target``.
        namespaces: Those that it names; where it names and selects none, that of the pod counts.
        namespaces_with: Labels of other namespaces that count; None where it asks for none, the empty one is met by each.
        alike: Labels of which those pods have the value that the pod has.
        unlike: Labels of which they have another one.
    """

    key: str
    selector: _Selector | None
    namespaces: frozenset[str]
    namespaces_with: _Selector | None
    alike: tuple[str, ...]
    unlike: tuple[str, ...]

    def target(self, namespace: str, labels: Labels, there: Namespaces) -> Target:
        """Return which pods it is about where it stands in a pod of this namespace with these labels."""
        selector = _merged(_merged(self.selector, "In", self.alike, labels), "NotIn", self.unlike, labels)
        if self.namespaces_with is None:
            return Target(self.namespaces or frozenset([namespace]), selector)
        return Target(self.namespaces | there.having(self.namespaces_with) if self.namespaces_with else None, selector)


@dataclass(frozen=True, slots=True)
class Spread:
    """One constraint of topology spread.

    Attributes:
        key: The label of nodes whose values are the domains.
        most_skew: So many more matching pods than the domain with the fewest may a domain have.
        least_domains: Where there are fewer domains, the fewest counts as 0.
        honors_affinity: Whether only nodes that the pod's own selector and affinity allow count.
        honors_taints: Whether only nodes whose taints the pod tolerates count.
        selector: As in ``Target``.
        alike: As in ``Term``.
    """

    key: str
    most_skew: int
    least_domains: int
    honors_affinity: bool
    honors_taints: bool
    selector: _Selector | None
    alike: tuple[str, ...]

    def target(self, namespace: str, labels: Labels) -> Target:
        """Return which pods it counts where it stands in a pod of this namespace with these labels."""
        return Target(frozenset([namespace]), _merged(self.selector, "In", self.alike, labels))


@dataclass(frozen=True, slots=True)
class Rules:
    """What a pod asks about other pods.

    Attributes:
        spread: The constraints that must hold.
        affinity: The terms of required affinity.
        apart: The terms of required anti-affinity.
        labels: The labels of the pod whose values decide which pods its rules are about.
    """

    spread: tuple[Spread, ...] = ()
    affinity: tuple[Term, ...] = ()
    apart: tuple[Term, ...] = ()
    labels: tuple[str, ...] = ()

    @classmethod
    def of(cls, spec: Object) -> Rules | None:
        """Return the rules of a pod's spec; None where it has none.

        Raises:
            InputError: A rule that cannot be read.
        """
        affinity = spec.get("affinity") or {}
        try:
            spread = tuple(
                _spread(one)
                for one in spec.get("topologySpreadConstraints") or []
                if one.get("whenUnsatisfiable") != "ScheduleAnyway"
            )
            together, apart = (tuple(map(_term, _required(affinity, kind))) for kind in _KINDS)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"a rule about other pods cannot be read: {visible(str(error))}"
            raise InputError("file-malformed", message, "write it as the API of Kubernetes has it", "pod, spec") from error
        if not (spread or together or apart):
            return None
        keys = [key for one in spread for key in one.alike]
        keys += [key for one in (*together, *apart) for key in (*one.alike, *one.unlike)]
        return cls(spread, together, apart, tuple(dict.fromkeys(keys)))


def _required(affinity: Object, kind: str) -> Sequence[Object]:
    return (affinity.get(kind) or {}).get(_REQUIRED) or []


def _spread(one: Object) -> Spread:
    return Spread(
        one["topologyKey"],
        int(one["maxSkew"]),
        int(one.get("minDomains") or 1),
        _is_honored(one.get("nodeAffinityPolicy") or "Honor"),
        _is_honored(one.get("nodeTaintsPolicy") or "Ignore"),
        _parsed(one.get("labelSelector")),
        tuple(one.get("matchLabelKeys") or ()),
    )


def _term(one: Object) -> Term:
    return Term(
        one["topologyKey"],
        _parsed(one.get("labelSelector")),
        frozenset(one.get("namespaces") or ()),
        _parsed(one.get("namespaceSelector")),
        tuple(one.get("matchLabelKeys") or ()),
        tuple(one.get("mismatchLabelKeys") or ()),
    )


def _is_honored(policy: str) -> bool:
    if policy not in ("Honor", "Ignore"):
        raise ValueError(f"{policy!r} is no policy: Honor or Ignore")
    return policy == "Honor"


def _met(selector: _Selector, labels: Labels) -> bool:
    return all(meets(labels.get(key), operator, values) for key, operator, values in selector)


def _parsed(selector: Any) -> _Selector | None:
    if selector is None:
        return None
    found = [(key, "In", (value,)) for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for one in selector.get("matchExpressions") or []:
        if one["operator"] not in _OPERATORS:
            raise ValueError(f"{one['operator']!r} is no operator: {', '.join(_OPERATORS)}")
        found.append((one["key"], one["operator"], tuple(one.get("values") or ())))
    return tuple(found)


def _merged(selector: _Selector | None, operator: str, keys: Iterable[str], labels: Labels) -> _Selector | None:
    """Return a selector that also asks for, or forbids, the values that a pod has."""
    if selector is None:
        return None
    return (*selector, *((key, operator, (labels[key],)) for key in keys if key in labels))
