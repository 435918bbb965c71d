"""Files to rows: JSON and CSV as docs/formats.md describes them.

Errors name the file, the row and the column. Rows come back as ``Task`` and ``Offer``, their quantities still as written:
the table built from them reads and checks them.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from offermatch.errors import InputError
from offermatch.extras import require
from offermatch.formats import kubernetes, openb, slurm
from offermatch.formats.documents import decoded, documents, json_rows, text_of
from offermatch.model import Offer, Task
from offermatch.quantity import check_comparable, check_units, unit_of, units_of_file
from offermatch.reading import STANDARD_INPUT, read_table, unreadable
from offermatch.requirements import double, measure_number, members
from offermatch.tables import cells, most
from offermatch.tables.bad import BadRows, nameless
from offermatch.tables.offers import OfferColumns
from offermatch.tables.remarks import refuse_unknown_units
from offermatch.tables.rows import offers_of_rows, tasks_of_rows
from offermatch.tables.shape import offer_from_mapping, task_from_mapping, unknown_column
from offermatch.tables.tasks import TaskColumns
from offermatch.visible import called

__all__ = [
    "FORMATS",
    "chosen_format",
    "csv_rows",
    "csv_tasks",
    "csv_units",
    "read_offers",
    "read_tables",
    "read_tasks",
    "read_workload",
]

FORMATS = ("auto", "json", "jsonl", "csv", "openb", "kubernetes", "slurm", "parquet")
"""The formats; ``auto`` goes by the file's ending."""

