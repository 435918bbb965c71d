"""The facts that both hosts and the documents share are written once, in tests/facts; everything else is held to them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from conftest import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CODE = re.compile(r"[a-z]+(-[a-z]+)*")


def facts(name: str, table: str) -> list[dict[str, Any]]:
    """Return the rows of one file of facts."""
    rows: list[dict[str, Any]] = tomllib.loads((ROOT / "tests" / "facts" / name).read_text())[table]
    assert rows
    return rows


ERRORS = facts("errors.toml", "error")
LIMITS = facts("limits.toml", "limit")


def table_of(document: str, columns: int) -> Iterator[list[str]]:
    """Yield the rows of the first table of a document that has so many columns."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / document).read_text().splitlines()
        if line.startswith("|")
    ]
    for row in rows:
        if len(row) == columns and not row[-1].startswith("---") and row[1] not in ("code", "environment"):
            yield row


def rust_codes(*folders: str) -> set[str]:
    """Return the texts in all functions called `code` of Rust sources."""
    found: set[str] = set()
    for folder in folders:
        for path in (ROOT / folder).rglob("*.rs"):
            for body in re.findall(r"\bfn code\(.*?\n    \}\n", path.read_text(), re.DOTALL):
                found.update(re.findall(r'"([a-z-]+)"', body))
    assert found
    return found


def python_trees() -> Iterator[ast.AST]:
    """Yield the syntax tree of each module of the Python host."""
    for path in (ROOT / "python-host" / "src").rglob("*.py"):
        yield ast.parse(path.read_text())


def test_an_error_has_one_row() -> None:
    keys = [(error["code"], error["group"]) for error in ERRORS]
    assert len(set(keys)) == len(keys)
    assert {host for error in ERRORS for host in error["hosts"]} == {"python", "rust", "stage"}


def test_the_document_of_errors_is_the_facts() -> None:
    shown, group = [], ""
    for first, codes, meaning in table_of("errors.md", 3):
        group = first.strip("`") or group
        shown += [(group, code, meaning) for code in re.findall(r"`([a-z-]+)`", codes)]
    rust_only = {True: " (Rust)", False: ""}
    assert shown == [
        (error["group"], error["code"], error["meaning"] + rust_only[error["hosts"] == ["rust"]]) for error in ERRORS
    ]


@pytest.mark.parametrize(("host", "folder"), [("rust", "host/library/src"), ("stage", "host/stage/src")])
def test_a_rust_crate_gives_the_codes_of_the_facts_and_no_others(host: str, folder: str) -> None:
    made = rust_codes(folder) | (rust_codes("host/program/src") if host == "rust" else set())
    assert made == {error["code"] for error in ERRORS if host in error["hosts"]}


def test_the_python_host_gives_the_codes_of_the_facts_and_no_others() -> None:
    known = {error["code"] for error in ERRORS}
    named: set[str] = set()
    for tree in python_trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.add(node.value)
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else ""
                code = node.args[0].value
                if name.endswith("Error") and isinstance(code, str) and CODE.fullmatch(code):
                    assert code in known, f"{name}({code!r}) has no row in tests/facts/errors.toml"
    # What is wrong with a quantity is put together from the word behind the dash.
    given = {error["code"] for error in ERRORS if "python" in error["hosts"]}
    assert {code for code in given if code not in named and code.removeprefix("quantity-") not in named} == set()


def test_the_document_of_limits_is_the_facts() -> None:
    shown = [row for row in table_of("trust.md", 4) if "OFFERMATCH_" in row[1]]
    assert shown == [
        [f"`{limit['name']}`", f"`OFFERMATCH_{limit['name'].upper()}`", limit["shown"], limit["limits"]] for limit in LIMITS
    ]


def test_both_hosts_have_the_limits_and_their_defaults(hosts: Any) -> None:
    for host in hosts:
        limits = host.answer("inspect", "--json")["limits"]
        assert limits == {limit["name"]: limit.get("default") for limit in LIMITS}, host.name


def test_a_default_is_shown_as_people_write_it() -> None:
    units = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    for limit in LIMITS:
        if "default" in limit:
            number, _, unit = limit["shown"].partition(" ")
            assert int(number.replace(",", "")) * units[unit] == limit["default"], limit["name"]


def test_the_document_of_environment_variables_is_complete() -> None:
    """Each variable that a source reads has a row, and each row a reader; limits have a table of their own."""
    limits = {f"OFFERMATCH_{limit['name'].upper()}" for limit in LIMITS}
    read: set[str] = set()
    for folder, ending in (("python-host/src", "*.py"), ("host", "*.rs"), ("guest", "*.sh")):
        for path in (ROOT / folder).rglob(ending):
            if "tests" not in path.parts:
                read.update(re.findall(r"\bOFFERMATCH_[A-Z_]*[A-Z]\b", path.read_text()))
    text = (ROOT / "docs" / "installing.md").read_text().partition("## Environment variables")[2]
    assert set(re.findall(r"`(OFFERMATCH_[A-Z_]+)`", text)) == read - limits
