"""Where a text stops being JSON, and what to do about it.

A parser has refused the text already, and each parser names places and reasons of its own. So the text is read once more by
rules that both hosts share: ``read/fault.rs`` is the same in Rust, and ``tests/cases/json`` has what both say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from offermatch.errors import InputError
from offermatch.visible import LONGEST_NAME, visible

__all__ = ["FaultError", "check", "check_depth"]

_DEEPEST = 127
"""How deep arrays and objects stand in one another at most."""

_VALUE = "a value"
_NAME = "a name in double quotes"
_COLON = "a colon"

_COMMA = "leave the comma out"
_CUT = "the file is cut short: write it anew, or close what is open"
_CUT_LINE = "a line of JSON lines is one whole value: write the row on one line"
_ESCAPE = r"a backslash is written \\; other escapes are \" \/ \b \f \n \r \t and \u with four hexadecimal digits"
_NUMBER = "write a number as 10, -1, 0.5 or 1e3, or as text in double quotes"
_ONE = "a text of JSON is one value: put several into an array, or each on a line of JSON lines"
_QUOTES = "write names and texts in double quotes"
_SEPARATE = "separate values by commas, and close each [ with ] and each { with }"

_BLANKS = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"(?:true|false|null)(?![^ \t\n\r\[\]{},:\"])|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_ESCAPED = re.compile(r'\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4})')
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_FOUND = re.compile(r'[^ \t\n\r\[\]{},:"]+|.|\Z', re.DOTALL)


class FaultError(ValueError):
    """A text is not JSON.

    Attributes:
        line: The line where it stops being JSON, counted from 1.
        column: The character there, counted from 1.
        message: What is wrong.
        hint: What to do about it.
    """

    def __init__(self, text: str, at: int, message: str, hint: str) -> None:
        """Keep the parts apart; ``at`` is the character."""
        self.line, self.column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        self.message, self.hint = message, hint
        super().__init__(f"line {self.line}, column {self.column}: {message}")

    def in_file(self, path: str, before: int = 0) -> InputError:
        """Return the error of a file; ``before`` is how many lines of it stand before the text."""
        place = f"{path}, line {before + self.line}, column {self.column}"
        return InputError("file-malformed", self.message, self.hint, place)


def check(text: str, is_line: bool = False) -> None:
    """Read a text that a parser has refused, or a line of JSON lines, and say what is wrong with it.

    Raises:
        FaultError: It is not JSON; not raised where only the shape of its values can be wrong.
    """
    _Scanner(text, is_line).document()


def check_depth(text: str, value: Any) -> None:
    """Refuse a text that was read, and that a parser with a bound of its own would refuse on another machine.

    Raises:
        FaultError: Its arrays and objects stand deeper in one another than they may.
    """
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    # Most texts have no brackets any more once pairs are taken out a few times, which are two levels each time at most.
    # Others have some in their names.
    brackets = text.encode("utf-8", "surrogatepass").translate(None, _NO_BRACKETS)
    for _ in range(_DEEPEST // 2):
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if not brackets:
            return
    level = [value]
    for _ in range(_DEEPEST):
        level = [one for part in level for one in _inside(part)]
    if any(isinstance(one, (dict, list)) for one in level):
        check(text)


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class _Scanner:
    def __init__(self, text: str, is_line: bool) -> None:
        self.text, self.at = text, 0
        # What is open: an array, or an object with the names that stand in it already.
        self.open: list[set[str] | None] = []
        self.what, self.cut = ("line", _CUT_LINE) if is_line else ("file", _CUT)

    def document(self) -> None:
        while True:
            if self.opens():
                continue
            while True:
                end = self.at
                found = self.next()
                names = self.open[-1] if self.open else None
                close = "}" if names is not None else "]"
                if not self.open and not found:
                    return
                if self.open and found == ",":
                    self.at += 1
                    if self.next() == close:
                        self.unexpected(_VALUE if names is None else _NAME, _COMMA)
                    if names is not None:
                        self.name(names)
                    break
                if self.open and found == close:
                    self.close()
                    continue
                is_behind_number = self.at == end and self.text[end - 1] in "0123456789"
                if found and found in "]},:":
                    hint = _SEPARATE
                elif found and is_behind_number:
                    hint = _NUMBER
                else:
                    hint = _SEPARATE if self.open else _ONE
                self.unexpected(f"a comma or {close}" if self.open else "nothing more", hint)

    def opens(self) -> bool:
        """Read a value, or the begin of one, and return whether another has to follow."""
        bracket = self.next()
        if bracket == '"':
            self.string()
        elif bracket and bracket in "[{":
            if len(self.open) == _DEEPEST:
                message = f"nested deeper than {_DEEPEST} arrays and objects"
                self.fault(self.at, message, "no table is nested so deep: see that it is the right file")
            self.at += 1
            names: set[str] | None = set() if bracket == "{" else None
            self.open.append(names)
            if self.next() == ("]" if names is None else "}"):
                self.close()
                return False
            if names is not None:
                self.name(names)
            return True
        elif scalar := _SCALAR.match(self.text, self.at):
            self.at = scalar.end()
        else:
            self.unexpected(_VALUE, _QUOTES)
        return False

    def close(self) -> None:
        self.open.pop()
        self.at += 1

    def name(self, names: set[str]) -> None:
        """Read a name and its colon."""
        if self.next() != '"':
            self.unexpected(_NAME, _QUOTES)
        begin = self.at
        name = self.string()
        if name in names:
            self.fault(begin, f"the key {visible(name, LONGEST_NAME)} stands twice in one object", "keep one")
        names.add(name)
        if self.next() != ":":
            self.unexpected(_COLON, "put a colon between name and value")
        self.at += 1

    def string(self) -> str:
        """Read a text in double quotes."""
        begin = self.at
        self.at += 1
        while True:
            self.at = _PLAIN.match(self.text, self.at).end()  # type: ignore[union-attr]
            match self.text[self.at : self.at + 1]:
                case "":
                    self.ends()
                case '"':
                    break
                case "\\":
                    self.escape()
                case control:
                    hint = r'close the text with ", or write an escape such as \n or \t'
                    self.fault(self.at, f"{visible(control)} within a text", hint)
        self.at += 1
        # It was looked at character by character.
        return str(json.loads(self.text[begin : self.at]))

    def escape(self) -> None:
        """Read an escape; both halves of one that stands for half a character."""
        escaped = _ESCAPED.match(self.text, self.at)
        if escaped is None:
            length = 6 if self.text[self.at + 1 : self.at + 2] == "u" else 2
            rest = self.text[self.at : self.at + length]
            if len(rest) < length and '"' not in rest:
                self.ends()
            self.fault(self.at, f"{visible(rest.partition(chr(34))[0])} is no escape", _ESCAPE)
        if len(escaped[0]) == 6 and 0xD800 <= int(escaped[0][2:], 16) <= 0xDFFF:
            hint = r"an escape from \ud800 to \udfff stands for half a character"
            self.fault(self.at, "half of a surrogate pair stands alone", hint)
        self.at = escaped.end()

    def next(self) -> str:
        """Return the next character that is no blank; none at the end."""
        self.at = _BLANKS.match(self.text, self.at).end()  # type: ignore[union-attr]
        return self.text[self.at : self.at + 1]

    def ends(self) -> NoReturn:
        self.fault(len(self.text), f"the {self.what} ends within a text", self.cut)

    def unexpected(self, expected: str, hint: str) -> NoReturn:
        """Raise that something else stands here than was expected; what is found may say a better remedy."""
        found = _FOUND.match(self.text, self.at)[0]  # type: ignore[index]
        first = found[:1]
        if not found:
            hint = self.cut if self.text.strip(" \t\n\r") else "nothing is in the file; an empty table is []"
        elif found.lstrip("+-") in ("NaN", "nan", "Infinity", "inf"):
            hint = "JSON has no such number: leave it out"
        elif found.lstrip("+-") in ("True", "False", "None"):
            hint = "JSON writes true, false and null"
        elif first in "'`‘’“”":  # noqa: RUF001 - what stands for a double quote
            hint = _QUOTES
        elif first in "/#":
            hint = "JSON has no comments: leave them out"
        elif first in "+-." and expected == _VALUE:
            hint = _NUMBER
        elif first == "," and expected != _COLON:
            hint = _COMMA
        elif first in "]}" and hint == _QUOTES:
            hint = "write a value, or close each [ with ] and each { with }"
        elif first < " " or "\x7f" <= first <= "\xa0" or first == "\ufeff":
            hint = "only blanks, tabs and ends of lines stand between values"
        but = f"found {visible(found, LONGEST_NAME)}" if found else f"but the {self.what} ends"
        self.fault(self.at, f"expected {expected}, {but}", hint)

    def fault(self, at: int, message: str, hint: str) -> NoReturn:
        raise FaultError(self.text, at, message, hint)
