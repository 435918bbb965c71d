"""The table of what is asked for: each figure is read from what a bench wrote, and reached, missed or not measured."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

BENCHES = Path(__file__).parents[2] / "benches"


@pytest.fixture(scope="module")
def targets():
    spec = importlib.util.spec_from_file_location("targets", BENCHES / "targets.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["targets"] = module  # dataclasses look themselves up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["targets"]


ASKED = """
commit = "0000000"
[sources.cycle]
file = "cycle.json"
command = "bench cycle"
[sources.kinds]
file = "kinds.json"
command = "bench kinds"
[sources.count]
file = "count.json"
command = "bench count"
needs = "no-such-program"

[[figures]]
name = "a cycle"
sources = ["count", "cycle"]
where = { name = "cycle" }
now = "now_ms"
earlier = "before_ms"
unit = "ms"
judged = "before_ms / now_ms"
at_least = 3.0
[[figures]]
name = "sandbox, {name}"
sources = ["kinds"]
where = { bench = "kinds" }
now = "sandbox / untimed"
unit = "times"
at_most = 1.15
[[figures]]
name = "memory"
sources = ["kinds"]
where = { bench = "memory" }
now = "peak - before"
unit = "bytes"
at_most = 125829120
earlier = 94371840
earlier_by = "bench memory"
[[figures]]
name = "instructions, {kind}"
sources = ["count"]
now = "now"
unit = "instructions"
at_most = 1.0
"""


def rows(*named):
    return {"rows": list(named)}


def found(targets, folder, **files):
    for name, document in files.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
    report = targets.report(tomllib.loads(ASKED), folder)
    return report, {figure["name"]: figure for figure in report["figures"]}


def cycle(now, **more):
    return rows({"name": "submit", "now_ms": 1.0}, {"name": "cycle", "now_ms": now, **more})


def test_a_figure_is_reached_or_missed(targets, tmp_path):
    _, figures = found(targets, tmp_path, cycle=cycle(1000.0, before_ms=3000.0))
    assert (figures["a cycle"]["verdict"], figures["a cycle"]["judged"]) == ("reached", 3.0)
    report, figures = found(targets, tmp_path, cycle=cycle(1000.0, before_ms=2999.0))
    one = figures["a cycle"]
    assert (one["verdict"], one["now"], one["earlier"]) == ("missed", 1000.0, 2999.0)
    line = next(line for line in targets.table(report).splitlines() if line.startswith("| a cycle"))
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "a cycle",
        "1,000 ms",
        "2,999 ms",
        "at least 3.00x",
        "missed: 2.999x",
    ]


def test_the_worst_row_of_each_name_counts(targets, tmp_path):
    kinds = [
        {"name": "uniform", "mode": "shared", "sandbox": 1.2, "untimed": 1.1},
        {"name": "uniform", "mode": "exclusive", "sandbox": 1.5, "untimed": 1.2},
        {"name": "ties", "mode": "shared", "sandbox": 1.15, "untimed": 1.0},
    ]
    memory = [{"peak": 200 << 20, "before": 80 << 20}]
    benches = {"benches": [{"bench": "kinds", "rows": kinds}, {"bench": "memory", "rows": memory}]}
    report, figures = found(targets, tmp_path, kinds=benches)
    assert [figures[f"sandbox, {name}"]["now"] for name in ("uniform", "ties")] == [1.25, 1.15]
    assert [figures[f"sandbox, {name}"]["verdict"] for name in ("uniform", "ties")] == ["missed", "reached"]
    one = figures["memory"]
    assert (one["shown_now"], one["shown_earlier"], one["verdict"]) == ("120 MiB", "90.0 MiB", "reached")
    assert one["earlier_by"] == "bench memory"
    assert report["verdicts"] == {"reached": 2, "missed": 1, "not measured": 2}


def test_what_is_not_measured_says_why(targets, tmp_path):
    report, figures = found(targets, tmp_path)
    assert report["verdicts"] == {"reached": 0, "missed": 0, "not measured": 4}
    needs = "run bench count, which needs no-such-program; it is not installed"
    assert figures["instructions, (each)"]["reason"] == needs
    assert figures["a cycle"]["reason"] == f"{needs}; or run bench cycle"
    assert f"| not measured: {needs} |" in targets.table(report)
    _, figures = found(targets, tmp_path, cycle=rows())
    assert figures["a cycle"]["reason"] == f"{needs}; or cycle.json is without it"
    _, figures = found(targets, tmp_path, cycle=cycle(7.0))
    one = figures["a cycle"]
    assert (one["verdict"], one["shown_now"]) == ("not measured", "7.00 ms")
    assert one["reason"] == "run make bench-before for the earlier figure"
    _, figures = found(targets, tmp_path, kinds={"benches": [{"bench": "memory", "rows": [{"peak": None, "before": 1}]}]})
    assert figures["memory"]["reason"] == "peak - before has no number"
    _, figures = found(targets, tmp_path, kinds={"machine": {"quick": True}, "benches": []})
    assert figures["memory"]["reason"] == "kinds.json is of small inputs (--quick)"
    _, figures = found(targets, tmp_path, cycle={"commit": "1111111", "rows": []})
    assert figures["a cycle"]["reason"].endswith("cycle.json is beside 1111111")


@pytest.mark.parametrize(
    ("number", "limit", "unit", "text"),
    [
        (1.3, 1.3, "times", "1.30x"),
        (1.2999, 1.3, "times", "1.2999x"),
        (1.30004, 1.3, "times", "1.30004x"),
        (1.468, 1.3, "times", "1.47x"),
        (0.2507, 0.25, "ms", "251 us"),
        (0.2501, 0.25, "ms", "250.1 us"),
        (0.0588, 0.045, "ms", "58.8 us"),
        (12_345.0, 1.0, "ms", "12.3 s"),
        (64_912_345, 1, "instructions", "64.9 M"),
        (0, 1, "bytes", "0 MiB"),
    ],
)
def test_figures_have_three_digits_and_more_where_a_limit_is_near(targets, number, limit, unit, text):
    assert targets.beside(number, limit, unit) == text


def test_the_program_writes_the_table_and_ends_well_where_targets_are_missed(targets, tmp_path, monkeypatch, capsys):
    slow = rows({"name": "match 1 x 1, rows", "now_ms": 9.0})
    (tmp_path / "calls.json").write_text(json.dumps(slow))
    monkeypatch.setattr(sys, "argv", ["targets.py", "--figures", str(tmp_path)])
    targets.main()
    out = capsys.readouterr().out
    assert (tmp_path / "report.md").read_text() in out
    figures = {one["name"]: one for one in json.loads((tmp_path / "report.json").read_text())["figures"]}
    assert figures["match of 1 x 1, rows"]["verdict"] == "missed"


def test_every_figure_that_is_asked_for_can_be_judged(targets):
    asked = targets.ASKED
    for figure in asked["figures"]:
        assert set(figure["sources"]) <= set(asked["sources"]), figure["name"]
        assert ("at_most" in figure) != ("at_least" in figure), figure["name"]
        assert figure["unit"] in targets.UNITS, figure["name"]
        assert ("earlier_by" in figure) == (not isinstance(figure.get("earlier", ""), str)), figure["name"]
