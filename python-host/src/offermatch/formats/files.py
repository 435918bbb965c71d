"""Files to rows: JSON and CSV as docs/formats.md describes them.

Errors name the file, the row and the column. Rows come back as ``Task`` and ``Offer``, their quantities still as written:
the table built from them reads and checks them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from offermatch.errors import InputError
from offermatch.formats import openb
from offermatch.model import Offer, Requirement, Task
from offermatch.tables.columns import OfferColumns, TaskColumns
from offermatch.tables.rows import offer_columns, task_columns
from offermatch.tables.shape import offer_from_mapping, task_from_mapping

__all__ = ["FORMATS", "chosen_format", "csv_rows", "csv_tasks", "json_rows", "read_offers", "read_tasks"]

FORMATS = ("auto", "json", "csv", "openb")
"""The formats; ``auto`` goes by the file's ending."""


def read_tasks(path: Path, form: str = "auto") -> TaskColumns:
    """Return the tasks in a file.

    Raises:
        InputError: The file or a row of it cannot be used.
    """
    source = str(path)
    chosen = chosen_format(path, form)
    if chosen == "json":
        rows = [task_from_mapping(row, f"{source}, row {at}") for at, row in enumerate(json_rows(path))]
        return task_columns(rows, source=source)
    header, cells = csv_rows(path)
    if chosen == "openb":
        return task_columns(openb.tasks(header, cells, source), source=source)
    return task_columns(csv_tasks(header, cells, source), source=source)


def read_offers(path: Path, form: str = "auto") -> OfferColumns:
    """Return the offers in a file; the errors are those of ``read_tasks``."""
    source = str(path)
    chosen = chosen_format(path, form)
    if chosen == "json":
        rows = [offer_from_mapping(row, f"{source}, row {at}") for at, row in enumerate(json_rows(path))]
        return offer_columns(rows, source=source)
    header, cells = csv_rows(path)
    if chosen == "openb":
        return offer_columns(openb.offers(header, cells, source), source=source)
    return offer_columns(_csv_offers(header, cells, source), source=source)


