"""Bad input gives the same error in both hosts: code, exit code 1, nothing on standard output."""

from __future__ import annotations

import json
import random
import re
import secrets
import subprocess
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from conftest import COMPONENT
from offermatch import InputError
from offermatch.formats.files import read_tasks

SIGNED = Path(__file__).parent / "cases" / "signatures" / "signed.wasm"
OFFERS: list[dict[str, Any]] = [{"name": "o", "available": {"cpu": 8, "memory": "4GiB"}}]


def _task(**fields: Any) -> list[dict[str, Any]]:
    return [{"name": "t", "demand": {"cpu": 1}}, {"name": "u", **fields}]


# What the tasks are, and the code that both hosts give.
TASKS: dict[str, tuple[Any, str]] = {
    "negative": (_task(demand={"cpu": -5}), "quantity-negative"),
    "negative-text": (_task(demand={"cpu": "-5 cores"}), "quantity-negative"),
    "fraction": (_task(demand={"cpu": 0.0005}), "quantity-fractional"),
    "milli-bytes": (_task(demand={"memory": "512m"}), "quantity-wrong-unit"),
    "columns-swapped": (_task(demand={"cpu": "2GiB", "memory": "1 core"}), "quantity-wrong-unit"),
    "devices-of-cores": (_task(devices="2 cores"), "quantity-wrong-unit"),
    "half-a-device": (_task(devices="500m"), "quantity-fractional"),
    "dimension-devices": (_task(demand={"devices": 1}), "unknown-dimension"),
    "fraction-of-a-millicore": (_task(demand={"cpu": "0.0001 cores"}), "quantity-fractional"),
    "too-large": (_task(demand={"cpu": 2**64}), "quantity-too-large"),
    "too-large-text": (_task(demand={"memory": "16EiB"}), "quantity-too-large"),
    "unknown-unit": (_task(demand={"cpu": "5 furlongs"}), "quantity-unknown-unit"),
    "no-number": (_task(demand={"cpu": "many"}), "quantity-malformed"),
    "boolean": (_task(demand={"cpu": True}), "quantity-malformed"),
    "unknown-dimension": (_task(demand={"gpu": 1}), "unknown-dimension"),
    "unknown-key": (_task(demands={"cpu": 1}), "unknown-column"),
    "no-name": ([{"demand": {"cpu": 1}}], "missing-column"),
    "duplicate": ([{"name": "t"}, {"name": "t"}], "duplicate-name"),
    "share-too-large": (_task(device_share=1000), "devices-malformed"),
    "no-devices": (_task(devices=None), "quantity-malformed"),
    "requirements-object": (_task(requirements={}), "file-malformed"),
    "half-a-character": ([{"name": "\ud800"}], "file-malformed"),
    "share-and-whole": (_task(device_share=10, devices=1), "devices-malformed"),
    "units-list": ({"units": [], "tasks": _task()}, "file-malformed"),
    "units-nothing-but-no-null": ({"units": 0, "tasks": _task()}, "file-malformed"),
}


def _assert_same_error(hosts: Any, code: str, *arguments: str | Path) -> None:
    hints = []
    for host in hosts:
        done = host.run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}{done.stderr}"
        found = re.search(r"^error\[([a-z-]+)\]: (.+)$", done.stderr, re.MULTILINE)
        assert found, f"{host.name}: {done.stderr}"
        assert found[1] == code, f"{host.name}: {done.stderr}"
        hints.append(re.search(r"^hint: (.+)$", done.stderr, re.MULTILINE))
    assert all(hints), "both hosts say what to do about it"


@pytest.mark.parametrize("case", TASKS)
def test_tasks(hosts: Any, tmp_path: Path, case: str) -> None:
    rows, code = TASKS[case]
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text(json.dumps(rows))
    offers.write_text(json.dumps(OFFERS))
    _assert_same_error(hosts, code, "match", "--tasks", tasks, "--offers", offers)


REFUSED: list[dict[str, Any]] = [
    case
    for path in sorted((Path(__file__).parent / "cases" / "refused").glob("*.json"))
    for case in json.loads(path.read_text())
]


