"""Tables of rows are bounded before memory is spent on them, whatever they are made of."""

import itertools
import json

import pytest

from offermatch import InputError, Matcher, Offer, Task
from offermatch.formats import documents
from offermatch.formats.files import read_offers, read_tasks
from offermatch.tables import most
from offermatch.tables.input import offer_columns, task_columns

MOST = 100


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """Let a table have few rows."""
    monkeypatch.setattr(most, "MOST_ROWS", MOST)


def is_refused(read, source):
    with pytest.raises(InputError) as caught:
        read()
    assert (caught.value.code, caught.value.place) == ("too-many-rows", source)
    assert caught.value.message == "the table has more than 100 rows"
    assert caught.value.hint == "split the table, or see that it is the right one"


def rows(kind, count=None):
    for at in itertools.count() if count is None else range(count):
        yield {"tasks": Task(f"t{at}", {"cpu": 1}), "offers": Offer(f"o{at}", {"cpu": 1})}[kind]


@pytest.mark.parametrize(("kind", "build"), [("tasks", task_columns), ("offers", offer_columns)])
def test_rows_that_do_not_end_are_refused(kind, build):
    taken = rows(kind)
    is_refused(lambda: build(taken), kind)
    # No more of them were taken than tell that they are too many.
    assert next(taken).name == f"{kind[0]}{MOST + 1}"
    assert len(build(rows(kind, MOST))) == MOST


def test_match_refuses_them_too():
    matcher = Matcher.load()
    is_refused(lambda: matcher.match(rows("tasks"), [Offer("a", {"cpu": 1})]), "tasks")
    is_refused(lambda: matcher.match([Task("t", {"cpu": 1})], rows("offers")), "offers")
    assert len(matcher.match(rows("tasks", 2), rows("offers", 3))) == 2


def test_lists_and_columns_are_counted():
    is_refused(lambda: task_columns([{"name": str(at), "cpu": 1} for at in range(MOST + 1)], ("cpu",)), "tasks")
    columns = {"name": [str(at) for at in range(MOST + 1)], "cpu": [1] * (MOST + 1)}
    is_refused(lambda: task_columns(columns, ("cpu",)), "tasks")
    assert len(task_columns({name: column[:MOST] for name, column in columns.items()}, ("cpu",))) == MOST


class Stream:
    """Batches of ten rows, so many of them."""

    def __init__(self, batches):
        self.batches, self.read = batches, 0

    def __arrow_c_stream__(self, requested_schema=None):
        pyarrow = pytest.importorskip("pyarrow")
        schema = pyarrow.schema([("name", pyarrow.string()), ("cpu", pyarrow.int64())])

        def batches():
            for number in self.batches:
                self.read += 1
                names = [f"t{number}-{at}" for at in range(10)]
                yield pyarrow.record_batch([names, [1] * 10], schema=schema)

        return pyarrow.RecordBatchReader.from_batches(schema, batches()).__arrow_c_stream__(requested_schema)


def test_an_arrow_stream_that_does_not_end_is_refused():
    endless = Stream(itertools.count())
    is_refused(lambda: task_columns(endless, ("cpu",)), "tasks")
    assert endless.read == MOST // 10 + 1
    assert len(task_columns(Stream(range(10)), ("cpu",))) == MOST


def table(form, count):
    tasks = [{"name": f'a,{{"[{at}', "demand": {"cpu": 1, "memory": 2}, "requirements": []} for at in range(count)]
    match form:
        case "json":
            return json.dumps(tasks)
        case "units.json":
            return json.dumps({"units": {"cpu": "cores", "memory": "bytes"}, "tasks": tasks})
        case "jsonl":
            return "\n\n".join([json.dumps({"units": {"cpu": "cores"}}), *map(json.dumps, tasks), "\n"])
        case "csv":
            return "name,demand.cpu\r\n" + "".join(f'"a\n{at}",1\r\n\r\n' for at in range(count))
    return None


@pytest.mark.parametrize("form", ["json", "units.json", "jsonl", "csv"])
def test_the_rows_of_a_file_are_counted_before_they_are_read(tmp_path, monkeypatch, form):
    path = tmp_path / f"tasks.{form}"
    path.write_text(table(form, MOST), newline="")
    assert len(read_tasks(path)) == MOST
    path.write_text(table(form, MOST + 1), newline="")
    read, decoded = [], documents.decoded
    monkeypatch.setattr(documents, "decoded", lambda text, *more, **said: read.append(text) or decoded(text, *more, **said))
    is_refused(lambda: read_tasks(path), str(path))
    # Lines are counted without the first one where that has the units.
    assert read == (['{"units": {"cpu": "cores"}}'] if form == "jsonl" else [])


def test_the_rows_of_a_parquet_file_are_counted_before_they_are_read(tmp_path):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "offers.parquet"
    for count in (MOST, MOST + 1):
        names = [f"o{at}" for at in range(count)]
        parquet.write_table(pyarrow.table({"name": names, "available.cpu": [1] * count}), path)
        if count == MOST:
            assert len(read_offers(path)) == MOST
    is_refused(lambda: read_offers(path), str(path))
