"""The policies that the package carries."""

from __future__ import annotations

import hashlib
import json

import pytest

from offermatch import InputError, Matcher, policies
from offermatch.cli.main import run


def test_each_policy_is_a_matcher_of_that_policy() -> None:
    assert "best-fit" in policies.names()
    assert "strand" in policies.names()
    for name in policies.names():
        assert Matcher.load(policy=name).description.policy == name


def test_the_default_is_one_of_them() -> None:
    assert policies.component("best-fit") == policies.BUNDLED.read_bytes()
    assert Matcher.load().description.policy == "best-fit"


def test_a_policy_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(InputError, match="policy-unknown") as caught:
        Matcher.load(policy="best")
    assert "best-fit" in caught.value.hint


def test_a_path_and_a_policy_exclude_each_other() -> None:
    with pytest.raises(InputError, match="setting-malformed"):
        Matcher.load("some.wasm", policy="strand")


def test_the_command_lists_them_with_their_digests(capsys, tmp_path) -> None:
    assert run(["policies", "--json", "--write", str(tmp_path)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["policy"] for one in listed] == list(policies.names())
    assert [one["policy"] for one in listed if one["default"]] == ["best-fit"]
    for one in listed:
        written = (tmp_path / f"{one['policy']}.wasm").read_bytes()
        assert one["digest"] == "sha256:" + hashlib.sha256(written).hexdigest()
        assert one["size"] == len(written)


def test_a_policy_is_named_where_a_matcher_is(capsys) -> None:
    assert run(["match", "--sample", "uniform:20x10", "--mode", "shared", "--matcher", "worst-fit"]) == 0
    assert json.loads(capsys.readouterr().out)["matcher"]["policy"] == "worst-fit"