@pytest.mark.parametrize("case", REFUSED, ids=[case["case"] for case in REFUSED])
def test_what_is_refused_is_refused_alike(
    hosts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: dict[str, Any]
) -> None:
    """Both programs say the code, the place and the remedy that the case has; or place what it says."""
    monkeypatch.chdir(tmp_path)
    arguments: list[str] = ["swap"] if "manifest" in case else ["match", *case.get("options", ())]
    for key, content in case.items():
        kind, _, ending = key.partition("_")
        if kind in ("tasks", "offers", "workload", "limits", "manifest", "trust"):
            path = tmp_path / f"{kind}.{ending or 'json'}"
            path.write_bytes((content if isinstance(content, str) else json.dumps(content)).encode("utf-8", "surrogatepass"))
            if kind == "trust":
                monkeypatch.setenv("OFFERMATCH_TRUST", path.name)
                arguments += ["--matcher", str(SIGNED)]
            else:
                arguments += [f"--{kind}", path.name]
    if arguments[0] == "match" and "tasks" not in " ".join(case):
        arguments += ["--sample", "uniform:1x1"]
    for host in hosts:
        if "placed" in case:
            answer = host.answer(*arguments)
            assert {one["task"]: one["offer"] for one in answer["assignments"]} == case["placed"], host.name
            continue
        done = host.run(*arguments)
        assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}{done.stderr}"
        first, hint = done.stderr.splitlines()[:2]
        assert first.startswith(f"error[{case['code']}]: {case['place']}: "), f"{host.name}: {done.stderr}"
        assert hint == f"hint: {case['hint']}", f"{host.name}: {done.stderr}"


HEADERS = [
    "name",
    "demand.cpu",
    "demand.memory[MiB]",
    "demand.cpu[millicores]",
    "demand.gpu[furlongs]",
    "demand.",
    "demands.cpu",
    "devices",
    "device_share",
    "group",
    "group.least",
    "group.at_most.zone",
    "requires.zone",
    "prefers.zone",
    "prefers_weight.zone",
    "prefers_weight.x",
    "at_least.m",
]
CELLS = [*"ab12x|!", "-1", "é", "nan", "0.5", '""', '"', '"a\nb"', '"q,"', *[","] * 5, *["\n"] * 2, "\r\n", "\r"]


def _random_csv(seed: int) -> str:
    """Return column names and cells with what may be wrong in them: quotes, ends of lines, numbers of cells, values."""
    draw = random.Random(seed)
    header = draw.sample(HEADERS, draw.randrange(1, 5)) if seed % 2 else ["name", "demand.cpu"]
    return ",".join(header) + draw.choice(["\n", "\r\n", "\r"]) + "".join(draw.choices(CELLS, k=draw.randrange(1, 14)))


def test_random_csv_is_refused_alike(hosts: Any, tmp_path: Path) -> None:
    """The first fault from above is the error in both programs; the Python one is asked without a process for each text."""
    rust = next(host for host in hosts if host.name == "rust")
    offers, tasks = tmp_path / "offers.json", tmp_path / "tasks.csv"
    offers.write_text(json.dumps([{"name": "o", "available": {"cpu": 4, "memory": "1GiB"}}]))
    refused = 0
    for seed in range(600):
        text = _random_csv(seed)
        tasks.write_bytes(text.encode())
        done = rust.run("match", "--tasks", tasks, "--offers", offers)
        found = re.match(r"error\[([a-z-]+)\]: (.*)\nhint: (.*)\n$", done.stderr)
        python: tuple[str, str, str] | None = None
        try:
            read_tasks(tasks)
        except InputError as error:
            message = str(error).removesuffix(f" [{error.code}], hint: {error.hint}")
            python = error.code, message.split(": ")[0], error.hint
        if found and python is None:
            # What is read is refused for what the offers do not have.
            assert found[1] == "unknown-dimension", (text, done.stderr)
            continue
        assert (found and (found[1], found[2].split(": ")[0], found[3])) == python, (text, done.stderr)
        refused += python is not None
    assert refused > 300


# A file and the file beside it: both hosts say the same place of it, and the same remedy.
PLACES: dict[str, tuple[Any, Any]] = {
    "negative": (_task(demand={"cpu": -5}), OFFERS),
    "thousands-separator": (_task(demand={"memory": "1,000"}), OFFERS),
    "fraction": (_task(demand={"memory": "1.1Gi"}), OFFERS),
    "other-case": (_task(demand={"CPU": 1}), OFFERS),
    "unknown-dimension": (_task(demand={"gpu": 1}), OFFERS),
    "unknown-key": (_task(demands={"cpu": 1}), OFFERS),
    "no-name": ([{"demand": {"cpu": 1}}], OFFERS),
    "null-name": ([{"name": None}], OFFERS),
    "duplicate": (_task(), [OFFERS[0], OFFERS[0]]),
    "above-capacity": ([], [{"name": "o", "available": {"cpu": 2}, "capacity": {"cpu": 1}}]),
}


