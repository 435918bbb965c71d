"""Text files to documents: JSON, JSON lines and YAML."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, NoReturn

from offermatch.errors import InputError
from offermatch.extras import require
from offermatch.formats import fault
from offermatch.quantity import units_of_file
from offermatch.reading import STANDARD_INPUT, read_table, unreadable
from offermatch.tables import most

__all__ = ["STANDARD_INPUT", "decoded", "documents", "json_rows", "text_of"]


_NOTHING = ("", "~", "null", "Null", "NULL")
"""How YAML writes a document of nothing, without quotes."""


def documents(path: Path) -> list[Any]:
    """Return the documents of a YAML or JSON file."""
    text = text_of(path)
    if text.lstrip().startswith(("{", "[")):
        found = decoded(text, path)
        return found if isinstance(found, list) else [found]
    require("yaml", "yaml")
    yaml = import_module("yaml")
    try:
        # Every scalar stays as it is written: YAML would make a number of a version, and a boolean of a "no".
        # A file that begins or ends with `---`, as files that were joined do, has a document of nothing there.
        return [document for document in yaml.load_all(text, _once(yaml)) if document is not None]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}, line {mark.line + 1}, column {mark.column + 1}" if mark else str(path)
        message = f"not YAML: {getattr(error, 'problem', error)}"
        raise InputError("file-malformed", message, "docs/formats.md shows the format", place) from error


def _once(yaml: Any) -> Any:
    """Return the loader that refuses a key that stands twice in one mapping, and tells a document of nothing from a text."""
    base = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

    def construct_mapping(self: Any, node: Any, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = base.construct_mapping(self, node, deep)
        if len(found) != len(node.value):
            seen = Counter(key.value for key, _ in node.value if isinstance(key.value, str))
            key = next(key for key, _ in node.value if isinstance(key.value, str) and seen[key.value] > 1)
            mark, problem = key.start_mark, f"the key {key.value!r} stands twice"
            raise yaml.constructor.ConstructorError(None, None, problem, mark)
        return found

    def construct_document(self: Any, node: Any) -> Any:
        is_nothing = isinstance(node, yaml.ScalarNode) and not node.style and node.value in _NOTHING
        return None if is_nothing else base.construct_document(self, node)

    return type("Once", (base,), {"construct_mapping": construct_mapping, "construct_document": construct_document})


def text_of(path: Path) -> str:
    """Return the text of a file of UTF-8.

    Raises:
        InputError: ``file-unreadable``, ``file-malformed`` or ``too-many-rows``.
    """
    try:
        return read_table(path).decode("utf-8-sig")
    except OSError as error:
        raise unreadable(error, str(path)) from error
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        place = f"{path}, line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
        raise InputError("file-malformed", "not UTF-8", "save it as UTF-8", place) from error


def json_rows(path: Path, key: str, form: str = "json") -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Return the objects of a JSON file or of JSON lines, and the units that the file declares.

    Numbers with a fraction are ``Decimal``.

    Args:
        path: The file.
        key: What the array is called where it stands in an object beside ``units``.
        form: ``json`` or ``jsonl``.

    Raises:
        InputError: ``file-unreadable``, ``file-malformed`` or ``too-many-rows``.
    """
    text = text_of(path)
    hint = f'the file is an array of objects, or {{"units": ..., "{key}": [...]}}; docs/formats.md shows the format'
    units: Any = None
    if form == "jsonl":
        lines = _lines(text)
        rows: Any = [decoded(line, path, at, is_line=True) for at, line in islice(lines, 1)]
        if rows and isinstance(rows[0], dict) and rows[0].keys() == {"units"}:
            units = rows.pop()["units"]
        if text.count("\n") >= most.MOST_ROWS:
            most.check_rows(len(rows) + sum(1 for _ in islice(_lines(text), 1, None)), str(path))
        rows += [decoded(line, path, at, is_line=True) for at, line in lines]
    else:
        most.check_json(text, str(path))
        rows = decoded(text, path)
        if isinstance(rows, dict) and key in rows and rows.keys() <= {"units", key}:
            units, rows = rows.get("units"), rows[key]
    if not isinstance(rows, list):
        raise InputError("file-malformed", "not an array", hint, f"{path}, line 1, column 1")
    for at, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError("file-malformed", f"{json.dumps(row, default=str)} is not an object", hint, f"{path}, row {at}")
    units = {} if units is None else units
    if not isinstance(units, dict) or not all(isinstance(unit, str) for unit in units.values()):
        hint = 'units is an object such as {"cpu": "millicores"}'
        raise InputError("file-malformed", f"{json.dumps(units, default=str)} are no units", hint, f"{path}, units")
    return rows, units_of_file(units, str(path))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not empty, each with its number."""
    at = begin = 0
    while begin <= len(text):
        end = text.find("\n", begin)
        end = len(text) if end < 0 else end
        line = text[begin:end]
        if line.strip(" \t\r"):
            yield at, line
        at, begin = at + 1, end + 1


def decoded(text: str, path: Path, before: int = 0, is_line: bool = False) -> Any:
    """Return a JSON value.

    Args:
        text: The file, or a line of it.
        path: The file, for errors.
        before: How many lines of the file stand before the text.
        is_line: Whether it is a line of JSON lines.

    Raises:
        InputError: ``file-malformed``.
    """

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    def number(digits: str) -> Decimal:
        try:
            return Decimal(digits)
        except InvalidOperation:
            # An exponent that Decimal does not have. One that is merely far out makes the same mistake of it.
            mantissa, _, exponent = digits.lower().partition("e")
            return Decimal(f"{mantissa}e{'-' if exponent.startswith('-') else ''}999999")

    def whole(digits: str) -> int | Decimal:
        # Python turns no more than 4,300 digits into an integer; what they are a quantity of says that they are too many.
        return int(digits) if len(digits) < 4000 else Decimal(digits)

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a key stands twice in one object")
        return found

    try:
        value = json.loads(text, parse_float=number, parse_int=whole, parse_constant=refuse, object_pairs_hook=once)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False, default=str).encode()
        fault.check_depth(text, value)
    except (RecursionError, ValueError) as error:
        try:
            fault.check(text, is_line)
        except fault.FaultError as found:
            raise found.in_file(str(path), before) from error
        hint = "docs/formats.md shows the format"
        raise InputError("file-malformed", f"not usable JSON: {error}", hint, str(path)) from error
    return value
