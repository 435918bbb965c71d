"""Files to tables, and files that cannot be read."""

import pytest

from offermatch import InputError, Offer, ReferenceMatcher, Requirement
from offermatch.formats.files import read_offers, read_tasks
from offermatch.tables.input import task_columns
from texts import CSV_OFFERS, CSV_TASKS, JSON_OFFERS, JSON_TASKS


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_json_and_csv_are_the_same_tasks(tmp_path, packed):
    tables = [read_tasks(write(tmp_path, "t.json", JSON_TASKS)), read_tasks(write(tmp_path, "t.csv", CSV_TASKS))]
    assert tables[0].demand == tables[1].demand
    assert tables[0].devices.tolist() == tables[1].devices.tolist() == [1000, 460]
    assert tables[0].requirements == tables[1].requirements
    offers = read_offers(write(tmp_path, "o.json", JSON_OFFERS))
    assert [packed.match(table, offers).digest for table in tables] == [packed.match(tables[0], offers).digest] * 2


def test_json_and_csv_are_the_same_offers(tmp_path):
    left, right = (
        read_offers(write(tmp_path, "o.json", JSON_OFFERS)),
        read_offers(write(tmp_path, "o.csv", CSV_OFFERS)),
    )
    assert (left.available, left.capacity) == (right.available, right.capacity)
    assert left.capacity["memory"].tolist() == [192 * 2**30, 0, 0]
    assert left.attributes == right.attributes
    assert [left.devices.of(row) for row in range(3)] == [[1000, 540], [1000, 1000], [540]]
    assert left.devices == right.devices


def test_openb(tmp_path):
    pods = """\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos
p0,12000,16384,1,460,A10|T4,LS
p1,1,1,2,1000,,BE
p2,1,1,0,0,,BE
"""
    nodes = "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,T4\n"
    tasks, offers = (
        read_tasks(write(tmp_path, "p.csv", pods), "openb"),
        read_offers(write(tmp_path, "n.csv", nodes), "openb"),
    )
    assert tasks.demand["memory"].tolist() == [2**34, 2**20, 2**20]
    assert tasks.devices.tolist() == [460, 2000, 0]
    assert tasks.requirements[0][0].values == ("A10", "T4")
    assert offers.devices.of(0) == [1000, 1000]
    assert offers.attributes == {"model": ["T4"]}


BAD = [
    ("t.json", "[", "file-malformed", "line 1, column 2"),
    ("t.json", "{}", "file-malformed", "line 1"),
    ("t.json", "[5]", "file-malformed", "row 0"),
    ("t.json", '[{"name": "a", "demand": {"cpu": NaN}}]', "file-malformed", "NaN"),
    ("t.json", '[{"name": "a", "name": "b"}]', "file-malformed", "twice"),
    ("t.json", b'[{"name": "\xff"}]', "file-malformed", "UTF-8"),
    ("t.json", "[" * 100_000, "file-malformed", "t.json"),
    ("t.json", '[{"name": "a", "demand": {"cpu": 0.0005}}]', "quantity-fractional", "row 0 (a), demand.cpu"),
    ("t.json", '[{"name": "a", "demand": {"cpu": true}}]', "quantity-malformed", "row 0 (a), demand.cpu"),
    ("t.json", '[{"name": "a", "demand": {"cpu": null}}]', "quantity-malformed", "row 0 (a), demand.cpu"),
    ("t.json", '[{"demand": {}}]', "missing-column", "row 0, name"),
    ("t.json", '[{"name": "a", "demands": {}}]', "unknown-column", "row 0 (a)"),
    ("t.csv", "", "missing-column", "line 1"),
    ("t.csv", "demand.cpu\n1\n", "missing-column", "line 1"),
    ("t.csv", "name,demand.\na,1\n", "unknown-column", "line 1"),
    ("t.csv", "name,cpu\na,1\n", "unknown-column", "line 1"),
    ("t.csv", "name,name\na,b\n", "file-malformed", "line 1"),
    ("t.csv", "name,demand.cpu\na\n", "file-malformed", "line 2"),
    ("t.csv", 'name\n"a\n', "file-malformed", "line"),
    ("t.csv", "name,demand.cpu\na,-5\n", "quantity-negative", "row 0 (a), demand.cpu"),
    ("t.csv", "name,demand.cpu\na,5 x\n", "quantity-unknown-unit", "row 0 (a), demand.cpu"),
    ("t.csv", "name\na\na\n", "duplicate-name", "row 1 (a), name"),
    ("t.txt", "", "file-malformed", ".txt"),
]


@pytest.mark.parametrize(("name", "text", "code", "place"), BAD)
def test_bad_files(tmp_path, name, text, code, place):
    path = write(tmp_path, name, text)
    with pytest.raises(InputError) as caught:
        read_tasks(path)
    assert caught.value.code == code
    assert place in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["nothing.json", "folder.csv"])
def test_unreadable_files(tmp_path, name):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError) as caught:
        read_offers(tmp_path / name)
    assert caught.value.code == "file-unreadable"