@pytest.mark.parametrize("case", PLACES)
def test_places_and_remedies(hosts: Any, tmp_path: Path, case: str) -> None:
    for name, rows in zip(("tasks.json", "offers.json"), PLACES[case], strict=True):
        (tmp_path / name).write_text(json.dumps(rows))
    command = ("match", "--tasks", tmp_path / "tasks.json", "--offers", tmp_path / "offers.json")
    said = [
        re.search(r"^error\[([a-z-]+)\]: (.+?): .+\nhint: (.+)$", host.run(*command).stderr, re.MULTILINE) for host in hosts
    ]
    rust, python = (found.groups() if found else None for found in said)
    assert rust is not None
    assert rust == python


@pytest.mark.parametrize(
    ("tasks", "offers", "code", "place"),
    [
        ("-", "offers.json", "file-malformed", "-"),
        ("tasks.txt", "offers.json", "file-malformed", "tasks.txt"),
        ("-", "-", "setting-malformed", "offers"),
    ],
)
def test_files_that_do_not_say_what_they_are(hosts: Any, tasks: str, offers: str, code: str, place: str) -> None:
    said = [host.run("match", "--tasks", tasks, "--offers", offers).stderr for host in hosts]
    assert said[0] == said[1]
    assert said[0].startswith(f"error[{code}]: {place}: ")
    assert "\nhint: " in said[0]


def test_parquet_is_read_or_refused_by_name(hosts: Any, tmp_path: Path) -> None:
    tasks, offers = tmp_path / "tasks.parquet", tmp_path / "offers.json"
    parquet.write_table(pyarrow.table({"name": ["t", "u"], "demand.cpu": [1, 9]}), tasks)
    offers.write_text(json.dumps(OFFERS))
    rust, python = hosts
    assert python.answer("match", "--tasks", tasks, "--offers", offers)["placed"] == 1
    expected = (
        f"error[file-malformed]: {tasks}: only the Python package reads Parquet\nhint: convert it to CSV or JSON lines\n"
    )
    assert rust.run("match", "--tasks", tasks, "--offers", offers).stderr == expected


def test_tasks_of_standard_input(hosts: Any, tmp_path: Path) -> None:
    tasks = '{"name": "t", "demand": {"cpu": 1}}\n{"name": "u", "demand": {"cpu": 9}}\n'
    (tmp_path / "offers.jsonl").write_text(json.dumps(OFFERS[0]))
    answers = []
    for host in hosts:
        options = ["match", "--format", "jsonl", "--tasks", "-", "--offers", str(tmp_path / "offers.jsonl")]
        done = subprocess.run(
            [*host.command, *options], input=tasks, capture_output=True, text=True, timeout=600, check=True
        )
        answers.append(json.loads(done.stdout))
    assert answers[0] == answers[1]
    assert [one["task"] for one in answers[0]["assignments"]] == ["t"]


# YAML as files that were joined have it, and as no program prints it.
POD = """\
kind: Pod
metadata: {name: p}
spec: {containers: [{name: c, resources: {requests: {cpu: '1'}}}]}
"""
NODE = "kind: Node\nmetadata: {name: node}\nstatus: {allocatable: {cpu: '4', pods: '9'}}\n"


def test_documents_of_nothing_are_no_rows(hosts: Any, tmp_path: Path) -> None:
    pods, nodes = tmp_path / "pods.yaml", tmp_path / "nodes.yaml"
    pods.write_text(f"---\n--- null\n---\n~\n---\n{POD}---\n{POD.replace('name: p', 'name: q')}---\n")
    nodes.write_text(NODE + "---\n")
    command = ("match", "--format", "kubernetes", "--tasks", pods, "--offers", nodes, "--mode", "shared")
    rust, python = (host.answer(*command) for host in hosts)
    assert rust == python
    assert [one["task"] for one in rust["assignments"]] == ["default/p", "default/q"]


@pytest.mark.parametrize("name", ["n", "no", "off", "y"])
def test_a_name_that_older_yaml_has_for_a_boolean(hosts: Any, tmp_path: Path, name: str) -> None:
    pods, nodes = tmp_path / "pods.yaml", tmp_path / "nodes.yaml"
    pods.write_text(POD)
    nodes.write_text(NODE.replace("node}", f"{name}}}"))
    command = ("match", "--format", "kubernetes", "--tasks", pods, "--offers", nodes, "--mode", "shared")
    rust, python = (host.answer(*command) for host in hosts)
    assert rust == python
    assert [one["offer"] for one in rust["assignments"]] == [name]


