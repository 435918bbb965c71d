"""The odd tables of tests/cases/rows, which the Rust host answers likewise (tests/test_rows.py)."""

import json
from pathlib import Path

import pytest

from offermatch import InputError

FILES = sorted((Path(__file__).parents[3] / "tests" / "cases" / "rows").glob("*.json"))
CASES = [pytest.param(case, id=f"{file.stem}: {case['case']}") for file in FILES for case in json.loads(file.read_text())]


def test_there_are_a_hundred_of_them_and_more():
    assert len(CASES) > 100


def written(case, folder):
    paths = []
    for what in ("tasks", "offers"):
        path = folder / f"{what}.{'csv' if f'{what}_csv' in case else 'json'}"
        path.write_bytes(case[f"{what}_csv"].encode() if path.suffix == ".csv" else json.dumps(case[what]).encode())
        paths.append(path)
    return paths


@pytest.mark.parametrize("case", CASES)
def test_odd_tables(packed, tmp_path, case):
    tasks, offers = written(case, tmp_path)
    if "placed" in case["outcome"]:
        answer = packed.match(tasks, offers)
        assert dict(zip(answer.task_names, answer.offer_names, strict=True)) == case["outcome"]["placed"]
        return
    with pytest.raises(InputError) as caught:
        packed.match(tasks, offers)
    found = caught.value
    assert found.code == case["outcome"]["code"]
    place = found.place.replace(f"{tmp_path}/", "").replace(".json", "").replace(".csv", "")
    assert place == case["outcome"].get("place", place)
    assert found.message
    assert found.hint
