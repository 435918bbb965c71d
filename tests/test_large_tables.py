"""A table that is too large is refused by both hosts before memory is spent on it, whatever it is written in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROWS = 2**24
BYTES = 2**30
# What begins a file, the row that is repeated, and what ends it.
FORMS = {"json": ("[", "0,", "0]"), "jsonl": ("", "0\n", "0\n"), "csv": ("name\n", "a\n", "a\n")}


def _assert_refused(done: subprocess.CompletedProcess[str], host: str, place: str, counted: str) -> None:
    assert (done.returncode, done.stdout) == (1, ""), f"{host}: {done.stdout}{done.stderr}"
    error, _, hint = done.stderr.partition("\n")
    assert error.replace(",", "") == f"error[too-many-rows]: {place}: the table has more than {counted}", host
    assert hint == "hint: split the table, or see that it is the right one\n", host


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_too_many_rows_is_refused(hosts: Any, tmp_path: Path, form: str) -> None:
    begin, row, end = FORMS[form]
    path = tmp_path / f"tasks.{form}"
    path.write_text(begin + row * ROWS + end)
    for host in hosts:
        done = host.run("match", "--tasks", path, "--offers", path)
        _assert_refused(done, host.name, str(path), f"{ROWS} rows")


def test_a_file_of_too_many_bytes_is_refused(hosts: Any, tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.touch()
    os.truncate(path, BYTES + 1)
    for host in hosts:
        _assert_refused(host.run("match", "--tasks", path, "--offers", path), host.name, str(path), f"{BYTES} bytes")


def test_standard_input_that_does_not_end_is_refused(hosts: Any, tmp_path: Path) -> None:
    offers = tmp_path / "offers.json"
    offers.write_text("[]")
    for host in hosts:
        command = [*host.command, "match", "--format", "json", "--tasks", "-", "--offers", str(offers)]
        with Path("/dev/zero").open("rb") as endless:
            done = subprocess.run(command, stdin=endless, capture_output=True, text=True, timeout=600, check=False)
        _assert_refused(done, host.name, "-", f"{BYTES} bytes")