_ENDINGS = {".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


def read_tables(
    tasks: Path,
    offers: Path,
    form: str = "auto",
    units: Mapping[str, str] | None = None,
    bad_rows: BadRows = "refuse",
    dimensions: Sequence[str] | None = None,
) -> tuple[TaskColumns, OfferColumns]:
    """Return the tasks and the offers in two files, which some formats read together.

    Args:
        tasks: The file of tasks.
        offers: The file of offers.
        form: One of ``FORMATS``.
        units: As of ``read_tasks``, as is the next one.
        bad_rows: See there. A task that names another dimension is one of them.
        dimensions: The dimensions of the call; those of the offers unless given.

    Raises:
        InputError: As of ``read_tasks``.
    """
    sources = str(tasks), str(offers)
    if tasks == offers == STANDARD_INPUT:
        message, hint = (
            "standard input holds one table, and the tasks are read from it",
            "give a file for the tasks or for the offers",
        )
        raise InputError("setting-malformed", message, hint, "offers")
    if form == "kubernetes":
        pods, nodes = (kubernetes.objects(documents(path), str(path)) for path in (tasks, offers))
        rows = kubernetes.tables(pods, nodes, *sources)
    elif form == "slurm":
        rows = slurm.tables(decoded(text_of(tasks), tasks), decoded(text_of(offers), offers), *sources)
    elif bad_rows == "refuse":
        return _in_known_units(read_tasks(tasks, form, units), read_offers(offers, form, units), units)
    else:
        offered = read_offers(offers, form, units, bad_rows)
        known = _known(offered, dimensions)
        return _in_known_units(read_tasks(tasks, form, units, bad_rows, known), offered, units)
    if bad_rows == "refuse":
        rows[0].refuse()
    offered = offers_of_rows(rows[1], source=str(offers), bad_rows=bad_rows)
    known = None if bad_rows == "refuse" else _known(offered, dimensions)
    return _in_known_units(tasks_of_rows(rows[0], source=str(tasks), bad_rows=bad_rows, known=known), offered, units)


def _known(offers: OfferColumns, dimensions: Sequence[str] | None) -> Sequence[str] | None:
    """Return the dimensions that a task may name; None where it may name any."""
    return dimensions or (tuple(offers.available) if len(offers) else None)


def _in_known_units(
    tasks: TaskColumns, offers: OfferColumns, units: Mapping[str, str] | None
) -> tuple[TaskColumns, OfferColumns]:
    dimensions = [*offers.available, *tasks.demand, *tasks.named]
    refuse_unknown_units(dimensions, tasks, offers)
    check_units(units, dimensions)
    check_comparable((name for name in tasks.demand if name in offers.available), tasks.read_in, offers.read_in, "tasks")
    return tasks, offers


def read_tasks(
    path: Path,
    form: str = "auto",
    units: Mapping[str, str] | None = None,
    bad_rows: BadRows = "refuse",
    known: Sequence[str] | None = None,
) -> TaskColumns:
    """Return the tasks in a file.

    Args:
        path: The file; ``-`` is standard input.
        form: One of ``FORMATS``.
        units: What the numbers of a dimension are in, where the file does not say it.
        bad_rows: Whether to refuse the file where some of its rows cannot be used, or to leave these out.
        known: The dimensions that a task may name; all where not given.

    Raises:
        InputError: The file or a row of it cannot be used.
    """
    source = str(path)
    chosen = chosen_format(path, form)
    convert: Callable[[Any, str], Task]
    declared: Mapping[str, str] = {}
    if chosen in ("json", "jsonl"):
        rows, own = json_rows(path, "tasks", chosen)
        declared, convert = own, task_from_mapping
    elif chosen == "parquet":
        columns, own = _parquet(path, source)
        _check_header(list(columns), *_TASK_COLUMNS, source)
        units = {**(units or {}), **own}
        return tasks_of_rows(columns, source=source, units=units, bad_rows=bad_rows, known=known)
    else:
        header, written = csv_rows(path)
        if chosen == "openb":
            openb.check_columns(header, openb.PODS, source)
            own, convert = {}, openb.task
        else:
            header, own = csv_units(header, source)
            _check_header(header, *_TASK_COLUMNS, source)
            convert = _csv_task
        rows = [dict(zip(header, row, strict=True)) for row in written]
    units = {**(units or {}), **own}
    table = tasks_of_rows(rows, source=source, units=units, bad_rows=bad_rows, known=known, convert=convert)
    table.units = declared
    return table


def read_offers(
    path: Path, form: str = "auto", units: Mapping[str, str] | None = None, bad_rows: BadRows = "refuse"
) -> OfferColumns:
    """Return the offers in a file; the arguments and errors are those of ``read_tasks``."""
    source = str(path)
    chosen = chosen_format(path, form)
    convert: Callable[[Any, str], Offer]
    declared: Mapping[str, str] = {}
    if chosen in ("json", "jsonl"):
        rows, own = json_rows(path, "offers", chosen)
        declared, convert = own, offer_from_mapping
    elif chosen == "parquet":
        columns, own = _parquet(path, source)
        _check_header(list(columns), *_OFFER_COLUMNS, source)
        return offers_of_rows(columns, source=source, units={**(units or {}), **own}, bad_rows=bad_rows)
    else:
        header, written = csv_rows(path)
        if chosen == "openb":
            openb.check_columns(header, openb.NODES, source)
            own, convert, names = {}, openb.offer, header.index(openb.NODES[0])
        else:
            header, own = csv_units(header, source)
            _check_header(header, *_OFFER_COLUMNS, source)
            convert, names = _csv_offer, header.index("name")
        rows = [{**dict(zip(header, row, strict=True)), "name": row[names]} for row in written]
    units = {**(units or {}), **own}
    table = offers_of_rows(rows, source=source, units=units, bad_rows=bad_rows, convert=convert)
    table.units = declared
    return table


def read_workload(path: Path, form: str = "auto", units: Mapping[str, str] | None = None) -> list[tuple[Task, float]]:
    """Return the typical tasks in a file, each with its share: rows of tasks that have a ``share`` beside.

    Raises:
        InputError: As of ``read_tasks``, and ``workload-malformed`` for a share that cannot be.
    """
    source = str(path)
    chosen = chosen_format(path, form)
    rows: list[Any]
    declared: Mapping[str, str] = {}
    if chosen in ("json", "jsonl"):
        rows, own = json_rows(path, "tasks", chosen)
        tasks = [task_from_mapping(row, f"{source}, row {at}", ("share",)) for at, row in enumerate(rows)]
        declared = own
    elif chosen == "csv":
        header, written = csv_rows(path)
        header, own = csv_units(header, source)
        listed = list(written)
        rows = [dict(zip(header, row, strict=True)) for row in listed]
        tasks = csv_tasks(header, iter(listed), source, ("share",))
    else:
        hint = "give JSON, JSON lines or CSV"
        raise InputError("setting-malformed", f"rows of {chosen} have no share", hint, source)
    in_force = {**(units or {}), **own}
    table = tasks_of_rows(tasks, source=source, units=in_force)
    check_units(declared, table.demand, source)
    found = []
    for at, (task, row) in enumerate(zip(tasks, rows, strict=True)):
        place = called(f"{source}, row {at}", task.name) + ", share"
        share = row.get("share", "")
        if "share" not in row or (chosen == "csv" and not share):
            raise InputError("missing-column", "the share is missing", "say how often such a task comes", place)
        number = double(share.strip(cells.BLANKS) if isinstance(share, str) else share)
        if number is None or not math.isfinite(number) or number < 0:
            hint = "give a finite number, 0 or more"
            raise InputError("workload-malformed", f"the share {share!r} cannot be used", hint, place)
        demand = {name: unit_of(name, in_force).shown(column[at]) for name, column in table.demand.items() if column[at]}
        found.append((replace(task, demand=demand), number))
    return found


def _parquet(path: Path, source: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the columns of a Parquet file by the names that CSV has, and the units behind these."""
    require("parquet", "pyarrow")
    arrow = import_module("pyarrow.parquet")
    try:
        file = arrow.ParquetFile(io.BytesIO(read_table(path)))
        most.check_rows(file.metadata.num_rows, source)
        table = file.read()
    except OSError as error:
        raise unreadable(error, source) from error
    except (ValueError, NotImplementedError) as error:
        raise InputError("file-malformed", f"not Parquet: {error}", "write it anew", source) from error
    names, units = csv_units(table.column_names, source)
    return dict(zip(names, table.columns, strict=True)), units


def chosen_format(path: Path, form: str) -> str:
    """Return the format of a file: the one named, or the one its ending tells.

    Raises:
        InputError: ``file-malformed``.
    """
    if form in ("kubernetes", "slurm"):
        hint = "give the file of tasks and the file of offers together"
        raise InputError("setting-malformed", f"a file of {form} cannot be read alone", hint, str(path))
    if form != "auto":
        return form
    found = _ENDINGS.get(path.suffix.lower())
    if found is None:
        what = "standard input" if path == STANDARD_INPUT else "the ending of the name"
        hint = "name the format, such as json, jsonl or csv"
        raise InputError("file-malformed", f"{what} tells no format", hint, str(path))
    return found


def csv_rows(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """Return the column names and the rows, each with as many cells; the errors are those of ``read_tasks``."""
    text = text_of(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)

    def malformed(error: csv.Error, line: int) -> InputError:
        stray = _stray_quote(text)
        place = f"{path}, line {line if stray is None else len(_LINE_END.findall(text, 0, stray)) + 1}"
        return InputError("file-malformed", f"not CSV: {error}", "quote cells as RFC 4180 says", place)

    try:
        header = next(reader, None)
    except csv.Error as error:
        raise malformed(error, 1) from error
    if not header:
        raise nameless(f"{path}, line 1, name")
    _check_once(header, str(path))

    def cells() -> Iterator[list[str]]:
        line = 1
        try:
            if text.count("\n") + text.count("\r") > most.MOST_ROWS:
                # Counted before any of them is kept. The line of column names is one more.
                rows = csv.reader(io.StringIO(text, newline=""), strict=True)
                most.check_rows(sum(1 for row in islice(filter(None, rows), most.MOST_ROWS + 2)) - 1, str(path))
            line = reader.line_num + 1
            for row in reader:
                if len(row) == len(header):
                    yield row
                elif row:
                    message = f"{len(row)} cells stand under {len(header)} columns"
                    raise InputError("file-malformed", message, "give each row as many cells", f"{path}, line {line}")
                line = reader.line_num + 1
        except csv.Error as error:
            raise malformed(error, line) from error

    return header, cells()


def _check_once(header: Sequence[str], source: str) -> None:
    for at, name in enumerate(header):
        if name in header[:at]:
            raise InputError("file-malformed", f"the column {name!r} stands twice", "keep one", f"{source}, line 1")


_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"(?!")')
_CELL_END = re.compile(r"[,\r\n]")
_LINE_END = re.compile(r"\r\n?|\n")


def _stray_quote(text: str) -> int | None:
    """Return where a quoted cell goes on behind its closing quote, or begins and never ends."""
    at = 0
    while True:
        if text.startswith('"', at):
            quoted = _QUOTED.match(text, at)
            if quoted is None:
                return at
            at = quoted.end()
            if text[at : at + 1] not in ("", ",", "\r", "\n"):
                return at
        end = _CELL_END.search(text, at)
        if end is None:
            return None
        at = end.end()


def csv_tasks(header: Sequence[str], rows: Iterator[list[str]], source: str, also: Sequence[str] = ()) -> list[Task]:
    """Return the tasks of CSV rows, in which ``also`` are columns of somebody else's; errors as of ``read_tasks``."""
    names, prefixes = _TASK_COLUMNS
    _check_header(header, (*names, *also), prefixes, source)
    return [_csv_task(dict(zip(header, row, strict=True)), f"{source}, row {at}") for at, row in enumerate(rows)]


_TASK_COLUMNS = (
    ("name", "devices", "device_share", "group", "group.least", "group.together"),
    ("demand.", *cells.TASK_PREFIXES),
)
_OFFER_COLUMNS = (("name", "devices"), ("available.", "capacity.", *cells.OFFER_PREFIXES))
"""The columns of CSV, and the prefixes of others."""


def _csv_task(row: Mapping[str, str], place: str) -> Task:
    if not row["name"]:
        # It is refused for its name, with all others that have none.
        return Task("", {})
    named = called(place, row["name"])
    required, preferred = cells.asked_in_cells(row, named)
    return Task(
        row["name"],
        _prefixed(row, "demand."),
        required,
        row.get("devices") or 0,  # type: ignore[arg-type]
        row.get("device_share") or 0,  # type: ignore[arg-type]
        preferred,
        cells.group_in_cells(row, named),
    )


def _csv_offer(row: Mapping[str, str], place: str) -> Offer:
    if not row["name"]:
        return Offer("", {})
    named = called(place, row["name"])
    devices: Any = row.get("devices") or 0
    if isinstance(devices, str) and "|" in devices:
        devices = [part for part in devices.split("|") if part.strip()]
    attributes = {
        name: cells.text_cell(cell, f"{named}, attribute.{name}")
        for name, cell in cells.named_cells(row, "attribute.").items()
    }
    measures = {
        name: measure_number(cell, f"{named}, measure.{name}") for name, cell in cells.named_cells(row, "measure.").items()
    }
    occupants = {
        name: members(cell, 0, f"{named}, occupants.{name}") for name, cell in cells.named_cells(row, "occupants.").items()
    }
    available, capacity = _prefixed(row, "available."), _prefixed(row, "capacity.")
    return Offer(row["name"], available, capacity or None, attributes, devices, measures or None, occupants or None)


_QUANTITY_COLUMN = re.compile(r"((?:demand|available|capacity)\.(.+))\[([^\[\]]*)\]")


def csv_units(header: Sequence[str], source: str) -> tuple[list[str], dict[str, str]]:
    """Return the column names without the units behind them, as in ``demand.cpu[millicores]``, and these by dimension.

    Raises:
        InputError: ``file-malformed`` for a dimension with two units.
    """
    names: list[str] = []
    units: dict[str, str] = {}
    for column in header:
        match = _QUANTITY_COLUMN.fullmatch(column)
        names.append(match[1] if match else column)
        if match and units.setdefault(match[2], match[3]) != match[3]:
            message = f"{match[2]} is in {units[match[2]]} and in {match[3]}"
            raise InputError("file-malformed", message, "a dimension is in one unit", f"{source}, line 1")
    _check_once(names, source)
    return names, units_of_file(units, source)


def _prefixed(row: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """Return the cells under columns with a prefix; an empty one is left out."""
    return {name[len(prefix) :]: cell for name, cell in row.items() if cell and name.startswith(prefix)}


def _check_header(header: Sequence[str], names: Sequence[str], prefixes: Sequence[str], source: str) -> None:
    if "name" not in header:
        raise nameless(f"{source}, line 1, name")
    known = [*names, *(prefix + "NAME" for prefix in prefixes)]
    for column in header:
        is_known = column in names or any(column.startswith(prefix) and len(column) > len(prefix) for prefix in prefixes)
        if not is_known or cells.weighs_nothing(column, header):
            raise unknown_column(column, known, f"{source}, line 1")
