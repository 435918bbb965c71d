"""Rows that cannot be used are all named, or left out and reported."""

import json

import pandas
import polars
import pyarrow
import pytest

from offermatch import FallbackMatcher, InputError, Offer, Slot, Task, is_in, not_in
from offermatch.cli.main import run
from offermatch.tables.input import task_columns

TASKS = [
    Task("a", {"gpu": -1}),
    Task("b", {"gpu": 1}),
    Task("c", {"gpu": 1, "slots": 1}),
    Task("b", {"gpu": 2}),
    Task("d", {"gpu": "x"}),
    Task("e", {"gpu": 1}),
    Task("", {"gpu": 1}),
    Task("f", {"gpu": 1}, devices=1, device_share=5),
    Task("g", {"gpu": 1}, requirements=["zone"]),
]
OFFERS = [Offer("o", {"gpu": -4}), Offer("p", {"gpu": 1}), Offer("q", {"gpu": 1}, {"gpu": 0}), Offer("r", {"gpu": 5})]
CODES = {
    0: "quantity-negative",
    2: "unknown-dimension",
    3: "duplicate-name",
    4: "quantity-malformed",
    6: "missing-column",
    7: "devices-malformed",
    8: "file-malformed",
}


def test_all_bad_rows_are_named_in_one_error(packed):
    with pytest.raises(InputError) as caught:
        packed.match(TASKS, [OFFERS[1]])
    error = caught.value
    assert (error.code, error.place) == ("quantity-negative", "tasks, row 0 (a), demand.gpu")
    assert "7 rows cannot be used" in error.message
    for row in (2, 3, 4, 6, 7, 8):
        assert f"tasks, row {row}" in error.message


def test_ten_of_many_are_named_and_all_are_counted():
    with pytest.raises(InputError) as caught:
        task_columns([Task(f"t{at}", {"gpu": -1 if at % 2 else 1}) for at in range(2000)])
    assert caught.value.message.count("row ") == 9
    assert "1000 rows cannot be used" in caught.value.message
    assert caught.value.message.endswith("and 990 more")


@pytest.mark.parametrize("wrap", [lambda one: one, FallbackMatcher, Slot], ids=["alone", "fallback", "slot"])
@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_bad_rows_are_left_out_and_reported(packed, wrap, mode):
    answer = wrap(packed).match(TASKS, OFFERS, bad_rows="leave-out", mode=mode, explain=True)
    assert {one.row: one.error.code for one in answer.left_out if one.table == "tasks"} == CODES
    assert [(one.table, one.row, one.name) for one in answer.left_out[len(CODES) :]] == [
        ("offers", 0, "o"),
        ("offers", 2, "q"),
    ]
    assert answer.left_out[0].error.place == "tasks, row 0 (a), demand.gpu"
    assert answer.fallback_reason is None
    # Rows are those of the tables as they were given.
    assert [TASKS[row].name for row in answer.task_rows] == answer.task_names == ["b", "e"]
    assert [OFFERS[row].name for row in answer.offer_rows] == answer.offer_names == ["p", "r"]
    good = wrap(packed).match([TASKS[1], TASKS[5]], [OFFERS[1], OFFERS[3]], mode=mode)
    assert (answer.assignments, answer.digest) == (good.assignments, good.digest)


def test_rows_that_are_not_placed_keep_their_numbers(packed):
    tasks = [Task("a", {"gpu": -1}), Task("b", {"gpu": 9}), Task("c", {"gpu": 1})]
    answer = packed.match(tasks, OFFERS, bad_rows="leave-out", explain=True)
    assert (answer.unplaced, answer.unplaced_rows, answer.task_rows) == (["b"], [1], [2])
    assert [found.task for found in answer.explanations] == ["b"]


@pytest.mark.parametrize("make", [dict, pandas.DataFrame, polars.DataFrame, pyarrow.table])
def test_bad_rows_of_frames_are_left_out(packed, make):
    tasks = make({"name": ["a", "b", "b", "c"], "gpu": [-1, 1, 1, 2]})
    offers = make({"name": ["o", "p", None], "gpu": [None, 5, 6]})
    answer = packed.match(tasks, offers, bad_rows="leave-out", mode="shared")
    assert (
        answer.assignments
        == packed.match([Task("b", {"gpu": 1}), Task("c", {"gpu": 2})], [Offer("p", {"gpu": 5})], mode="shared").assignments
    )
    assert [(one.table, one.row, one.name, one.error.code) for one in answer.left_out] == [
        ("tasks", 0, "a", "quantity-negative"),
        ("tasks", 2, "b", "duplicate-name"),
        ("offers", 0, "o", "quantity-malformed"),
        ("offers", 2, "", "missing-column"),
    ]


def test_where_every_row_is_bad_nothing_is_placed(packed):
    answer = packed.match([Task("a", {"gpu": -1})], [Offer("o", {"gpu": -1})], bad_rows="leave-out")
    assert (len(answer), answer.unplaced, len(answer.left_out)) == (0, [], 2)


def test_what_is_wrong_with_the_whole_table_is_refused_all_the_same(packed):
    for tasks in ({"id": ["a"]}, {"name": ["a"], "gpu": [1, 2]}, 5):
        with pytest.raises(InputError):
            packed.match(tasks, OFFERS[1:2], bad_rows="leave-out")
    with pytest.raises(InputError) as caught:
        packed.match([], [], bad_rows="ignore")
    assert (caught.value.code, caught.value.place) == ("setting-malformed", "bad_rows")


