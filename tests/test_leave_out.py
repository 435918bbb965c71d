"""Rows that cannot be used are left out alike by both hosts, and the others placed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

TASKS = [
    {"name": "good", "demand": {"cpu": 1}},
    {"name": "negative", "demand": {"cpu": -1}},
    {"name": "good", "demand": {"cpu": 1}},
    {"demand": {"cpu": 1}},
    {"name": "unknown", "demand": {"gpus": 1}},
    {"name": "share", "demand": {"cpu": 1}, "device_share": 1000},
    {"name": "both", "demand": {"cpu": 1}, "device_share": 10, "devices": 1},
    {"name": "also good", "demand": {"cpu": 2}},
]
OFFERS = [
    {"name": "small", "available": {"cpu": 2}, "capacity": {"cpu": 1}},
    {"name": "large", "available": {"cpu": 8}},
    {"name": "large", "available": {"cpu": 8}},
]
LEFT_OUT = [
    ("tasks", 1, "negative", "quantity-negative"),
    ("tasks", 2, "good", "duplicate-name"),
    ("tasks", 3, "", "missing-column"),
    ("tasks", 4, "unknown", "unknown-dimension"),
    ("tasks", 5, "share", "devices-malformed"),
    ("tasks", 6, "both", "devices-malformed"),
    ("offers", 0, "small", "capacity-exceeded"),
    ("offers", 2, "large", "duplicate-name"),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str | Path, ...]:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text(json.dumps(TASKS))
    offers.write_text(json.dumps(OFFERS))
    return ("match", "--tasks", tasks, "--offers", offers, "--mode", "shared")


def test_the_others_are_placed(hosts: Any, files: tuple[str | Path, ...]) -> None:
    for host in hosts:
        done = host.run(*files, "--bad-rows", "leave-out")
        assert done.returncode == 0, f"{host.name}: {done.stderr}"
        answer = json.loads(done.stdout)
        assert [one["task"] for one in answer["assignments"]] == ["good", "also good"], host.name
        found = [(Path(one["table"]).stem, one["row"], one["name"], one["code"]) for one in answer["left_out"]]
        assert found == LEFT_OUT, host.name
        assert "row 1 (negative), demand.cpu: -1 is below 0" in answer["left_out"][0]["message"], host.name
        lines = done.stderr.splitlines()
        assert [line.partition("]")[0] for line in lines] == [f"left out[{code}" for *_, code in LEFT_OUT], host.name


def test_all_bad_rows_are_named_where_they_are_refused(hosts: Any, files: tuple[str | Path, ...], tmp_path: Path) -> None:
    for host in hosts:
        done = host.run(*files)
        assert (done.returncode, done.stdout) == (1, ""), host.name
        assert done.stderr.startswith("error[quantity-negative]: "), f"{host.name}: {done.stderr}"
        # The row that has a name again is one of them, though the others could not even be read.
        assert "row 2" in done.stderr, f"{host.name}: {done.stderr}"
    many = tmp_path / "many.json"
    many.write_text(json.dumps([{"name": f"t{row}", "demand": {"cpu": -1}} for row in range(25)]))
    for host in hosts:
        done = host.run("match", "--tasks", many, "--offers", files[4])
        assert "25 rows cannot be used: this one; " in done.stderr, f"{host.name}: {done.stderr}"
        assert "; and 15 more" in done.stderr, f"{host.name}: {done.stderr}"
        assert "row 9 (t9)" in done.stderr, host.name
        assert "row 10 (t10)" not in done.stderr, host.name


@pytest.mark.parametrize("order", ["given", "size"])
def test_rows_have_their_numbers_in_whatever_order_they_are_placed(hosts: Any, tmp_path: Path, order: str) -> None:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    somewhere = [{"attribute": "zone", "in": ["a"]}]
    rows: list[dict[str, Any]] = [
        {"name": "small", "demand": {"cpu": 1}, "requirements": somewhere},
        {"name": "bad", "demand": {"cpu": -1}},
        {"name": "large", "demand": {"cpu": 4}},
    ]
    tasks.write_text(json.dumps(rows))
    offers.write_text(json.dumps([{"name": "o", "available": {"cpu": 8}}]))
    options = ("match", "--tasks", tasks, "--offers", offers, "--order", order)
    for host in hosts:
        done = host.run(*options, "--bad-rows", "leave-out")
        assert done.returncode == 0, f"{host.name}: {done.stderr}"
        assert [(one["row"], one["name"]) for one in json.loads(done.stdout)["left_out"]] == [(1, "bad")], host.name
        left_out, remark = done.stderr.splitlines()
        assert left_out.startswith(f"left out[quantity-negative]: {tasks}, row 1 (bad)"), host.name
        assert remark.startswith(f"remark: {tasks}, row 0 (small), requirements"), host.name
    tasks.write_text(
        json.dumps([rows[2], {"name": "b", "demand": {"cpu": 1, "gpu": 1}}, {"name": "c", "demand": {"cpu": 2}}])
    )
    for host in hosts:
        done = host.run(*options)
        assert done.returncode == 1, host.name
        assert f"{tasks}, row 1 (b), demand.gpu: " in done.stderr, f"{host.name}: {done.stderr}"


# Tasks, offers, options, and the tasks that are placed and left out.
DIMENSIONS: dict[str, tuple[Any, Any, list[str], list[str], list[str]]] = {
    "named, and of no offer": (
        [{"name": "a", "demand": {"cpu": 0}}, {"name": "b"}],
        {"gpu": 4},
        ["--dimensions", "cpu"],
        ["a", "b"],
        [],
    ),
    "not named, and of an offer": (
        [{"name": "a", "demand": {"cpu": 1}}, {"name": "b", "demand": {"cpu": 1, "gpu": 1}}],
        {"cpu": 4, "gpu": 4},
        ["--dimensions", "cpu,memory"],
        ["a"],
        ["b"],
    ),
    "of rows alone that are left out, with a unit": (
        [{"name": "a", "demand": {"cpu": 1000}}, {"name": "b", "demand": {"gpu": 1}}],
        {"gpu": 4},
        ["--unit", "cpu=millicores"],
        ["b"],
        ["a"],
    ),
}


@pytest.mark.parametrize("case", DIMENSIONS)
def test_the_dimensions_are_those_of_the_call(hosts: Any, tmp_path: Path, case: str) -> None:
    rows, available, options, placed, left_out = DIMENSIONS[case]
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text(json.dumps(rows))
    offers.write_text(json.dumps([{"name": "o", "available": available}]))
    arguments = ("match", "--tasks", tasks, "--offers", offers, "--mode", "shared", "--bad-rows", "leave-out", *options)
    for host in hosts:
        answer = host.answer(*arguments)
        assert [one["task"] for one in answer["assignments"]] == placed, host.name
        found = [(one["name"], one["code"]) for one in answer.get("left_out", [])]
        assert found == [(name, "unknown-dimension") for name in left_out], host.name


def test_a_unit_of_a_dimension_that_nothing_names_is_refused_all_the_same(hosts: Any, files: tuple[str | Path, ...]) -> None:
    for host in hosts:
        done = host.run(*files, "--bad-rows", "leave-out", "--unit", "licences=count")
        assert (done.returncode, done.stdout) == (1, ""), host.name
        assert done.stderr.startswith("error[setting-malformed]: units: "), f"{host.name}: {done.stderr}"


def _pod(name: str | None, cpu: Any = 1, namespace: str | None = None, **spec: Any) -> dict[str, Any]:
    metadata = {key: value for key, value in (("name", name), ("namespace", namespace)) if value is not None}
    containers = [{"name": "app", "resources": {"requests": {"cpu": cpu}}}]
    return {"kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def _node(name: str | None, cpu: Any = 4) -> dict[str, Any]:
    metadata = {} if name is None else {"name": name}
    return {"kind": "Node", "metadata": metadata, "status": {"allocatable": {"cpu": cpu, "pods": "9"}}}


def _job(number: int, **fields: Any) -> dict[str, Any]:
    return {"job_id": number, "job_state": "PENDING", "priority": 1, "tres_req_str": "cpu=1,mem=1M,node=1", **fields}


APART = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}}
IDLE = {"state": ["IDLE"], "cpus": 4, "real_memory": 100}
# The tasks, the offers, what is left out of each by row, name and code, and the names of the tasks placed, in their order.
FOREIGN: dict[str, tuple[Any, Any, list[tuple[int, str, str]], list[tuple[int, str, str]], list[str]]] = {
    "kubernetes": (
        [
            _pod("good"),
            _pod("bad", "lots", "x"),
            _pod(None),
            _pod("running", -1, nodeName="unclear"),
            _pod("good"),
            _pod("apart", affinity=APART),
            _pod("urgent", priority="very"),
            _pod("first", 2, priority=5),
            _pod("no object", tolerations={}),
            {"kind": "Pod", "metadata": {"name": "listed"}, "spec": []},
        ],
        [_node("small", "3"), _node("unclear"), _node("many", "many"), _node(None), _node("small")],
        [
            (1, "x/bad", "quantity-malformed"),
            (2, "", "missing-column"),
            (3, "default/running", "quantity-negative"),
            (4, "default/good", "duplicate-name"),
            (5, "default/apart", "file-malformed"),
            (6, "default/urgent", "file-malformed"),
            (8, "default/no object", "file-malformed"),
            (9, "default/listed", "file-malformed"),
        ],
        [
            (1, "unclear", "file-malformed"),
            (2, "many", "quantity-malformed"),
            (3, "", "missing-column"),
            (4, "small", "duplicate-name"),
        ],
        ["default/first", "default/good"],
    ),
    "slurm": (
        {
            "jobs": [
                _job(1),
                _job(2, tres_req_str="cpu=1,mem=lots"),
                _job(3, tres_req_str="cpu=1,node=2"),
                _job(4, features="[a*2]"),
                _job(5, tres_req_str="cpu=1,node=x"),
                _job(6, array_task_string="1-2", priority=9),
                _job(7, priority="high"),
                _job(8, array_task_string="1-"),
                _job(1),
                {**_job(9, tres_req_str="cpu=-"), "job_state": "RUNNING"},
            ]
        },
        {
            "nodes": [
                {"name": "n", **IDLE},
                IDLE,
                {"name": "two", **IDLE, "gres": "gpu:a:1,gpu:b:1"},
                {"name": "x", **IDLE, "cpus": "x"},
                {"name": "n", **IDLE},
                {"name": "down", "state": ["DOWN"], "cpus": "x"},
            ]
        },
        [
            (1, "2", "quantity-malformed"),
            (2, "3", "file-malformed"),
            (3, "4", "file-malformed"),
            (4, "5", "quantity-malformed"),
            (6, "7", "quantity-malformed"),
            (7, "8", "file-malformed"),
            (8, "1", "duplicate-name"),
        ],
        [
            (1, "", "missing-column"),
            (2, "two", "devices-malformed"),
            (3, "x", "quantity-malformed"),
            (4, "n", "duplicate-name"),
        ],
        ["6_1", "6_2", "1"],
    ),
    "openb": (
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\ngood,1000,1,0,0,\nlots,lots,1,0,0,\nboth,1,1,2,500,\ngood,1,1,0,0,\n,-1,1,0,0,\nalso,500,1,1,460,T4\n",
        "sn,cpu_milli,memory_mib,gpu,model\nbad,1,-1,0,\nserver,4000,100,1,T4\nserver,1,1,0,\nhalf,1,1,0.5,T4\n",
        [
            (1, "lots", "quantity-malformed"),
            (2, "both", "devices-malformed"),
            (3, "good", "duplicate-name"),
            (4, "", "quantity-negative"),
        ],
        [(0, "bad", "quantity-negative"), (2, "server", "duplicate-name"), (3, "half", "quantity-fractional")],
        ["good", "also"],
    ),
}


@pytest.mark.parametrize("form", FOREIGN)
def test_rows_of_other_systems_are_left_out_alike(hosts: Any, tmp_path: Path, form: str) -> None:
    tasks, offers, bad_tasks, bad_offers, placed = FOREIGN[form]
    paths = tmp_path / "tasks.txt", tmp_path / "offers.txt"
    for path, content in zip(paths, (tasks, offers), strict=True):
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    arguments = ("match", "--format", form, "--tasks", paths[0], "--offers", paths[1], "--mode", "shared")
    for host in hosts:
        done = host.run(*arguments, "--bad-rows", "leave-out")
        assert done.returncode == 0, f"{host.name}: {done.stderr}"
        answer = json.loads(done.stdout)
        found = [(Path(one["table"]).stem, one["row"], one["name"], one["code"]) for one in answer["left_out"]]
        wanted = [*(("tasks", *bad) for bad in bad_tasks), *(("offers", *bad) for bad in bad_offers)]
        assert found == wanted, host.name
        assert [one["task"] for one in answer["assignments"]] == placed, host.name
        strict = host.run(*arguments)
        assert (strict.returncode, strict.stdout) == (1, ""), host.name
        assert strict.stderr.startswith(f"error[{bad_tasks[0][2]}]: "), f"{host.name}: {strict.stderr}"
        assert " rows cannot be used: this one; " in strict.stderr, f"{host.name}: {strict.stderr}"
        for _, name, code in bad_tasks:
            assert code == "duplicate-name" or f"({name})" in strict.stderr or not name, f"{host.name}: {strict.stderr}"


def test_a_row_without_a_name_counts_beside_others(hosts: Any, tmp_path: Path) -> None:
    pods, nodes = tmp_path / "pods.csv", tmp_path / "nodes.csv"
    pods.write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n,1,1,0,0\na,-1,1,0,0\n")
    nodes.write_text("sn,cpu_milli,memory_mib,gpu,model\n,1,1,0,\nn,-1,1,0,\n")
    for host in hosts:
        done = host.run("match", "--format", "openb", "--tasks", pods, "--offers", nodes)
        assert done.stderr.startswith(f"error[missing-column]: {pods}, row 0, name: "), f"{host.name}: {done.stderr}"
        assert ". 2 rows cannot be used: this one; " in done.stderr, f"{host.name}: {done.stderr}"


def test_a_name_that_is_a_whole_number_tells_which_row_it_is(hosts: Any, tmp_path: Path) -> None:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    tasks.write_text('[{"name": 12345}, {"name": true}, {"name": [1]}, {"name": 1.5}, {"name": "t"}]')
    offers.write_text("[]")
    for host in hosts:
        answer = json.loads(host.run("match", "--tasks", tasks, "--offers", offers, "--bad-rows", "leave-out").stdout)
        assert [one["name"] for one in answer["left_out"]] == ["12345", "", "", ""], host.name
        assert {one["code"] for one in answer["left_out"]} == {"file-malformed"}, host.name


def test_a_group_that_lacks_members_is_named_by_the_row_of_the_file(hosts: Any, tmp_path: Path) -> None:
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.json"
    bad, group = {"name": "bad", "demand": {"cpu": -1}}, {"name": "g", "least": 5}
    tasks.write_text(json.dumps([bad, {"name": "x"}, {"name": "m", "demand": {"cpu": 1}, "group": group}]))
    offers.write_text('[{"name": "o", "available": {"cpu": 4}}]')
    for host in hosts:
        for order in ("given", "size"):
            asked = ("match", "--tasks", tasks, "--offers", offers, "--bad-rows", "leave-out", "--order", order)
            first = host.run(*asked).stderr
            assert f"error[group-malformed]: {tasks}, row 2 (m), group.least: at least 5 of " in first, (
                f"{host.name}: {first}"
            )