@pytest.mark.parametrize("asked", ["0,500", "1,1500", "1,0", "2,500", "0,1000"])
def test_openb_devices_that_cannot_be_asked_are_refused_with_their_row(tmp_path, asked):
    with pytest.raises(InputError) as caught:
        read_tasks(write(tmp_path, "p.csv", f"name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,1,1,{asked}\n"), "openb")
    assert (caught.value.code, caught.value.place[-18:]) == ("devices-malformed", "row 0 (p), gpu_milli"[-18:])


def test_blanks_around_values_are_cut_and_what_stands_for_nothing_is_refused(tmp_path):
    table = read_tasks(write(tmp_path, "t.csv", "name,requires.gpu,requires.zone\na,! V100 | T4 ,  \n"))
    assert table.requirements == [(Requirement("gpu", ("V100", "T4"), True),)]
    offers = read_offers(write(tmp_path, "o.csv", "name,attribute.gpu\na, V100 \n"))
    assert offers.attributes == {"gpu": ["V100"]}
    for name, column in (("t.csv", "requires.gpu"), ("o.csv", "attribute.gpu")):
        with pytest.raises(InputError, match="missing number"):
            (read_tasks if name == "t.csv" else read_offers)(write(tmp_path, name, f"name,{column}\na,nan\n"))


def test_a_file_declares_its_units(tmp_path):
    units, row = '{"cpu": "millicores", "scratch": "bytes"}', '{"name": "a", "demand": {"cpu": 500, "scratch": "1k"}}'
    texts = {
        "t.json": f'{{"units": {units}, "tasks": [{row}]}}',
        "t.jsonl": f'{{"units": {units}}}\n\n{row}\n',
        "t.csv": "name,demand.cpu[millicores],demand.scratch[bytes]\na,500,1k\n",
    }
    for name, text in texts.items():
        table = read_tasks(write(tmp_path, name, text))
        assert {dimension: list(column) for dimension, column in table.demand.items()} == {"cpu": [500], "scratch": [1000]}
    # What the file says counts before what is said from outside.
    table = read_tasks(write(tmp_path, "t.csv", texts["t.csv"]), units={"cpu": "cores"})
    assert table.demand["cpu"][0] == 500
    for name, text in (
        ("t.json", '{"units": {"cpu": "furlongs"}, "tasks": [{"name": "a", "demand": {"cpu": 1}}]}'),
        ("t.csv", "name,demand.cpu[furlongs]\na,1\n"),
    ):
        with pytest.raises(InputError) as caught:
            read_tasks(write(tmp_path, name, text))
        assert caught.value.code == "setting-malformed"


def test_a_unit_of_no_dimension_is_refused_by_whoever_has_all_tables(tmp_path):
    """A table that is read alone may declare what the other one has."""
    units = '{"units": {"scratch": "bytes"}, "%s": [{"name": "a", "%s": {"cpu": 1}}]}'
    tasks = write(tmp_path, "t.json", units % ("tasks", "demand"))
    offers = write(tmp_path, "o.json", units % ("offers", "available"))
    assert read_tasks(tasks).units == {"scratch": "bytes"}
    matcher = ReferenceMatcher()
    assert matcher.match(tasks, [Offer("o", {"cpu": 1, "scratch": 1})]).assignments
    calls = (
        (tasks, lambda: matcher.match(tasks, [Offer("o", {"cpu": 1})])),
        (tasks, lambda: matcher.open([Offer("o", {"cpu": 1})]).assign(tasks)),
        (offers, lambda: matcher.match([], offers)),
        (offers, lambda: matcher.open(offers)),
        (offers, lambda: matcher.open([], dimensions=["cpu"]).update(added=offers)),
    )
    for path, call in calls:
        with pytest.raises(InputError) as caught:
            call()
        found = (caught.value.code, caught.value.place, caught.value.hint)
        hint = "correct the spelling or leave the unit out; the dimensions are cpu"
        assert found == ("setting-malformed", f"{path}, units", hint)


def test_openb_needs_its_columns(tmp_path):
    with pytest.raises(InputError) as caught:
        read_tasks(write(tmp_path, "p.csv", "name,cpu_milli\n"), "openb")
    assert caught.value.code == "missing-column"
    pods = "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\np,1,1,2,500,\n"
    with pytest.raises(InputError) as caught:
        read_tasks(write(tmp_path, "p.csv", pods), "openb")
    assert caught.value.code == "devices-malformed"


@pytest.mark.parametrize(
    ("digits", "code"),
    [
        ("1e99999999999999999999", "quantity-too-large"),
        ("1e-99999999999999999999", "quantity-fractional"),
        ("-1E+99999999999999999999", "quantity-negative"),
    ],
)
def test_an_exponent_beyond_any_is_a_mistake_of_the_quantity(tmp_path, digits, code):
    path = tmp_path / "tasks.json"
    path.write_text(f'[{{"name": "a", "demand": {{"cpu": {digits}}}}}]')
    with pytest.raises(InputError) as caught:
        task_columns(read_tasks(path))
    assert caught.value.code == code


def test_a_csv_cell_has_its_limit(tmp_path):
    text = "name,demand.slots\n{},1\n"
    assert len(read_tasks(write(tmp_path, "fits.csv", text.format("ä" * 131_072)))) == 1
    with pytest.raises(InputError) as caught:
        read_tasks(write(tmp_path, "long.csv", text.format("ä" * 131_073)))
    assert caught.value.code == "file-malformed"
