"""Are the tables what the contract asks for? What is not is refused before anything is touched."""

from collections.abc import Sequence
from itertools import pairwise
from math import inf, isfinite
from typing import Any, NoReturn

from componentize_py_types import Err
from rows import AT_LEAST, AT_MOST, DEVICE
from wit_world.exports.matching import (
    BadSetting,
    Cell,
    Changes,
    ColumnLength,
    Error_BadNumber,
    Error_BadSetting,
    Error_BrokenDevices,
    Error_ColumnLength,
    Error_OutOfRange,
    Error_RepeatedRow,
    Error_TooManyRows,
    Error_UnsupportedRule,
    Number,
    OfferTable,
    RowLimit,
    Rule,
    Settings,
    Shape,
    TaskTable,
)

MOST_ROWS = 1 << 24
"""The most rows of a pool, and of one task table."""
LARGEST = 2**32 - 1
"""The largest number of a ``u32`` column."""


def check_settings(settings: Settings, shape: Shape) -> None:
    """Refuse settings that a pool of this shape cannot use."""
    terms = shape.dimensions + 1
    if settings.max_score is not None:
        _usable("max-score", [settings.max_score])
    _length_or_empty("weights", settings.weights, terms)
    _length_or_empty("scales", settings.scales, terms)
    _usable("weights", settings.weights)
    _served(Rule.WORKLOAD, settings.workload is None)
    # This matcher takes none.
    _length("parameters", settings.parameters, 0)


def check_offers(offers: OfferTable, shape: Shape) -> None:
    """Refuse columns that do not fit together, and numbers out of their range."""
    _rows(offers.rows)
    cells = offers.rows * shape.dimensions
    _length("available", offers.available, cells)
    _length_or_empty("capacity", offers.capacity, cells)
    for at, (available, capacity) in enumerate(zip(offers.available, offers.capacity)):
        if available > capacity:
            _out_of_range("available", at // shape.dimensions, available, 0, capacity)
    _length("attributes", offers.attributes, offers.rows * shape.attributes)
    _length_or_empty("measures", offers.measures, offers.rows * shape.measures)
    _offsets("device-offsets", offers.device_offsets, offers.rows, "device-free", offers.device_free)
    _range("device-free", offers.device_free, 0, DEVICE)


def check_tasks(tasks: TaskTable, shape: Shape) -> None:
    """Refuse columns that do not fit together, and numbers out of their range."""
    _rows(tasks.rows)
    _length("demand", tasks.demand, tasks.rows * shape.dimensions)
    _length_or_empty("devices", tasks.devices, tasks.rows)
    for row, asked in enumerate(tasks.devices):
        if asked > DEVICE and asked % DEVICE:
            raise Err(Error_BrokenDevices(Cell("devices", row, asked, 0, LARGEST - LARGEST % DEVICE)))
    _requirements(tasks, shape)
    _length_or_empty("group-of", tasks.group_of, tasks.rows)
    _served(Rule.GROUPS, not any(tasks.group_of))


def check_changes(changes: Changes, shape: Shape, rows: int) -> None:
    """Refuse changes that a pool with so many rows cannot apply."""
    check_offers(changes.changed, shape)
    check_offers(changes.added, shape)
    _length("changed-rows", changes.changed_rows, changes.changed.rows)
    _rows(rows + changes.added.rows)
    for column, named in (("removed", changes.removed), ("changed-rows", changes.changed_rows)):
        for at, row in enumerate(named):
            if row >= rows:
                _out_of_range(column, at, row, 0, max(rows - 1, 0))
    named = sorted(changes.removed + changes.changed_rows)
    for row, following in pairwise(named):
        if row == following:
            raise Err(Error_RepeatedRow(row))
    _served(Rule.WORKLOAD, changes.workload is None)


def _requirements(tasks: TaskTable, shape: Shape) -> None:
    subjects = tasks.requirement_subjects
    count = len(subjects)
    _offsets("requirement-offsets", tasks.requirement_offsets, tasks.rows, "requirement-subjects", subjects)
    _length("requirement-kinds", tasks.requirement_kinds, count)
    _length_or_empty("requirement-bounds", tasks.requirement_bounds, count)
    _length_or_empty("requirement-weights", tasks.requirement_weights, count)
    _offsets("value-offsets", tasks.value_offsets, count, "values", tasks.values)
    for at, (kind, subject) in enumerate(zip(tasks.requirement_kinds, subjects)):
        if kind > AT_MOST:
            _out_of_range("requirement-kinds", at, kind, 0, AT_MOST)
        columns = shape.measures if kind >= AT_LEAST else shape.attributes
        if subject >= columns:
            _out_of_range("requirement-subjects", at, subject, 0, max(columns - 1, 0))
        if kind >= AT_LEAST:
            _length("requirement-bounds", tasks.requirement_bounds, count)
            _number("requirement-bounds", at, tasks.requirement_bounds[at], -inf)
    for at, weight in enumerate(tasks.requirement_weights):
        _number("requirement-weights", at, weight, 0.0)
    _range("values", tasks.values, 1, LARGEST)


def _served(rule: Rule, is_unused: bool) -> None:
    if not is_unused:
        raise Err(Error_UnsupportedRule(rule))


def _usable(setting: str, values: Sequence[float]) -> None:
    for position, value in enumerate(values):
        if not (isfinite(value) and value >= 0.0):
            raise Err(Error_BadSetting(BadSetting(setting, position, value)))


def _number(column: str, row: int, value: float, least: float) -> None:
    # No comparison holds of NaN.
    if not value >= least:
        raise Err(Error_BadNumber(Number(column, row, value, least, inf)))


def _rows(asked: int) -> None:
    if asked > MOST_ROWS:
        raise Err(Error_TooManyRows(RowLimit(asked, MOST_ROWS)))


def _length(column: str, values: Sequence[Any], expected: int) -> None:
    if len(values) != expected:
        raise Err(Error_ColumnLength(ColumnLength(column, expected, len(values))))


def _length_or_empty(column: str, values: Sequence[Any], expected: int) -> None:
    if values:
        _length(column, values, expected)


def _range(column: str, values: Sequence[int], least: int, most: int) -> None:
    for at, value in enumerate(values):
        if not least <= value <= most:
            _out_of_range(column, at, value, least, most)


def _offsets(column: str, offsets: Sequence[int], rows: int, flat_column: str, flat: Sequence[Any]) -> None:
    """Refuse offsets that fall, begin above zero or do not end at the length of their column."""
    if not offsets:
        _length(flat_column, flat, 0)
        return
    _length(column, offsets, rows + 1)
    least = most = 0
    for at, offset in enumerate(offsets):
        if not least <= offset <= most:
            _out_of_range(column, at, offset, least, most)
        least, most = offset, LARGEST
    _length(flat_column, flat, least)


def _out_of_range(column: str, row: int, value: int, least: int, most: int) -> NoReturn:
    raise Err(Error_OutOfRange(Cell(column, row, value, least, most)))
