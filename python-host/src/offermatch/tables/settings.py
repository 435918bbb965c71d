"""The shape of a pool, and the settings as columns that are ready to cross."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from offermatch.model import Mode
from offermatch.tables.tables import Workload

__all__ = ["SettingColumns", "Shape"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many columns the tables of a pool have; see ``shape`` in the contract."""

    dimensions: int
    attributes: int = 0
    measures: int = 0


@dataclass(frozen=True, slots=True)
class SettingColumns:
    """How to rank the offers; see ``settings`` in the contract for each column."""

    mode: Mode
    max_score: float | None = None
    weights: Sequence[float] = ()
    scales: Sequence[int] = ()
    parameters: Sequence[float] = ()
    workload: Workload | None = None
    named_parameters: Mapping[str, float] = field(default_factory=dict)
    """The parameters by name, until the matcher that opens the pool has put them in its order."""
    raise_scales: bool = False
    """Whether scales taken from the offers follow larger capacities; a matcher of contract 0.2.0 keeps those of opening."""

    @property
    def score_limit(self) -> float:
        """What every score is below: ``max_score``, or infinity, which every finite score is below."""
        return math.inf if self.max_score is None else self.max_score
