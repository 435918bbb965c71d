"""Files of other systems are read alike by both hosts, and mean what they mean there: tests/cases/formats."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cases" / "formats"
CASES: list[dict[str, Any]] = [case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_text())]


def _files(case: dict[str, Any], folder: Path) -> tuple[str | Path, ...]:
    paths = []
    for name in ("tasks", "offers"):
        path = folder / f"{name}.txt"
        path.write_text(case[name] if isinstance(case[name], str) else json.dumps(case[name]))
        paths += [f"--{name}", path]
    return ("--format", case["format"], *paths, "--mode", "shared")


@pytest.mark.parametrize("case", CASES, ids=[f"{case['format']}: {case['why']}" for case in CASES])
def test_a_file_of_another_system_means_what_it_means_there(
    hosts: Any, same_answer: Callable[..., dict[str, Any]], tmp_path: Path, case: dict[str, Any]
) -> None:
    arguments = _files(case, tmp_path)
    if "placed" in case:
        answer = same_answer(*arguments, "--explain")
        assert {one["task"]: one["offer"] for one in answer["assignments"]} == case["placed"]
        assert [one["task"] for one in answer["unplaced"]] == case["unplaced"]
        return
    for host in hosts:
        done = host.run("match", *arguments)
        assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}{done.stderr}"
        found = re.search(r"^error\[([a-z-]+)\]: (.+)\nhint: .+$", done.stderr, re.MULTILINE)
        assert found, f"{host.name}: {done.stderr}"
        assert found[1] == case["error"], f"{host.name}: {done.stderr}"
        assert case["says"] in done.stderr, f"{host.name}: {done.stderr}"


@pytest.mark.parametrize("output", ["json", "csv"])
def test_numbers_and_names_are_printed_by_one_rule(hosts: Any, tmp_path: Path, output: str) -> None:
    names = ["plain", "a,b", 'a"b', "a\rb", "a\nb", "a\r\nb", " a ", "ä", "#a"]
    scores = [5.453441982074037e-05, 1e-05, 0.0001, 0.3, 1.0, 12345.678, 1e15, 1e16, 1.5e22]
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text(json.dumps([{"name": name, "demand": {"slots": 0}} for name in names]))
    offers.write_text(json.dumps([{"name": "o", "available": {"slots": 1}}]))
    for score in scores:
        # One left over of a scale of 1 scores its weight.
        told = ("--weight", f"slots={score!r}", "--scale", "slots=1", "--mode", "shared", "--output", output)
        rust, python = (host.run("match", "--tasks", tasks, "--offers", offers, *told) for host in hosts)
        assert (rust.returncode, rust.stdout) == (python.returncode, python.stdout), rust.stderr + python.stderr
        assert repr(score) in rust.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--dimensions", "m,m"),
        ("--dimensions", ""),
        ("--dimensions", "m,,n"),
        ("--weight", "cpu=1_0"),
        ("--weight", "cpu= 2"),
        ("--max-score", "1_0"),
        ("--unit", "cpu"),
    ],
)
def test_arguments_that_mean_nothing_are_wrong_usage(hosts: Any, arguments: tuple[str, str]) -> None:
    for host in hosts:
        done = host.run("match", "--sample", "uniform:1x1", *arguments)
        assert (done.returncode, done.stdout) == (2, ""), f"{host.name}: {done.stdout}{done.stderr}"


def test_what_a_maximal_score_leaves_without_an_offer_is_said_on_every_output(hosts: Any) -> None:
    match = ("match", "--sample", "uniform:20x10:3", "--mode", "shared", "--max-score", "0.0001")
    for host in hosts:
        for output in ("json", "csv", "summary"):
            done = host.run(*match, "--output", output)
            assert done.returncode == 0, done.stderr
            assert re.fullmatch(r"warning: \d+ tasks found only offers whose score .*\n", done.stderr), host.name
            if output == "json":
                assert json.loads(done.stdout)["unplaced_by_score"] == int(done.stderr.split()[1])
            if output == "summary":
                assert done.stderr.split()[1] in done.stdout


@pytest.mark.parametrize("weights", [("cpu=50",), ("devices=100",), ("cpu=1e300",)])
def test_no_score_is_too_high_unless_a_limit_is_set(hosts: Any, tmp_path: Path, weights: tuple[str, ...]) -> None:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text('[{"name": "t", "demand": {"cpu": 1}}]')
    # One idle node, in 41 dimensions.
    available = {"cpu": 96, **{f"d{at}": 1 for at in range(40)}}
    offers.write_text(json.dumps([{"name": "n", "available": available, "devices": 8}]))
    for host in hosts:
        answer = host.answer("match", "--tasks", tasks, "--offers", offers, *(f"--weight={one}" for one in weights))
        assert (answer["placed"], answer["unplaced_by_score"]) == (1, 0), host.name


def test_a_number_of_very_many_digits_is_too_large(hosts: Any, tmp_path: Path) -> None:
    offers, tasks = tmp_path / "offers.json", tmp_path / "tasks.json"
    offers.write_text('[{"name": "o", "available": {"slots": 1}}]')
    tasks.write_text(f'[{{"name": "t", "demand": {{"slots": {"1" * 100_000}}}}}]')
    for host in hosts:
        done = host.run("match", "--tasks", tasks, "--offers", offers)
        assert (done.returncode, done.stderr.partition("]")[0]) == (1, "error[quantity-too-large"), host.name
        assert len(done.stderr) < 1000, f"{host.name} prints what it was given"


STEPS = '{"units": {"licence": "0.1"}, "%s": [%s]}'
TASK, OFFER = '{"name": "t", "demand": {"licence": 5}}', '{"name": "o", "available": {"licence": 1}}'
UNITS_APART = {
    "steps among the offers": (
        "json",
        f"[{TASK}]",
        STEPS % ("offers", OFFER),
        "'licence' is in count among the tasks, and in 0.1",
    ),
    "steps among the tasks": (
        "json",
        STEPS % ("tasks", TASK),
        f"[{OFFER}]",
        "'licence' is in 0.1 among the tasks, and in count",
    ),
    "cores of a dimension of another name": (
        "csv",
        "name,demand.vcpu\nt,64\n",
        "name,available.vcpu[cores]\no,1\n",
        "'vcpu' is in count among the tasks, and in cores",
    ),
}


@pytest.mark.parametrize("command", ["match", "pack"])
@pytest.mark.parametrize("kind", UNITS_APART)
def test_numbers_that_cannot_be_compared_are_refused(hosts: Any, tmp_path: Path, kind: str, command: str) -> None:
    form, *tables, told = UNITS_APART[kind]
    files: list[str | Path] = []
    for name, text in zip(("tasks", "offers"), tables, strict=True):
        path = tmp_path / f"{name}.{form}"
        path.write_text(text)
        files += [f"--{name}", path]
    for rest in ((), ("--bad-rows", "leave-out")) if command == "match" else ((),):
        for host in hosts:
            done = host.run(command, *files, *rest)
            expected = f"error[setting-malformed]: units: {told} among the offers\nhint: declare one unit for both tables\n"
            assert (done.returncode, done.stdout, done.stderr) == (1, "", expected), host.name


@pytest.mark.parametrize("unit", ["cores", "millicores", "0.001"])
def test_units_that_can_be_compared_need_not_be_the_same(hosts: Any, tmp_path: Path, unit: str) -> None:
    tasks, offers = tmp_path / "tasks.csv", tmp_path / "offers.csv"
    tasks.write_text("name,demand.cpu,demand.disk[MiB]\nt,2,1\n")
    offers.write_text(f"name,available.cpu[{unit}],available.disk[count]\no,{2000 if unit == 'millicores' else 2},1048576\n")
    for host in hosts:
        done = host.run("match", "--tasks", tasks, "--offers", offers)
        assert [one["score"] for one in json.loads(done.stdout)["assignments"]] == [0.0], done.stderr