def test_a_key_that_stands_twice_in_yaml(hosts: Any, tmp_path: Path) -> None:
    pods, nodes = tmp_path / "pods.yaml", tmp_path / "nodes.yaml"
    pods.write_text(POD.replace("{name: p}", "{name: p, name: q}"))
    nodes.write_text(NODE)
    _assert_same_error(hosts, "file-malformed", "match", "--format", "kubernetes", "--tasks", pods, "--offers", nodes)


@pytest.mark.parametrize("gres", ["gpu:4(S:0", "gpu:4(S:0)"])
def test_parts_of_cores_and_lists_that_are_cut_short(hosts: Any, tmp_path: Path, gres: str) -> None:
    jobs, nodes = tmp_path / "jobs.json", tmp_path / "nodes.json"
    job = {"job_id": 1, "job_state": ["PENDING"], "priority": 9, "tres_req_str": "cpu=0.5,mem=1G,gres/gpu=4"}
    jobs.write_text(json.dumps({"jobs": [job]}))
    nodes.write_text(json.dumps({"nodes": [{"name": "n", "state": ["IDLE"], "cpus": 1, "real_memory": 2048, "gres": gres}]}))
    rust, python = (host.answer("match", "--format", "slurm", "--tasks", jobs, "--offers", nodes) for host in hosts)
    assert rust == python
    assert rust["placed"] == 1


@pytest.mark.parametrize("devices", [None, {}, "", "|", "1|2", [None], True, -1, 1.5])
def test_devices_of_offers(hosts: Any, tmp_path: Path, devices: Any) -> None:
    codes = {-1: "quantity-negative", 1.5: "quantity-fractional"}
    code = "quantity-malformed" if isinstance(devices, (list, dict, bool)) else codes.get(devices, "quantity-malformed")
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text("[]")
    offers.write_text(json.dumps([{"name": "o", "available": {}, "devices": devices}]))
    _assert_same_error(hosts, code, "match", "--tasks", tasks, "--offers", offers)


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ("name,available.cpu\na,1\na,2\n", "duplicate-name"),
        ("name,available.cpu\na,-1\n", "quantity-negative"),
        ("name,available.cpu,capacity.cpu\na,2,1\n", "capacity-exceeded"),
        ("name,availble.cpu\na,1\n", "unknown-column"),
        ("available.cpu\n1\n", "missing-column"),
        ("name,available.cpu\na,1,2\n", "file-malformed"),
        ("name,devices\na,1001|\n", "devices-malformed"),
    ],
)
def test_offers_in_csv(hosts: Any, tmp_path: Path, table: str, code: str) -> None:
    tasks, offers = tmp_path / "tasks.csv", tmp_path / "offers.csv"
    tasks.write_text("name\nt\n")
    offers.write_text(table)
    _assert_same_error(hosts, code, "match", "--tasks", tasks, "--offers", offers)