def test_a_pool_leaves_out_offers_and_tasks(packed):
    with packed.open(OFFERS, bad_rows="leave-out") as pool:
        assert [one.name for one in pool.left_out] == ["o", "q"]
        assert len(pool) == 2
        answer = pool.assign(TASKS, bad_rows="leave-out", explain=True)
        assert {one.row: one.error.code for one in answer.left_out} == CODES
        assert answer.task_rows == [1, 5]
        with pytest.raises(InputError):
            pool.assign(TASKS)


def test_finding_bad_rows_among_many_looks_at_few_of_them(monkeypatch):
    from offermatch.tables import rows

    asked = []
    build = rows.tasks_in
    monkeypatch.setattr(rows, "tasks_in", lambda found, *said: asked.append(len(found)) or build(found, *said))
    tasks = [Task(f"t{at}", {"gpu": -1 if at == 777 else 1}) for at in range(20_000)]
    with pytest.raises(InputError, match="row 777"):
        task_columns(tasks)
    assert len(asked) < 40
    assert sum(asked) < 4 * len(tasks)


@pytest.mark.parametrize("wrong", [5, None, 1.5, True, ["a", 5], {"a": 1}])
@pytest.mark.parametrize("ask", [is_in, not_in])
def test_only_text_is_compared_with_text(ask, wrong):
    with pytest.raises(InputError) as caught:
        ask("zone", wrong)
    assert caught.value.code == "file-malformed"
    assert "'zone'" in str(caught.value)


@pytest.mark.parametrize("values", [["a", "b"], ("a", "b"), {"a", "b"}, frozenset(("b", "a"))])
def test_a_collection_of_values_is_the_values(values):
    assert is_in("zone", values) == is_in("zone", "a", "b")
    assert not_in("zone", values) == not_in("zone", "a", "b")


@pytest.mark.parametrize(
    "ask", [lambda: is_in("zone"), lambda: not_in("zone"), lambda: is_in("zone", []), lambda: is_in(5, "a")]
)
def test_a_requirement_has_an_attribute_and_values(ask):
    with pytest.raises(InputError):
        ask()


@pytest.mark.parametrize("tasks", [[Task("t", {"gpu": 1}), Task("u", {"gpu": 1}, [not_in("zoen", "1")])]])
def test_an_attribute_that_no_offer_has_is_told(packed, tasks):
    offers = [Offer("p", {"gpu": 1}, attributes={"zone": "1"}), Offer("q", {"gpu": 1})]
    answer = packed.match(tasks, offers)
    assert len(answer) == 2
    assert answer.remarks == ["tasks, row 1 (u), requirements: no offer has the attribute 'zoen'"]
    assert packed.match(tasks[:1], offers).remarks == []
    with pytest.raises(InputError) as caught:
        packed.match(tasks, offers, strict=True)
    assert (caught.value.code, caught.value.place) == ("unknown-attribute", "tasks, row 1 (u), requirements")
    assert "zone" in caught.value.hint
    with packed.open(offers, attributes=["rack"]) as pool:
        with pytest.raises(InputError):
            pool.assign(tasks, strict=True)
        assert pool.assign(tasks).remarks == answer.remarks
        assert pool.assign([Task("v", {"gpu": 1}, [not_in("rack", "1")])], strict=True).remarks == []


@pytest.mark.parametrize("form", ["json", "csv"])
def test_bad_rows_of_files_are_left_out(packed, tmp_path, form, capsys):
    tasks, offers = tmp_path / f"tasks.{form}", tmp_path / f"offers.{form}"
    if form == "json":
        tasks.write_text(
            '[{"name": "a", "demand": {"gpu": -1}}, {"name": "b", "demand": {"gpu": 1}}, {"name": 5},'
            ' {"name": "c", "demand": {"slots": 1}}, {"name": "d", "demand": 4}, {"name": "b"}]'
        )
        offers.write_text('[{"name": "o", "available": {"gpu": 1}}, {"name": "p", "attributes": ["ssd"]}]')
        codes = ["quantity-negative", "file-malformed", "unknown-dimension", "file-malformed", "duplicate-name"]
    else:
        tasks.write_text("name,demand.gpu,requires.zone\na,-1,\nb,1,\n,2,\nc,1,nan\nd,x,\nb,1,\n")
        offers.write_text("name,available.gpu\no,1\np,x\n")
        codes = ["quantity-negative", "missing-column", "file-malformed", "quantity-malformed", "duplicate-name"]
    answer = packed.match(tasks, offers, bad_rows="leave-out")
    assert answer.task_names == ["b"]
    assert [(one.row, one.error.code) for one in answer.left_out[:-1]] == list(zip((0, 2, 3, 4, 5), codes, strict=True))
    assert answer.left_out[-1].error.place.startswith(f"{offers}, row 1 (p)")
    with pytest.raises(InputError, match="5 rows cannot be used") as caught:
        packed.match(tasks, [Offer("o", {"gpu": 1})])
    assert caught.value.code == "quantity-negative"
    # The program says the same.
    arguments = ["match", "--tasks", str(tasks), "--offers", str(offers)]
    assert run([*arguments, "--bad-rows", "leave-out"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [one["task"] for one in found["assignments"]] == ["b"]
    assert [one["code"] for one in found["left_out"][:-1]] == codes
    assert err.count("left out[") == 6
    assert run(arguments) == 1
    assert "rows cannot be used" in capsys.readouterr().err


def test_a_unit_may_be_of_a_dimension_that_only_rows_name_which_are_left_out(packed):
    tasks = [Task("a", {"cpu": 500}), Task("b", {"gpu": 1})]
    answer = packed.match(tasks, OFFERS[1:2], bad_rows="leave-out", units={"cpu": "millicores"})
    assert (answer.task_names, [one.error.code for one in answer.left_out]) == (["b"], ["unknown-dimension"])
