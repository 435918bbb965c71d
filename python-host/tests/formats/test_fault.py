"""What is no JSON is refused as tests/cases/json says, which the Rust host does likewise."""

import json
import random
from pathlib import Path

import pytest

from offermatch import InputError, Recording
from offermatch.formats import fault
from offermatch.formats.files import read_offers, read_tasks
from offermatch.recording.format import strict_json

FOLDER = Path(__file__).parents[3] / "tests/cases/json"
CASES = json.loads((FOLDER / "faults.json").read_text(encoding="utf-8"))
SHAPES = json.loads((FOLDER / "shapes.json").read_text(encoding="utf-8"))
CHANGED = 3000


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_text_that_is_no_json_is_refused_as_the_case_says(tmp_path, case):
    form = "json" if "json" in case else "jsonl"
    path = tmp_path / f"file.{form}"
    path.write_bytes(case[form].encode())
    for read in (read_tasks, read_offers, *((Recording.read,) if form == "json" else ())):
        with pytest.raises(InputError) as caught:
            read(path)
        error = caught.value
        assert (error.code, error.place) == ("file-malformed", f"{path}, line {case['line']}, column {case['column']}")
        assert (error.message, error.hint) == (case["message"], case["hint"])


@pytest.mark.parametrize("case", SHAPES, ids=[case["case"] for case in SHAPES])
def test_a_value_of_the_wrong_type_is_refused_as_the_case_says(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    path = Path(f"{case['table']}.json")
    path.write_text(json.dumps(case["rows"]), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        (read_tasks if case["table"] == "tasks" else read_offers)(path)
    assert [caught.value.code, caught.value.place, caught.value.hint] == [case["code"], case["place"], case["hint"]]


def test_the_scanner_refuses_what_the_parser_refuses():
    chance = random.Random("fault 1")
    document = [
        {"name": "ä\\n\u2028", "demand": {"cpu": -1.5e-3, "b": [0, True, None]}},
        {"x": {}, "y": [[]], "\U0001f600": ""},
    ]
    odd = [
        *'"\\[]{},:-+.01e \n\t\0\x7f\ufeff',
        "null",
        "nul",
        "NaN",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\/",
        '"x": 1,',
    ]
    refused = 0
    for _ in range(CHANGED):
        text = json.dumps(document, ensure_ascii=chance.random() < 0.5, indent=chance.choice([None, 1]))
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice([*odd, ""]) + text[at + chance.choice([0, 1, 2, len(text)]) :]
        # What is no JSON and no fault comes out as a plain ValueError.
        try:
            strict_json(text)
        except fault.FaultError:
            refused += 1
        else:
            fault.check(text)
    assert CHANGED / 20 < refused < CHANGED * 19 / 20


@pytest.mark.parametrize("beside", ["", "[", "}}"])
def test_what_is_nested_too_deeply(beside):
    for deep, refused in ((127, False), (128, True), (5000, True)):
        text = '{"a": ' * (deep - 1) + json.dumps([beside]) + "}" * (deep - 1)
        if refused:
            with pytest.raises(fault.FaultError, match=f"column {127 * 6 + 1}: nested deeper than 127"):
                strict_json(text)
        else:
            assert strict_json(text)