def test_files_that_are_missing_or_malformed(hosts: Any, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text("[]")
    bad.write_text('[{"name": "a"')
    _assert_same_error(hosts, "file-unreadable", "match", "--tasks", tmp_path / "none.json", "--offers", good)
    _assert_same_error(hosts, "file-malformed", "match", "--tasks", bad, "--offers", good)


def test_components_that_are_none(hosts: Any, tmp_path: Path) -> None:
    truncated, core, text = (tmp_path / name for name in ("truncated.wasm", "core.wasm", "text.wasm"))
    truncated.write_bytes(COMPONENT.read_bytes()[:1000])
    core.write_bytes(b"\0asm\1\0\0\0")
    text.write_text("not WebAssembly")
    sample = ("match", "--sample", "uniform:2x2", "--matcher")
    for path in (truncated, core, text):
        _assert_same_error(hosts, "component-malformed", *sample, path)
    _assert_same_error(hosts, "component-unreadable", *sample, tmp_path / "none.wasm")


def test_components_beyond_their_limits(hosts: Any, tmp_path: Path) -> None:
    limits = tmp_path / "limits.json"
    match = ("match", "--sample", "uniform:2x2", "--limits", limits, "--matcher")
    limits.write_text(json.dumps({"component_bytes": COMPONENT.stat().st_size - 1}))
    _assert_same_error(hosts, "limit-component", *match, COMPONENT)
    limits.write_text(json.dumps({"component_bytes": COMPONENT.stat().st_size}))
    assert [host.answer(*match, COMPONENT)["placed"] for host in hosts] == [2, 2]
    # Bytes that no cache has seen, which nobody compiles in a millisecond.
    fresh = tmp_path / "fresh.wasm"
    fresh.write_bytes(COMPONENT.read_bytes() + b"\0\x21\x05fresh" + secrets.token_bytes(27))
    limits.write_text(json.dumps({"compile_milliseconds": 1}))
    _assert_same_error(hosts, "limit-component", *match, fresh)


def test_empty_and_extreme_tables_are_ordinary(hosts: Any, tmp_path: Path) -> None:
    tables = {
        "none": [],
        "zero": [{"name": "a", "demand": {"cpu": 0}}],
        "huge": [{"name": "a", "demand": {"cpu": f"{2**64 - 1}m"}}],
    }
    offers = {
        "none": [],
        "zero": [{"name": "o", "available": {"cpu": 0}}],
        "some": [{"name": "o", "available": {"cpu": 1}}],
    }
    placed = {}
    for task, rows in tables.items():
        for offer, listed in offers.items():
            paths = tmp_path / "tasks.json", tmp_path / "offers.json"
            for path, table in zip(paths, (rows, listed), strict=True):
                path.write_text(json.dumps(table))
            rust, python = (host.answer("match", "--tasks", paths[0], "--offers", paths[1], "--explain") for host in hosts)
            assert rust == python
            placed[task, offer] = rust["placed"]
    assert {pair for pair, count in placed.items() if count} == {("zero", "zero"), ("zero", "some")}


def test_a_port_that_is_taken_is_no_amount(hosts: Any, tmp_path: Path) -> None:
    def pod(name: str, node: str | None, **port: Any) -> dict[str, Any]:
        containers = [{"name": "c", "ports": [{"hostPort": 80, **port}], "resources": {"requests": {"cpu": "1"}}}]
        return {"kind": "Pod", "metadata": {"name": name}, "spec": {"nodeName": node, "containers": containers}}

    pods = [pod("all", None), pod("one", None, hostIP="10.0.0.1"), pod("on-a", "a"), pod("on-b", "b", hostIP="10.0.0.1")]
    nodes = [
        {"kind": "Node", "metadata": {"name": name}, "status": {"allocatable": {"cpu": "4", "pods": "9"}}}
        for name in ("a", "b")
    ]
    paths = tmp_path / "pods.json", tmp_path / "nodes.json"
    for path, rows in zip(paths, (pods, nodes), strict=True):
        path.write_text(json.dumps(rows))
    tables = ("--tasks", paths[0], "--offers", paths[1])
    answers = [host.answer("match", "--format", "kubernetes", *tables, "--mode", "shared", "--explain") for host in hosts]
    for answer in answers:
        remedies = {one["task"]: one["remedies"] for one in answer["unplaced"]}
        assert remedies == {
            "default/all": ["2 offers lack only port 80/TCP, which is taken there"],
            "default/one": [
                "1 offer lacks only port 80/TCP, which is taken there",
                "1 offer lacks only port 80/TCP/10.0.0.1, which is taken there",
            ],
        }


# A recording of one task that is placed.
RECORDING: dict[str, Any] = {
    "format": "offermatch-recording/2",
    "shape": {"dimensions": 1},
    "settings": {"mode": "exclusive", "max_score": None},
    "offers": {"rows": 1, "available": [2]},
    "steps": [{"assign": {"rows": 1, "demand": [1]}, "answer": {"tasks": [0], "offers": [0], "scores": [0.5]}}],
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"settings": {"mode": "exclusive"}},
        {"steps": [{**RECORDING["steps"][0], "answer": {"tasks": [0], "offers": [], "scores": [0.5]}}]},
        {"steps": [{"preempt": {}, "answer": {"tasks": [0], "offers": [0], "scores": []}}]},
    ],
)
def test_recordings_that_lack_something(hosts: Any, tmp_path: Path, wrong: dict[str, Any]) -> None:
    good, bad = tmp_path / "good.recording.json", tmp_path / "bad.recording.json"
    good.write_text(json.dumps(RECORDING))
    bad.write_text(json.dumps(RECORDING | wrong))
    for host in hosts:
        assert host.run("replay", good).returncode == 0, host.name
    _assert_same_error(hosts, "file-malformed", "replay", bad)


def test_a_directory_without_a_case(hosts: Any, tmp_path: Path) -> None:
    for host in hosts:
        done = host.run("conformance", "--cases", tmp_path, "--generated", "0", "--endurance", "0", "bundled")
        assert (done.returncode, done.stdout) == (1, ""), host.name
        assert done.stderr.startswith(f"error[file-malformed]: {tmp_path}: there is no case\nhint: "), host.name
