"""Requirements and preferences as the store keeps them: JSON texts, one for each of the tasks that have any.

[["zone", ["a", "b"], false], ["gpu_memory", "at_least", 4e10]]        requirements
[[0.5, ["zone", ["a"], false]]]                                        preferences: a weight before each
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from offermatch.model import AnyRequirement, Comparison, Preference, Requirement
from offermatch.tables.tasks import TaskColumns

_T = TypeVar("_T")
_LEAST, _MOST = "at_least", "at_most"


def requirement_texts(columns: TaskColumns) -> list[str | None]:
    """Return the requirements of each row as text; None where it has none."""
    return _texts(columns.requirements, len(columns), _requirement)


def preference_texts(columns: TaskColumns) -> list[str | None]:
    """Return the preferences of each row as text; None where it has none."""
    return _texts(columns.preferences, len(columns), lambda one: [one.weight, _requirement(one.requirement)])


def requirements_of(texts: Sequence[str | None]) -> list[Sequence[AnyRequirement]] | None:
    """Return the requirements that texts hold; None where no task has any."""
    return _read(texts, _requirement_of)


def preferences_of(texts: Sequence[str | None]) -> list[Sequence[Preference]] | None:
    """Return the preferences that texts hold; None where no task has any."""
    return _read(texts, lambda one: Preference(_requirement_of(one[1]), one[0]))


def _texts(rows: Sequence[Sequence[_T]] | None, count: int, written: Callable[[_T], list[Any]]) -> list[str | None]:
    if rows is None:
        return [None] * count
    known: dict[tuple[_T, ...], str | None] = {(): None}
    found: list[str | None] = []
    for given in rows:
        key = tuple(given or ())
        if key not in known:
            known[key] = json.dumps([written(one) for one in key])
        found.append(known[key])
    return found


def _read(texts: Iterable[str | None], read: Callable[[Any], _T]) -> list[Sequence[_T]] | None:
    texts = list(texts)
    if not any(texts):
        return None
    known: dict[str | None, Sequence[_T]] = {None: ()}
    for text in set(texts) - {None}:
        assert text is not None  # noqa: S101 - for the type checker
        known[text] = tuple(map(read, json.loads(text)))
    return [known[text] for text in texts]


def _requirement(one: AnyRequirement) -> list[Any]:
    if isinstance(one, Requirement):
        return [one.attribute, list(one.values), one.excludes]
    # JSON has no infinity; as text it is read back as the same number.
    return [one.measure, _LEAST if one.is_least else _MOST, one.bound if math.isfinite(one.bound) else str(one.bound)]


def _requirement_of(given: Sequence[Any]) -> AnyRequirement:
    name, second, third = given
    if isinstance(second, list):
        return Requirement(name, tuple(second), third)
    return Comparison(name, float(third), second == _LEAST)
