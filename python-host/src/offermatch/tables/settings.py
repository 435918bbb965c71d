"""The shape of a pool, and the settings as the columns that cross."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from offermatch.model import Mode, Settings
from offermatch.tables.tables import Workload

__all__ = ["SettingColumns", "Shape", "setting_columns"]


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

    @property
    def score_limit(self) -> float:
        """What every score is below: ``max_score``, or infinity, which every finite score is below."""
        return math.inf if self.max_score is None else self.max_score


def setting_columns(settings: Settings, dimensions: Sequence[str]) -> SettingColumns:
    """Return settings in the pool's dimensions.

    Raises:
        InputError: ``setting-malformed``.
    """
    settings.checked()
    most = None if settings.max_score is None else float(settings.max_score)
    return SettingColumns(settings.mode, most, settings.weight_column(dimensions), settings.scale_column(dimensions))
