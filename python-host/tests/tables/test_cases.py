"""The odd tables of tests/cases/rows and tests/cases/rules, which the Rust host answers likewise (tests/test_rows.py)."""

import json
from pathlib import Path

import pytest

from offermatch import InputError, Matcher, ReferenceMatcher

ROOT = Path(__file__).parents[3]


def cases(folder):
    files = sorted((ROOT / "tests" / "cases" / folder).glob("*.json"))
    return [pytest.param(case, id=f"{file.stem}: {case['case']}") for file in files for case in json.loads(file.read_text())]


CASES, RULES = cases("rows"), cases("rules")


def test_there_are_a_hundred_of_them_and_more():
    assert len(CASES) > 100
    assert len(RULES) > 100


def written(case, folder):
    paths = []
    for what in ("tasks", "offers"):
        path = folder / f"{what}.{'csv' if f'{what}_csv' in case else 'json'}"
        path.write_bytes(case[f"{what}_csv"].encode() if path.suffix == ".csv" else json.dumps(case[what]).encode())
        paths.append(path)
    return paths


@pytest.fixture(scope="module", params=["component", "reference"])
def with_rules(request):
    """Both that serve all rules."""
    return ReferenceMatcher() if request.param == "reference" else Matcher.load(ROOT / "target" / "matcher.wasm")


@pytest.mark.parametrize("case", CASES)
def test_odd_tables(packed, tmp_path, case):
    answered(packed, tmp_path, case)


@pytest.mark.parametrize("case", RULES)
def test_rules_in_tables(with_rules, tmp_path, case):
    answered(with_rules, tmp_path, case, mode="shared")


def answered(matcher, folder, case, **settings):
    tasks, offers = written(case, folder)
    if "placed" in case["outcome"]:
        answer = matcher.match(tasks, offers, **settings)
        assert dict(zip(answer.task_names, answer.offer_names, strict=True)) == case["outcome"]["placed"]
        return
    with pytest.raises(InputError) as caught:
        matcher.match(tasks, offers, **settings)
    found = caught.value
    assert found.code == case["outcome"]["code"]
    place = found.place.replace(f"{folder}/", "").replace(".json", "").replace(".csv", "")
    assert place == case["outcome"].get("place", place)
    assert found.message
    assert found.hint