def chosen_format(path: Path, form: str) -> str:
    """Return the format of a file: the one named, or the one its ending tells.

    Raises:
        InputError: ``file-malformed``.
    """
    if form != "auto":
        return form
    ending = path.suffix.lower()
    if ending in (".json", ".csv"):
        return ending[1:]
    raise InputError("file-malformed", f"the ending {ending!r} tells no format", "name it with --format", str(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        hint = "check the path and its permissions"
        raise InputError("file-unreadable", error.strerror or str(error), hint, str(path)) from error
    except UnicodeDecodeError as error:
        hint = "save it as UTF-8"
        raise InputError("file-malformed", f"byte {error.start} is not UTF-8", hint, str(path)) from error


def json_rows(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON file, numbers with a fraction as ``Decimal``; the errors are those of ``read_tasks``."""
    text = _text(path)

    def refuse(constant: str) -> NoReturn:
        hint = "JSON knows no such number"
        raise InputError("file-malformed", f"{constant} is not JSON", hint, str(path))

    def number(digits: str) -> Decimal:
        try:
            return Decimal(digits)
        except InvalidOperation:
            # An exponent that Decimal does not have. One that is merely far out makes the same mistake of it.
            mantissa, _, exponent = digits.lower().partition("e")
            return Decimal(f"{mantissa}e{'-' if exponent.startswith('-') else ''}999999")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice = next(key for at, (key, _) in enumerate(pairs) if key in dict(pairs[:at]))
            raise InputError("file-malformed", f"the key {twice!r} stands twice in one object", "keep one", str(path))
        return found

    try:
        rows = json.loads(text, parse_float=number, parse_constant=refuse, object_pairs_hook=once)
    except json.JSONDecodeError as error:
        place = f"{path}, line {error.lineno}, column {error.colno}"
        raise InputError("file-malformed", f"not JSON: {error.msg}", "docs/formats.md shows the format", place) from error
    except (RecursionError, ValueError) as error:
        raise InputError(
            "file-malformed", f"not usable JSON: {error}", "docs/formats.md shows the format", str(path)
        ) from error
    if "\\u" in text:
        try:
            json.dumps(rows, ensure_ascii=False, default=str).encode()
        except UnicodeEncodeError as error:
            hint = "an escape from \\ud800 to \\udfff stands for half a character"
            raise InputError("file-malformed", "half of a surrogate pair stands alone", hint, str(path)) from error
    hint = "the file is an array of objects; docs/formats.md shows the format"
    if not isinstance(rows, list):
        raise InputError("file-malformed", "not an array", hint, f"{path}, line 1, column 1")
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError("file-malformed", f"{json.dumps(row, default=str)} is not an object", hint, f"{path}, row {at}")
    return rows


def csv_rows(path: Path) -> tuple[list[str], Iterator[list[str]]]:
    """Return the column names and the rows, each with as many cells; the errors are those of ``read_tasks``."""
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)

    def malformed(error: csv.Error) -> InputError:
        place = f"{path}, line {reader.line_num}"
        return InputError("file-malformed", f"not CSV: {error}", "quote cells as RFC 4180 says", place)

    try:
        header = next(reader, None)
    except csv.Error as error:
        raise malformed(error) from error
    if not header:
        raise InputError("missing-column", "the first line does not name columns", "begin with name,...", f"{path}, line 1")
    for at, name in enumerate(header):
        if name in header[:at]:
            raise InputError("file-malformed", f"the column {name!r} stands twice", "keep one", f"{path}, line 1")

    def cells() -> Iterator[list[str]]:
        try:
            for row in reader:
                if len(row) == len(header):
                    yield row
                elif row:
                    message = f"{len(row)} cells stand under {len(header)} columns"
                    raise InputError(
                        "file-malformed", message, "give each row as many cells", f"{path}, line {reader.line_num}"
                    )
        except csv.Error as error:
            raise malformed(error) from error

    return header, cells()


def csv_tasks(header: Sequence[str], rows: Iterator[list[str]], source: str, also: Sequence[str] = ()) -> list[Task]:
    """Return the tasks of CSV rows, in which ``also`` are columns of somebody else's; errors as of ``read_tasks``."""
    _check_header(header, ("name", "devices", "device_share", *also), ("demand.", "requires."), source)
    tasks = []
    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        tasks.append(
            Task(
                row["name"],
                _prefixed(row, "demand."),
                tuple(_requirement(name, cell) for name, cell in _prefixed(row, "requires.").items()),
                row.get("devices") or 0,  # type: ignore[arg-type]
                row.get("device_share") or 0,  # type: ignore[arg-type]
            )
        )
    return tasks


def _csv_offers(header: Sequence[str], rows: Iterator[list[str]], source: str) -> list[Offer]:
    _check_header(header, ("name", "devices"), ("available.", "capacity.", "attribute."), source)
    offers = []
    for cells in rows:
        row = dict(zip(header, cells, strict=True))
        devices: Any = row.get("devices") or 0
        if isinstance(devices, str) and "|" in devices:
            devices = [part for part in devices.split("|") if part.strip()]
        available = _prefixed(row, "available.")
        attributes: dict[str, str | None] = {**_prefixed(row, "attribute.")}
        offers.append(Offer(row["name"], available, _prefixed(row, "capacity.") or None, attributes, devices))
    return offers


def _prefixed(row: dict[str, str], prefix: str) -> dict[str, Any]:
    """Return the cells under columns with a prefix; an empty one is left out."""
    return {name[len(prefix) :]: cell for name, cell in row.items() if cell and name.startswith(prefix)}


def _requirement(attribute: str, cell: str) -> Requirement:
    excludes = cell.startswith("!")
    return Requirement(attribute, tuple(cell.removeprefix("!").split("|")), excludes)


def _check_header(header: Sequence[str], names: Sequence[str], prefixes: Sequence[str], source: str) -> None:
    if "name" not in header:
        raise InputError("missing-column", "there is no column 'name'", "name the rows", f"{source}, line 1")
    for column in header:
        if column not in names and not any(column.startswith(prefix) and len(column) > len(prefix) for prefix in prefixes):
            known = ", ".join([*names, *(prefix + "NAME" for prefix in prefixes)])
            raise InputError(
                "unknown-column", f"there is no column {column!r}", f"the columns are {known}", f"{source}, line 1"
            )
