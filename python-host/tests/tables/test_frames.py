"""Rows and tables as users have them: the same tasks and offers, whatever they are made of."""

import asyncio
import json
import sqlite3
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import nanoarrow
import numpy
import pandas
import polars
import pyarrow
import pytest

from offermatch import Assignment, InputError, Offer, Task, is_in, match_tasks_to_offers
from offermatch.tables.input import offer_columns, task_columns

TASKS = {"name": ["a", "b", "c"], "gpu": [1, 2, 9], "slots": [5, 5, 5]}
OFFERS = {"name": ["x", "y"], "gpu": [1, 4], "slots": [6, 6]}
PLACED = [Assignment("a", "x", 1 / 6), Assignment("b", "y", 0.5 + 1 / 6)]


class OnlyStream:
    """A table of a library that is not known here, which speaks Arrow."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class OnlyBatch:
    def __init__(self, table):
        (self._batch,) = table.to_batches()

    def __arrow_c_array__(self, requested_schema=None):
        return self._batch.__arrow_c_array__(requested_schema)


class OnlyInterchange:
    def __init__(self, table):
        self._table = table

    def __dataframe__(self, nan_as_null=False, allow_copy=True):
        return self._table.__dataframe__(nan_as_null, allow_copy)


def records(table):
    return [dict(zip(table, values, strict=True)) for values in zip(*table.values(), strict=True)]


def database_rows(table):
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    connection.execute("create table t (name, gpu, slots, note default 'of no matter')")
    connection.executemany("insert into t (name, gpu, slots) values (?, ?, ?)", zip(*table.values(), strict=True))
    rows = connection.execute("select * from t order by rowid").fetchall()
    connection.close()
    return rows


def alchemy_rows(table):
    import sqlalchemy

    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        selects = [
            sqlalchemy.text(f"select '{name}' as name, {gpu} as gpu, {slots} as slots")
            for name, gpu, slots in zip(*table.values(), strict=True)
        ]
        rows = [connection.execute(one).one() for one in selects]
    engine.dispose()
    return rows


def flat_objects(table):
    @dataclass
    class Flat:
        name: str
        gpu: int
        slots: int

    return [Flat(**row) for row in records(table)]


FRAMES = {
    "a dictionary of lists": dict,
    "a dictionary of arrays": lambda table: {name: numpy.array(column) for name, column in table.items()},
    "pandas": pandas.DataFrame,
    "pandas with the names as index": lambda table: pandas.DataFrame(table).set_index("name"),
    "pandas with a shuffled index": lambda table: pandas.DataFrame(table, index=[9, 3, 5][: len(table["name"])]),
    "pandas by Arrow": lambda table: pandas.DataFrame(table).convert_dtypes(dtype_backend="pyarrow"),
    "pandas nullable": lambda table: pandas.DataFrame(table).convert_dtypes(),
    "pandas with categories": lambda table: pandas.DataFrame(table).astype({"name": "category"}),
    "polars": polars.DataFrame,
    "pyarrow table": pyarrow.table,
    "pyarrow table in chunks": lambda table: pyarrow.concat_tables([pyarrow.table(table)[:1], pyarrow.table(table)[1:]]),
    "pyarrow batch": pyarrow.RecordBatch.from_pydict,
    "pyarrow reader": lambda table: pyarrow.table(table).to_reader(),
    "pyarrow structs": lambda table: pyarrow.table(table).to_struct_array().combine_chunks(),
    "pyarrow structs in chunks": lambda table: pyarrow.table(table).to_struct_array(),
    "a list of pyarrow batches": lambda table: pyarrow.table(table).to_batches(max_chunksize=1),
    "nanoarrow array": lambda table: nanoarrow.Array(pyarrow.record_batch(table)),
    "nanoarrow stream": lambda table: nanoarrow.ArrayStream(pyarrow.table(table)),
    "Arrow stream": lambda table: OnlyStream(pyarrow.table(table)),
    "Arrow array": lambda table: OnlyBatch(pyarrow.table(table)),
    "interchange": lambda table: OnlyInterchange(pyarrow.table(table)),
    "numpy records": lambda table: pandas.DataFrame(table).to_records(index=False),
}

FLAT_ROWS = {
    "dictionaries": records,
    "to_dict": lambda table: pandas.DataFrame(table).to_dict("records"),
    "sqlite3.Row": database_rows,
    "SQLAlchemy rows": alchemy_rows,
    "SQLAlchemy mappings": lambda table: [row._mapping for row in alchemy_rows(table)],
    "objects": flat_objects,
    "namedtuples": lambda table: [namedtuple("Row", table)(**row) for row in records(table)],
    "itertuples": lambda table: list(pandas.DataFrame(table).itertuples()),
    "namespaces": lambda table: [SimpleNamespace(**row) for row in records(table)],
    "a generator": lambda table: (row for row in records(table)),
    "some of either": lambda table: [row if at else SimpleNamespace(**row) for at, row in enumerate(records(table))],
}


@pytest.mark.parametrize("make", FRAMES.values(), ids=FRAMES)
def test_a_frame_is_matched_in_one_line(packed, make):
    assert packed.match(make(TASKS), make(OFFERS)).assignments == PLACED


@pytest.mark.parametrize("make", [*FRAMES.values(), *FLAT_ROWS.values()], ids=[*FRAMES, *FLAT_ROWS])
def test_the_dimensions_may_be_named(packed, make):
    found = packed.match(make(TASKS), make(OFFERS), dimensions=("gpu",))
    assert found.assignments == [Assignment("a", "x", 0.0), Assignment("b", "y", 0.5)]


def test_rows_of_a_real_postgresql(packed, postgresql):
    import psycopg
    from psycopg.rows import dict_row, namedtuple_row

    url = postgresql.database().replace("postgresql+psycopg", "postgresql")
    for factory in (dict_row, namedtuple_row):
        with psycopg.connect(url, row_factory=factory) as connection:
            tasks = connection.execute("select * from (values ('a', 1), ('b', 2)) as t (name, gpu)").fetchall()
            offers = connection.execute("select * from (values ('x', 1), ('y', 4)) as t (name, gpu)").fetchall()
        assert packed.match(tasks, offers, dimensions=["gpu"]).offer_names == ["x", "y"]


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table, dict, records])
def test_names_that_are_integers_of_a_column_of_another_name(packed, make):
    tasks, offers = {"task_id": [10, 11], "gpu": [1, 1]}, {"task_id": [2**64 + 1, 5], "gpu": [1, 1]}
    if make is not records:
        offers["task_id"] = [7, 5]
    answer = packed.match(make(tasks), make(offers), name="task_id", dimensions=["gpu"])
    assert answer.task_names == ["10", "11"]
    assert set(answer.offer_names) == set(map(str, offers["task_id"]))


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table, dict])
def test_a_frame_has_the_columns_of_csv(packed, make):
    tasks = make(
        {
            "name": ["a", "b", "c"],
            "demand.gpu": [1, 1, 1],
            "requires.zone": ["x|y", None, "!x"],
            "devices": [1, 0, 0],
            "device_share": [0, 500, 0],
        }
    )
    offers = make(
        {
            "name": ["o", "p"],
            "available.gpu": [2, 3],
            "capacity.gpu": [4, 4],
            "attribute.zone": ["y", None],
            "devices": [1, 1],
        }
    )
    rows = [
        Task("a", {"gpu": 1}, [is_in("zone", "x", "y")], devices=1),
        Task("b", {"gpu": 1}, device_share=500),
        Task("c", {"gpu": 1}, [{"attribute": "zone", "not_in": ["x"]}]),
    ]
    servers = [
        Offer("o", {"gpu": 2}, {"gpu": 4}, {"zone": "y"}, 1),
        Offer("p", {"gpu": 3}, {"gpu": 4}, devices=1),
    ]
    for mode in ("exclusive", "shared"):
        assert packed.match(tasks, offers, mode=mode).assignments == packed.match(rows, servers, mode=mode).assignments != []


@pytest.mark.parametrize("make", [pandas.DataFrame, polars.DataFrame, pyarrow.table, dict])
def test_a_frame_may_have_rows_of_the_json_shape(packed, make):
    tasks = make({"name": ["a"], "demand": [{"gpu": 1}], "requirements": [[{"attribute": "zone", "in": ["y"]}]]})
    offers = make(
        {
            "name": ["o", "p"],
            "available": [{"gpu": 1}, {"gpu": 1}],
            "attributes": [{"zone": "x"}, {"zone": "y"}],
            "devices": [[500, 1000], [250]],
        }
    )
    assert packed.match(tasks, offers).offer_names == ["p"]
    assert offer_columns(offers).devices.free.tolist() == [500, 1000, 250]


def test_files_are_given_by_their_paths(packed, tmp_path):
    tasks, offers = tmp_path / "tasks.json", tmp_path / "offers.csv"
    tasks.write_text(json.dumps([{"name": "t", "demand": {"gpu": 1}}]))
    offers.write_text("name,available.gpu\no,2\n")
    assert packed.match(tasks, str(offers)).offer_names == ["o"]
    with packed.open(offers) as pool:
        assert pool.assign(str(tasks)).offer_names == ["o"]
    with pytest.raises(InputError) as caught:
        packed.match(tmp_path / "none.json", offers)
    assert caught.value.code == "file-unreadable"


def test_requirements_of_a_column_share_their_objects():
    table = task_columns({"name": list("abcd"), "requires.zone": ["x", "x", "y", None]})
    assert table.requirements[0] is table.requirements[1]
    assert [len(row) for row in table.requirements] == [1, 1, 1, 0]


def test_a_table_without_rows(packed):
    for empty in ([], {"name": [], "gpu": []}, pandas.DataFrame({"name": [], "gpu": []}), polars.DataFrame({"name": []})):
        assert packed.match(empty, OFFERS).assignments == []
        assert packed.match(TASKS, empty).unplaced == ["a", "b", "c"]


def test_a_pool_takes_frames(packed):
    with packed.open(pandas.DataFrame(OFFERS), mode="shared") as pool:
        assert pool.assign(polars.DataFrame(TASKS)).assignments[0].task == "a"
        pool.update(added=pyarrow.table({"name": ["z"], "gpu": [9], "slots": [9]}))
        assert pool.assign({"name": ["last"], "gpu": [9], "slots": [9]}).offer_names == ["z"]


def test_an_event_loop_takes_frames(packed):
    assert asyncio.run(packed.match_async(pandas.DataFrame(TASKS), OFFERS)).assignments == PLACED


TWICE = pandas.DataFrame([["a", 1, 2]], columns=["name", "gpu", "gpu"])


@pytest.mark.parametrize(
    ("tasks", "code", "place", "says"),
    [
        (3, "file-malformed", "tasks", "3 is no table"),
        (None, "file-malformed", "tasks", "None is no table"),
        (object(), "file-malformed", "tasks", "is no table"),
        ([{"name": "a", 7: 1}], "unknown-column", "tasks, row 0 (a)", "there is no 7"),
        ([{"name": "a", None: 1}], "unknown-column", "tasks, row 0 (a)", "there is no None"),
        (pandas.DataFrame({"id": ["a"], "gpu": [1]}), "missing-column", "tasks", "name=..."),
        (pandas.DataFrame({"gpu": [1]}, index=["a"]), "missing-column", "tasks", "name=..."),
        (polars.DataFrame({"id": ["a"]}), "missing-column", "tasks", "the columns are id"),
        (polars.DataFrame(TASKS).lazy(), "file-malformed", "tasks", "collect()"),
        (TWICE, "file-malformed", "tasks", "'gpu' stands twice"),
        (pyarrow.table([["a"], [1], [2]], names=["name", "gpu", "gpu"]), "file-malformed", "tasks", "stands twice"),
        (pandas.DataFrame({"name": ["a"], 7: [1]}), "file-malformed", "tasks", "a column is called 7"),
        (pandas.DataFrame({("name", ""): ["a"], ("gpu", "x"): [1]}), "file-malformed", "tasks", "a column is called"),
        ({"name": "ab", "gpu": [1, 2]}, "column-length", "tasks, name", "'ab' is no column"),
        ({"name": ["a"], "gpu": 1}, "column-length", "tasks, gpu", "1 is no column"),
        ({"name": ["a"], "gpu": {1}}, "column-length", "tasks, gpu", "no column"),
        ({"name": ["a"], "gpu": [1, 2]}, "column-length", "tasks, gpu", "2 values stand beside 1 names"),
        ({"name": ["a", None], "gpu": [1, 2]}, "missing-column", "tasks, row 1, name", "the name is missing"),
        (pandas.DataFrame({"name": ["a", None], "gpu": [1, 2]}), "missing-column", "tasks, row 1, name", "missing"),
        ({"name": [True], "gpu": [1]}, "file-malformed", "tasks, row 0, name", "True is not text"),
        ({"name": [1.5], "gpu": [1]}, "file-malformed", "tasks, row 0, name", "1.5 is not text"),
        ({"name": [5, "5"], "gpu": [1, 1]}, "duplicate-name", "tasks, row 1 (5), name", "the name of row 0"),
        (pandas.DataFrame({"name": ["a", "a"], "gpu": [1, 2]}), "duplicate-name", "tasks, row 1 (a), name", "row 0"),
        ({"name": ["a"], "gpu": ["many"]}, "quantity-malformed", "tasks, row 0 (a), demand.gpu", "many"),
        ({"name": ["a"], "owner": ["bob"]}, "quantity-malformed", "tasks, row 0 (a), demand.owner", "dimensions=(...)"),
        ({"name": ["a"], "demand.gpu": [1], "owner": ["bob"]}, "unknown-column", "tasks", "dimensions=(...)"),
        ([{"name": "a", "gpu": 1}], "unknown-column", "tasks, row 0 (a)", "dimensions=(...)"),
        ([{"name": "a", "demand": {"gpu": 1}}, {"name": "b", "gpu": 1}], "unknown-column", "tasks, row 1 (b)", "'gpu'"),
        ({"name": ["a"], "requires.zone": [3]}, "file-malformed", "tasks, row 0 (a), requires.zone", "3 is not text"),
        ({"name": ["a"], "demand": [5]}, "file-malformed", "tasks, row 0 (a), demand", "5 is not a mapping"),
        ({"name": ["a"], "devices": ["x"]}, "quantity-malformed", "tasks, row 0 (a), devices", "x"),
        ({"name": ["a"], "device_share": [None]}, "quantity-malformed", "tasks, row 0 (a), device_share", "null"),
        ([Task("t", {"gpu": 1}, requirements=["numpy"])], "file-malformed", "tasks, row 0 (t), requirements.0", "numpy"),
        ([Task("t", {"gpu": 1}, requirements="numpy")], "file-malformed", "tasks, row 0 (t), requirements", "numpy"),
        ([Task("t", {"gpu": 1}, requirements=5)], "file-malformed", "tasks, row 0 (t), requirements", "5 is not a list"),
        ([Task("t", None)], "file-malformed", "tasks, row 0 (t), demand", "None is not a mapping"),
        (["a", "b"], "missing-column", "tasks, row 0, name", "missing"),
        ([("a", 1)], "missing-column", "tasks, row 0, name", "missing"),
        ([None], "missing-column", "tasks, row 0, name", "missing"),
        (pandas.Series([1, 2]), "missing-column", "tasks, row 0, name", "missing"),
        (numpy.zeros((2, 2)), "missing-column", "tasks, row 0, name", "missing"),
    ],
)
def test_odd_tasks(packed, tasks, code, place, says):
    with pytest.raises(InputError) as caught:
        packed.match(tasks, OFFERS)
    assert (caught.value.code, caught.value.place) == (code, place)
    assert says in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("offers", "code", "place", "says"),
    [
        ([Offer("o", {"gpu": 1}, capacity=5)], "file-malformed", "offers, row 0 (o), capacity", "5 is not a mapping"),
        ([Offer("o", {"gpu": 1}, attributes=["ssd"])], "file-malformed", "offers, row 0 (o), attributes", "['ssd']"),
        ([Offer("o", {"gpu": 1}, attributes="ssd")], "file-malformed", "offers, row 0 (o), attributes", "'ssd'"),
        ([Offer("o", ["gpu"])], "file-malformed", "offers, row 0 (o), available", "['gpu'] is not a mapping"),
        ([Offer("o", {"gpu": 1}, devices={1: 2})], "quantity-malformed", "offers, row 0 (o), devices", "{1: 2}"),
        ([Offer("o", {"gpu": 1}, devices="x")], "quantity-malformed", "offers, row 0 (o), devices", "x"),
        ([Offer("o", {"gpu": 1}, devices=[None])], "quantity-malformed", "offers, row 0 (o), devices", "null"),
        ([{"name": "o", "devices": None}], "quantity-malformed", "offers, row 0 (o), devices", "None"),
        ({"name": ["o"], "gpu": [1], "attribute.rack": [3]}, "file-malformed", "offers, row 0 (o), attributes.rack", "3"),
        ({"name": ["o"], "gpu": [None]}, "quantity-malformed", "offers, row 0 (o), available.gpu", "null"),
        ({"name": ["o"], "gpu": [4], "capacity.gpu": [3]}, "capacity-exceeded", "offers, row 0 (o), available.gpu", "4"),
        (
            {"name": ["o"], "gpu": [4], "capacity": [3]},
            "file-malformed",
            "offers, row 0 (o), capacity",
            "3 is not a mapping",
        ),
        (
            pandas.DataFrame({"name": ["o"], "gpu": [float("nan")]}),
            "quantity-malformed",
            "offers, row 0 (o), available.gpu",
            "null",
        ),
        ({"name": ["o"], "gpu": [float("inf")]}, "quantity-not-finite", "offers, row 0 (o), available.gpu", "inf"),
        ([{"name": "o"}, {"gpu": 1}], "missing-column", "offers, row 1, name", "missing"),
    ],
)
def test_odd_offers(packed, offers, code, place, says):
    with pytest.raises(InputError) as caught:
        packed.match(TASKS, offers)
    assert (caught.value.code, caught.value.place) == (code, place)
    assert says in str(caught.value)
    assert caught.value.hint


def test_flat_rows_that_lack_a_dimension(packed):
    for rows in ([{"name": "a", "gpu": 1}, {"name": "b"}], [SimpleNamespace(name="a", gpu=1), SimpleNamespace(name="b")]):
        with pytest.raises(InputError) as caught:
            packed.match(rows, OFFERS, dimensions=("gpu",))
        assert (caught.value.code, caught.value.place) == ("missing-column", "tasks, row 1 (b)")
    with pytest.raises(InputError) as caught:
        packed.match({"name": ["a"]}, OFFERS, dimensions=("gpu",))
    assert (caught.value.code, caught.value.place) == ("missing-column", "tasks")


def test_a_table_that_fails_to_read_is_refused_in_our_words(packed):
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise RuntimeError("the disk is gone")

    with pytest.raises(InputError, match="the disk is gone") as caught:
        packed.match(Broken(), OFFERS)
    assert caught.value.code == "file-malformed"


@pytest.mark.parametrize(
    "column", [pyarrow.array([1, 2]), pyarrow.chunked_array([["a"]]), nanoarrow.Array([1], nanoarrow.int64())]
)
def test_a_column_is_no_table(packed, column):
    with pytest.raises(InputError) as caught:
        packed.match(column, OFFERS)
    assert caught.value.code in ("file-malformed", "missing-column")


def test_a_table_that_only_arrow_reads_needs_pyarrow(packed, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.interchange", None)
    with pytest.raises(InputError, match=r"offermatch\[frames\]") as caught:
        packed.match(OnlyStream(pyarrow.table(TASKS)), OFFERS)
    assert caught.value.code == "extra-missing"


def test_the_drop_in_takes_frames_and_a_mode():
    assert match_tasks_to_offers(pandas.DataFrame(TASKS), OFFERS) == {"x": "a", "y": "b"}
    both = {"name": ["a", "b"], "gpu": [1, 1], "slots": [1, 1]}
    assert match_tasks_to_offers(both, {"name": ["x"], "gpu": [2], "slots": [2]}, mode="shared") == {"x": ["a", "b"]}


def test_an_event_loop_goes_on_while_a_pool_places(packed):
    async def main():
        with packed.open(OFFERS) as pool:
            answers = await asyncio.gather(*(pool.assign_async(polars.DataFrame(TASKS)[at : at + 1]) for at in range(3)))
        return sorted(name for answer in answers for name in answer.task_names)

    assert asyncio.run(main()) == ["a", "b"]


def test_type_checkers_refuse_what_is_no_table(tmp_path):
    from mypy import api

    program = tmp_path / "program.py"
    program.write_text(
        "from offermatch import Matcher, OfferColumns, TaskColumns, Task, Offer\n"
        "def fine(m: Matcher, t: TaskColumns, o: OfferColumns) -> None:\n"
        "    m.match([Task('a')], [Offer('b')])\n"
        "    m.match(t, o)\n"
        "    m.match({'name': ['a']}, 'offers.json')\n"
        "def wrong(m: Matcher, t: TaskColumns, o: OfferColumns) -> None:\n"
        "    m.match(3, 4)\n"
        "    m.match(o, t)\n"
    )
    package = Path(__file__).parents[2] / "src" / "offermatch"
    out, _, _ = api.run(["--config-file", str(package.parents[1] / "pyproject.toml"), str(program)])
    lines = [line.partition("program.py:")[2] for line in out.splitlines() if "program.py:" in line and "error" in line]
    assert [line.partition(":")[0] for line in lines] == ["7", "7", "8", "8"], out
