"""The benchmarks measure what they say: the loops give the component's answer, and every row says how it was measured."""

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pyperf
import pytest

from offermatch import LyingMatcherError, Matcher, ReferenceMatcher
from offermatch.bench import svg, talk, traced
from offermatch.bench.loops import LOOPS, Row, rows_of
from offermatch.cli.main import run
from offermatch.sample import parse_sample
from offermatch.tables.input import offer_columns, task_columns


def command(capsys, *arguments):
    status = run(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def answered(name, text):
    """Return the offer of each task by the loop, as the reference gives it too."""
    tasks, offers = parse_sample(text).rows()
    asked, offered = rows_of(task_columns(tasks), offer_columns(offers))
    scales = (max(row.cpu for row in offered), max(row.memory for row in offered))
    listed, found = list(range(len(offered))), {}
    with LOOPS[name](offered, scales, 2) as loop:
        for task in asked:
            best = loop.best(task)
            if best.position >= 0:
                found[task.name] = (offered[listed[best.position]].name, best.score)
                loop.remove(best.position)
                listed[best.position] = listed[-1]
                listed.pop()
    expected = ReferenceMatcher().match(tasks, offers).assignments
    return found, {one.task: (one.offer, one.score) for one in expected}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("text", ["uniform:60x50", "ties:30x40", "nothing-fits:20x20", "realistic:60x20"])
def test_the_loops_of_the_talk_give_the_reference_answer(name, text):
    found, expected = answered(name, text)
    assert found == expected


@pytest.mark.parametrize("every", [1, 3, 7])
def test_a_replay_looks_at_an_even_share_and_checks_each_look(every):
    tasks, offers = parse_sample("uniform:90x70").rows()
    answer = ReferenceMatcher().match(tasks, offers)
    chosen = dict(zip(answer.task_rows, answer.offer_rows, strict=True))
    asked, offered = rows_of(task_columns(tasks), offer_columns(offers))
    scales = (max(row.cpu for row in offered), max(row.memory for row in offered))
    known = talk._Known([chosen.get(row, -1) for row in range(90)], scales)
    with LOOPS["Python loop, 1 thread"](offered, scales, 1) as loop:
        spent, fit, looks = talk._replay(loop, asked, 70, known, every)
    assert looks == len(range(every // 2, 90, every))
    assert 0 < fit < spent
    wrong = known._replace(offers=[*known.offers[:-1], known.offers[0]])
    with LOOPS["Python loop, 1 thread"](offered, scales, 1) as loop, pytest.raises(LyingMatcherError, match="task row 89"):
        talk._replay(loop, asked, 70, wrong, 1)


NATIVE = {
    "rows": [
        {
            "name": "native loop, 1 thread",
            "tasks": 40,
            "offers": 30,
            "fraction": 0.5,
            "total_ms": 900.0,
            "fit_check_ms": 500.0,
        },
        {"name": "component, from Rust", "tasks": 40, "offers": 30, "total_ms": 9},
        {"name": "native loop, 1 thread", "tasks": 9, "offers": 9, "total_ms": 1},
    ]
}


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(talk, "QUICK_SIZES", ((40, 30),))
    monkeypatch.setattr(talk, "_QUICK_SECONDS", 0.02)


@pytest.fixture
def plain(small, monkeypatch):
    """Leave the loops out that take long to start."""
    monkeypatch.setattr(talk, "LOOPS", {"Python loop, 1 thread": LOOPS["Python loop, 1 thread"]})


def program(tmp_path, body):
    path = tmp_path / "rust-host"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_the_table_of_the_talk(capsys, tmp_path, small):
    host = program(tmp_path, f"echo '{json.dumps(NATIVE)}'")
    arguments = ["--quick", "--rust-host", host, "--json", str(tmp_path / "talk.json"), "--svg", str(tmp_path / "svg")]
    status, out, err = command(capsys, "bench", "talk", *arguments)
    assert status == 0
    assert "measuring" in err
    document = json.loads((tmp_path / "talk.json").read_text())
    rows = {row["name"]: row for row in document["rows"]}
    assert [name for name in rows if name not in out] == []
    assert len(rows) == 7
    assert len({name.split(",")[0] for name in rows}) == 3
    assert rows["component, from Rust"]["faster_than_native_loop"] == 100.0
    assert rows["native loop, 1 thread"]["published"] == "seconds"
    assert rows["Python loop, 1 thread"]["published"] == "3 min 16 s"
    assert rows["component, from Python columns"]["published"] is None
    for name, row in rows.items():
        assert (row["tasks"], row["offers"]) == (40, 30)
        assert 0 < row["fraction"] <= 1
        assert (row["background"] is None) == ("native" in name or "Rust" in name)
    pictures = sorted((tmp_path / "svg").iterdir())
    assert [path.name for path in pictures] == ["talk-background-40x30.svg", "talk-time-40x30.svg"]
    for path in pictures:
        ElementTree.parse(path)


def test_the_table_without_the_rust_program(capsys, plain):
    status, out, _ = command(capsys, "bench", "talk", "--quick", "--json", "-")
    document = json.loads(out)
    assert status == 0
    assert any("--rust-host" in note for note in document["notes"])
    assert {row["faster_than_native_loop"] for row in document["rows"]} == {None}


@pytest.mark.parametrize(("body", "note"), [("echo oh no >&2; exit 3", "oh no"), ("exit 2", "left with 2")])
def test_a_rust_program_that_cannot_measure_is_a_note(capsys, tmp_path, plain, body, note):
    status, out, _ = command(capsys, "bench", "talk", "--quick", "--rust-host", program(tmp_path, body))
    assert status == 0
    assert note in out
    assert "did not run" in command(capsys, "bench", "talk", "--quick", "--rust-host", str(tmp_path / "nowhere"))[1]


@pytest.mark.parametrize("body", ["echo no", "echo '[]'", """echo '{"rows": [{"name": "x"}]}'"""])
def test_a_rust_program_that_prints_something_else_is_an_error(capsys, tmp_path, plain, body):
    status, out, err = command(capsys, "bench", "talk", "--quick", "--rust-host", program(tmp_path, body))
    assert (status, out) == (1, "")
    assert "error[answer-refused]" in err


def test_a_place_that_cannot_be_written_to(capsys, tmp_path, plain):
    (tmp_path / "file").write_text("")
    for arguments in (["--svg", str(tmp_path / "file" / "x")], ["--json", str(tmp_path / "none" / "x.json")]):
        status, out, err = command(capsys, "bench", "talk", "--quick", *arguments)
        assert (status, out) == (1, "")
        assert "error[file-unwritable]" in err


def test_the_background_thread_runs_while_the_component_matches(capsys):
    status, out, _ = command(capsys, "bench", "gil", "--sample", "uniform:2000x2000", "--rounds", "5", "--json")
    document = json.loads(out)
    assert status == 0
    assert [row["while"] for row in document["rows"]][:2] == ["idle", "hashing without the GIL"]
    assert all(row["operations_per_ms"] >= 0 for row in document["rows"])
    assert document["rows"][0]["of_idle"] == 1.0
    assert "of idle" in command(capsys, "bench", "gil", "--sample", "ties:100x100", "--rounds", "1")[1]


def test_what_rows_are_made_of_is_measured(capsys):
    status, out, _ = command(capsys, "bench", "rows", "--sample", "uniform:300x300", "--rounds", "2", "--json")
    document = json.loads(out)
    assert status == 0
    assert {"flat dataclasses", "dictionaries", "pandas", "polars", "pyarrow", "columns"} < document["rows"].keys()
    assert document["of flat dataclasses"]["flat dataclasses"] == 1.0
    assert "flat dictionaries" in command(capsys, "bench", "rows", "--sample", "ties:50x50", "--rounds", "1")[1]


def test_watching_a_matcher_changes_no_answer():
    from offermatch.bench.gil import WatchedCode

    code = WatchedCode()
    matcher = Matcher(code)
    tasks, offers = parse_sample("uniform:50x50").rows()
    code.windows.clear()
    assert matcher.match(tasks, offers).digest == Matcher.load().match(tasks, offers).digest
    assert len(code.windows) == 2


def test_the_start(capsys, monkeypatch):
    monkeypatch.setattr("offermatch.bench.start._CALLS", 2)
    status, out, _ = command(capsys, "bench", "start", "--rounds", "1", "--json")
    rows = json.loads(out)["rows"]
    assert status == 0
    assert rows["compiled component from the cache"] < rows["compile, and fill the cache"]
    assert "median" in command(capsys, "bench", "start", "--rounds", "1")[1]


def test_what_a_traced_call_costs(capsys):
    arguments = ("bench", "traced", "--sample", "uniform:5x5", "--rounds", "3")
    status, out, _ = command(capsys, *arguments, "--json")
    found = json.loads(out)
    assert status == 0
    # That of the call, two of opening a pool, and four of assigning.
    assert found["spans"] == 7
    assert min(found["untraced"], found["sdk"]) > 0
    assert found["beyond"] == pytest.approx(found["traced"] - found["untraced"], abs=1e-3)
    assert "SDK alone, for 7 spans" in command(capsys, *arguments)[1]
    assert "MISSED: a traced call costs 2.00 ms more, of 1 ms at most" in traced.table({**found, "beyond": 2.0})


def test_bars_of_any_length_are_drawn():
    bars = [("a < b", value, "x") for value in (0, 1, 1e7)]
    for log in (True, False):
        ElementTree.fromstring(svg.bars("t & u", "s", bars, log=log))
        ElementTree.fromstring(svg.bars("t", "s", [], log=log))


def test_rows_of_a_scheduler_of_its_own():
    tasks, offers = parse_sample("ties:1x1").rows()
    assert rows_of(task_columns(tasks), offer_columns(offers)) == (
        [Row("task-0", 1000, 2**30)],
        [Row("offer-0", 16000, 2**36)],
    )


def test_the_calls_are_measured_by_pyperf(tmp_path):
    program = Path(__file__).parents[2] / "benches" / "matching.py"
    kept = tmp_path / "figures.json"
    subprocess.run(
        [sys.executable, program, "--debug-single-value", "--quiet", "-o", kept], check=True, stdout=subprocess.DEVNULL
    )
    found = {bench.get_name(): bench.mean() for bench in pyperf.BenchmarkSuite.load(str(kept))}
    assert len(found) == 7
    assert found["match uniform:200x200 from columns"] < found["match uniform:200x200 by the reference matcher"]
