"""The shape of a pool, and the settings as the columns that cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from offermatch.model import Mode, Settings

__all__ = ["SettingColumns", "Shape", "setting_columns"]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many columns the tables of a pool have; see ``shape`` in the contract."""

    dimensions: int
    attributes: int = 0


@dataclass(frozen=True, slots=True)
class SettingColumns:
    """How to rank the offers; see ``settings`` in the contract for each column."""

    mode: Mode
    max_score: float
    weights: Sequence[float] = ()
    scales: Sequence[int] = ()


def setting_columns(settings: Settings, dimensions: Sequence[str]) -> SettingColumns:
    """Return settings in the pool's dimensions.

    Raises:
        InputError: ``setting-malformed``.
    """
    settings.checked()
    return SettingColumns(
        settings.mode, settings.score_limit, settings.weight_column(dimensions), settings.scale_column(dimensions)
    )
