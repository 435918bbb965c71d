"""``offermatch doctor``: what works, what is absent, what is broken, each with a remedy."""

import json
import sys
import sysconfig

import pytest

from offermatch.cli.main import run


def findings(capsys, *arguments):
    status = run(["doctor", "--json", *arguments])
    return status, {one["what"]: one for one in json.loads(capsys.readouterr().out)}


def test_here_everything_works_or_is_merely_absent(capsys):
    status, found = findings(capsys)
    assert status == 0
    assert {found[what]["state"] for what in ("offermatch", "matcher", "policies", "cache", "limits")} == {"works"}
    assert "best-fit" in found["policies"]["found"]
    assert all(one["remedy"] for one in found.values() if one["state"] != "works")


@pytest.mark.parametrize(("locked", "state"), [(False, "works"), (True, "absent")])
def test_a_python_without_a_global_lock_says_whether_it_is_on(capsys, monkeypatch, locked, state):
    variables = sysconfig.get_config_vars()
    monkeypatch.setitem(variables, "Py_GIL_DISABLED", 1)
    monkeypatch.setattr(sys, "_is_gil_enabled", lambda: locked, raising=False)
    _, found = findings(capsys)
    assert found["threads"]["state"] == state
    monkeypatch.setitem(variables, "Py_GIL_DISABLED", 0)
    assert "threads" not in findings(capsys)[1]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such modes")
def test_a_cache_that_others_can_write_to_is_broken(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path))
    tmp_path.chmod(0o777)
    status, found = findings(capsys)
    assert (status, found["cache"]["state"]) == (1, "broken")
    assert str(tmp_path) in found["cache"]["remedy"]


def test_limits_and_trust_that_are_malformed_are_broken(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_FUEL", "plenty")
    monkeypatch.setenv("OFFERMATCH_TRUST", str(tmp_path / "none.json"))
    status, found = findings(capsys)
    assert status == 1
    assert (found["limits"]["state"], found["trust"]["state"]) == ("broken", "broken")


def test_a_program_that_fails_is_broken(capsys, tmp_path, monkeypatch):
    program = tmp_path / "offermatch-stage"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("OFFERMATCH_STAGE_PROGRAM", str(program))
    status, found = findings(capsys)
    assert (status, found["offermatch-stage"]["state"]) == (1, "broken")


def test_a_store_is_opened_and_not_made(capsys, tmp_path):
    status, found = findings(capsys, "--store", f"sqlite:///{tmp_path}/none.db")
    assert (status, found["store"]["state"]) == (1, "broken")
    assert list(tmp_path.iterdir()) == []


def test_the_text_names_the_remedy(capsys, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CACHE", "off")
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "it is off" in out
    assert "hint: leave OFFERMATCH_CACHE out" in out
