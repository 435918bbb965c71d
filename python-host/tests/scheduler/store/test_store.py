"""The task store: one suite over SQLite and PostgreSQL."""

import json
import subprocess
import threading
import time
import zlib
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from offermatch import InputError, is_in, not_in
from offermatch.errors import StoreError
from offermatch.scheduler.store import Store, Verdict
from offermatch.scheduler.store.schema import HEAD, metadata
from offermatch.scheduler.submission import Submission, read_submissions
from offermatch.tables.devices import Devices
from offermatch.tables.offers import OfferColumns


@pytest.fixture
def lease(store):
    return store.lease(60)


def chain(*names):
    """Return tasks each of which needs the one before."""
    return [Submission(name, needs=names[at - 1 : at] if at else ()) for at, name in enumerate(names)]


def ready(store):
    return store.processable(1000).columns.names


def run(store, lease, outcome, reason=""):
    """Claim and end everything that is ready, once all pauses are over."""
    found = store.processable(1000, at=time.time() + 60)
    claims = store.claim(lease, found.ids, ["server"] * len(found.ids))
    store.settle(lease, [Verdict(claim.id, "running") for claim in claims])
    return store.settle(lease, [Verdict(claim.id, outcome, reason) for claim in claims])


def states(store, *names):
    return [store.shown(name).state for name in names]


# ---- submitting --------------------------------------------------------------------------------------------------------


def test_what_is_read_is_what_was_submitted(store):
    store.submit(
        [
            Submission("low", {"cpu": "2 cores"}),
            Submission("high", {"cpu": 0.5, "disk": 2**64 - 1}, [is_in("zone", "a", "b"), not_in("gpu", "T4")], priority=5),
            Submission("devices", {}, devices=2, priority=5),
            Submission("share", {}, device_share=460, priority=-1),
            Submission("waits", needs=["low"], priority=9),
        ]
    )
    found = store.processable(10)
    columns = found.columns
    assert columns.names == ["high", "devices", "low", "share"]
    assert {name: list(column) for name, column in columns.demand.items()} == {
        "cpu": [500, 0, 2000, 0],
        "disk": [2**64 - 1, 0, 0, 0],
    }
    assert list(columns.devices) == [0, 2000, 0, 460]
    assert list(map(list, columns.requirements)) == [[is_in("zone", "a", "b"), not_in("gpu", "T4")], [], [], []]
    assert store.processable(2).columns.names == ["high", "devices"]
    assert store.counts() == {"ready": 4, "pending": 1}


def test_payloads_and_inputs_come_back(store):
    copied = {"source": "/data/w", "target": "/node/w", "digest": "blake3:00"}
    numbers = store.submit([Submission("t", payload={"run": ["a", 1.5, None]}, inputs=["x", copied]), Submission("u")])
    wanted = store.wanted(numbers)
    assert list(wanted) == numbers[:1]
    assert (wanted[numbers[0]].payload, wanted[numbers[0]].inputs) == ({"run": ["a", 1.5, None]}, ["x", copied])


@pytest.mark.parametrize(
    ("rows", "code", "words"),
    [
        ([*chain("a", "b"), Submission("c", needs=["c"])], "dependency-cycle", "c needs c"),
        (
            [Submission("a", needs=["c"]), Submission("b", needs=["a"]), Submission("c", needs=["b"])],
            "dependency-cycle",
            "needs",
        ),
        ([Submission("a"), Submission("b", needs=["nobody"])], "dependency-unknown", "'nobody'"),
        ([Submission("a"), Submission("a")], "duplicate-name", "row 1 (a), name"),
        ([Submission("a"), Submission("old")], "duplicate-name", "'old'"),
        ([Submission("a", payload={"x": {1, 2}})], "payload-malformed", "not JSON"),
        ([Submission("a", payload={"x": float("nan")})], "payload-malformed", "not JSON"),
        ([Submission("a", payload=["x"])], "payload-malformed", "not a mapping"),
        ([Submission("a", payload={"inputs": 1})], "payload-malformed", "inputs"),
        ([Submission("a", inputs=[{"source": "x"}])], "file-malformed", "no input"),
        ([Submission("a", inputs=[7])], "file-malformed", "no input"),
        ([Submission("a", {"cpu": -1})], "quantity-negative", "-1"),
        ([Submission("a\0b")], "file-malformed", "name"),
        ([Submission("a", priority=2**40)], "setting-malformed", "cannot be used"),
        ([Submission("a", retries=-1)], "setting-malformed", "-1"),
    ],
)
def test_a_submission_that_is_wrong_stores_nothing(store, rows, code, words):
    store.submit([Submission("old")])
    with pytest.raises(InputError) as caught:
        store.submit(rows)
    assert caught.value.code == code
    assert words in str(caught.value)
    assert store.counts() == {"ready": 1}


def test_a_cycle_is_named_in_its_order(store):
    with pytest.raises(InputError) as caught:
        store.submit([Submission("a", needs=["b"]), Submission("b", needs=["c"]), Submission("c", needs=["a"])])
    shown = caught.value.message.split(" needs ")
    assert sorted(shown[:-1]) == ["a", "b", "c"]
    assert shown[0] == shown[-1]
    needs = {"a": "b", "b": "c", "c": "a"}
    assert all(needs[one] == other for one, other in pairwise(shown))


def test_files(store, tmp_path):
    (tmp_path / "tasks.json").write_text(
        '[{"name": "a", "demand": {"cpu": "1 core"}, "payload": {"seconds": 1.5}, "inputs": ["x"], "retries": 0},'
        ' {"name": "b", "needs": ["a"], "priority": 4, "requirements": [{"attribute": "zone", "in": ["z"]}]}]'
    )
    (tmp_path / "tasks.csv").write_text(
        'name,demand.cpu,requires.zone,needs,payload,inputs,priority\nc,2,!z,a|b,"{""k"": 1}",x|y,-2\nd,,,,,,\n'
    )
    assert len(store.submit(read_submissions(tmp_path / "tasks.json"))) == 2
    store.submit(read_submissions(tmp_path / "tasks.csv"))
    c = store.shown("c")
    assert (c.payload, c.inputs, c.needs) == ({"k": 1}, ["x", "y"], {"a": "ready", "b": "pending"})
    assert (c.columns["priority"], c.columns["demand"], c.columns["retries"]) == (-2, '{"cpu":2000}', 3)
    assert json.loads(c.columns["requirements"]) == [["zone", ["z"], True]]
    assert store.shown("a").columns["retries"] == 0
    assert ready(store) == ["a", "d"]


@pytest.mark.parametrize(
    ("name", "content", "code", "place"),
    [
        ("t.json", '[{"name": "a", "payload": 7}]', "payload-malformed", "row 0 (a), payload"),
        ("t.json", '[{"name": "a", "needs": "b"}]', "file-malformed", "row 0 (a), needs"),
        ("t.json", '[{"name": "a", "neds": []}]', "unknown-column", "row 0 (a)"),
        ("t.csv", "name,payload\na,{oops\n", "payload-malformed", "row 0 (a), payload"),
        ("t.csv", "name,payload\na,[1]\n", "payload-malformed", "row 0 (a), payload"),
        ("t.csv", "name,priority\na,high\n", "setting-malformed", "row 0 (a), priority"),
        ("t.csv", "name,prio\na,1\n", "unknown-column", "line 1"),
        ("t.txt", "", "file-malformed", "t.txt"),
    ],
)
def test_a_file_that_is_wrong(tmp_path, name, content, code, place):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        read_submissions(tmp_path / name)
    assert caught.value.code == code
    assert place in caught.value.place
    if code == "unknown-column":
        assert "needs, payload, inputs, retries" in str(caught.value)


# ---- states ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_windows_show_the_head_always_and_the_whole_queue_in_time(store, most):
    rows = [Submission(f"t{at}", priority=at * 7 % 4) for at in range(19)]
    store.submit(rows)
    queue = [row.name for row in sorted(rows, key=lambda row: -row.priority)]
    seen, behind = set(), None
    for _ in range(-(-len(queue) // (most - most // 2))):
        found = store.processable(most, behind)
        names = found.columns.names
        assert names == [name for name in queue if name in names], "a window is not in the queue's order"
        assert names[: most // 2] == queue[: most // 2]
        seen.update(names)
        behind = found.last
        if not behind:
            break
    assert seen == set(queue)
    assert store.processable(20).last == {}


def test_a_task_is_ready_once_all_it_needs_is_done(store, lease):
    store.submit([Submission("a"), Submission("b"), Submission("c", needs=["a", "b"]), Submission("d", needs=["c", "a"])])
    first = store.processable(1)
    claims = store.claim(lease, first.ids, ["s"])
    assert store.settle(lease, [Verdict(claims[0].id, "done")]) == {"done": 1}
    assert ready(store) == ["b"]
    assert run(store, lease, "done") == {"done": 1, "ready": 1}
    assert ready(store) == ["c"]
    run(store, lease, "done")
    assert run(store, lease, "done") == {"done": 1}
    # What needs only tasks that are done is ready at once.
    store.submit([Submission("e", needs=["d"])])
    assert ready(store) == ["e"]


def test_retries_are_exhausted_and_dependents_cancelled(store, lease):
    store.submit(
        [Submission("a", retries=2), *chain("other"), Submission("b", needs=["a", "other"]), Submission("c", needs=["b"])]
    )
    for _ in range(2):
        assert run(store, lease, "failed", "boom").get("failed") is None
    store.cancel(["other"])
    assert states(store, "a", "b", "c") == ["ready", "cancelled", "cancelled"]
    store.retry(["other"])
    assert run(store, lease, "failed", "boom")["failed"] == 1
    shown = store.shown("a")
    assert (shown.columns["failures"], shown.columns["attempt"], shown.columns["reason"]) == (3, 3, "boom")
    assert states(store, "a", "b", "c") == ["failed", "cancelled", "cancelled"]
    assert store.shown("c").columns["reason"] == "it needs a, which was failed"


def test_an_attempt_that_never_ran_does_not_count(store, lease):
    store.submit([Submission("a", retries=0)])
    for _ in range(5):
        assert run(store, lease, "again", "offer-full") == {"ready": 1}
    assert run(store, lease, "done") == {"done": 1}


def test_whoever_depends_on_what_has_failed_is_cancelled_at_once(store, lease):
    store.submit([Submission("a", retries=0)])
    run(store, lease, "failed")
    store.submit([*chain("b", "c"), Submission("d", needs=["a"]), Submission("e", needs=["d"])])
    assert states(store, "b", "c", "d", "e") == ["ready", "pending", "cancelled", "cancelled"]


def test_retrying_brings_back_what_was_cancelled_because_of_it(store, lease):
    store.submit([Submission("a", retries=0), Submission("x", retries=0), *chain("p")])
    store.submit([Submission("b", needs=["a", "p"]), Submission("c", needs=["b"]), Submission("d", needs=["b", "x"])])
    store.submit([Submission("e", needs=["p"])])
    run(store, lease, "failed")
    assert states(store, "a", "x", "p", "b", "c", "d", "e") == [
        "failed",
        "failed",
        "ready",
        "cancelled",
        "cancelled",
        "cancelled",
        "pending",
    ]
    with pytest.raises(StoreError) as caught:
        store.retry(["b"])
    assert caught.value.code == "task-blocked"
    assert store.retry(["a"]) == {"a": "ready"}
    # d needs x, too, which is still failed.
    assert states(store, "b", "c", "d") == ["pending", "pending", "cancelled"]
    store.retry(["x"])
    assert states(store, "d") == ["pending"]
    for _ in range(4):
        run(store, lease, "done")
    assert store.counts() == {"done": 7}


def test_cancelling(store, lease):
    store.submit([*chain("waits", "follows"), Submission("runs", priority=1), Submission("after", needs=["runs"])])
    found = store.processable(1)
    claim = store.claim(lease, found.ids, ["s"])[0]
    store.settle(lease, [Verdict(claim.id, "running")])
    assert store.cancel(["waits", "runs"], "not needed") == {"waits": "cancelled", "runs": "running"}
    assert states(store, "follows", "after") == ["cancelled", "pending"]
    assert store.underway(lease)[0].cancel_reason == "not needed"
    # The cluster says that it ended, as failed: it is not tried again.
    assert store.settle(lease, [Verdict(claim.id, "failed", "killed")]) == {"cancelled": 2}
    assert states(store, "runs", "after") == ["cancelled", "cancelled"]
    assert store.shown("runs").columns["reason"] == "not needed"
    with pytest.raises(StoreError) as caught:
        store.cancel(["nobody"])
    assert caught.value.code == "task-unknown"


def test_one_that_was_done_before_it_could_be_cancelled_is_done(store, lease):
    store.submit(chain("a", "b"))
    claim = store.claim(lease, store.processable(1).ids, ["s"])[0]
    store.cancel(["a"])
    assert store.settle(lease, [Verdict(claim.id, "done")]) == {"done": 1, "ready": 1}


def test_history_tells_every_change(store, lease):
    store.submit([Submission("a")], at=100.0)
    claim = store.claim(lease, store.processable(1).ids, ["server-1"], 101.0)[0]
    assert claim.key == f"{store.name}-{claim.id}-1"
    store.settle(lease, [Verdict(claim.id, "running")], 102.0)
    store.settle(lease, [Verdict(claim.id, "failed", "half a \ud800 pair \0")], 103.0)
    found = store.shown("a").history
    assert [(one.at, one.state, one.attempt, one.offer) for one in found] == [
        (101.0, "claimed", 1, "server-1"),
        (102.0, "running", 1, "server-1"),
        (103.0, "ready", 1, None),
    ]
    assert found[-1].reason.startswith("half a ?")
    assert [row[0] for row in store.listed("ready")] == ["a"]


def test_a_long_chain_and_a_wide_fan_are_cancelled(store, lease):
    store.submit(chain(*(f"t{at}" for at in range(3000))))
    store.submit([Submission("root", retries=0), *(Submission(f"leaf{at}", needs=["root"]) for at in range(3000))])
    store.cancel(["t0"])
    run(store, lease, "failed")
    assert store.counts() == {"cancelled": 6000, "failed": 1}


# ---- leases ------------------------------------------------------------------------------------------------------------


def test_two_schedulers_never_claim_the_same_task(store, store_url):
    store.submit([Submission(f"t{at}") for at in range(400)])
    claimed: list[list[int]] = [[] for _ in range(4)]
    begin = threading.Barrier(4)

    def scheduler(at):
        with Store(store_url) as mine:
            lease = mine.lease(60)
            begin.wait()
            while found := mine.processable(100).ids:
                claimed[at] += [claim.id for claim in mine.claim(lease, found, ["s"] * len(found))]

    threads = [threading.Thread(target=scheduler, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = sorted(number for numbers in claimed for number in numbers)
    assert everything == sorted(set(everything))
    assert len(everything) == 400


def test_an_expired_lease_is_taken_over_and_the_slow_scheduler_fenced(store):
    store.submit(chain("a", "b"))
    slow = store.lease(0.05)
    claim = store.claim(slow, store.processable(1).ids, ["s"])[0]
    other = store.lease(60)
    deadline = time.monotonic() + 30
    while not (held := store.underway(other)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [one.key for one in held] == [claim.key]
    assert not slow.held()
    # Whatever the slow one still says changes nothing, and it can claim no more.
    assert store.settle(slow, [Verdict(claim.id, "done")]) == {}
    for act in (lambda: store.renew(slow), lambda: store.claim(slow, [claim.id], ["s"]), lambda: store.underway(slow)):
        with pytest.raises(StoreError) as caught:
            act()
        assert caught.value.code == "lease-lost"
    assert store.settle(other, [Verdict(claim.id, "done")]) == {"done": 1, "ready": 1}


def test_a_lease_that_is_renewed_is_nobody_elses(store):
    store.submit([Submission("a")])
    mine, other = store.lease(0.3), store.lease(60)
    store.claim(mine, store.processable(1).ids, ["s"])
    store.renew(mine)
    assert mine.held()
    assert store.underway(other) == []
    store.end(mine)
    assert len(store.underway(other)) == 1


# ---- the schema --------------------------------------------------------------------------------------------------------


def engine(url):
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


def test_the_migrations_make_the_tables_that_the_code_knows(store, store_url):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    found = engine(store_url)
    with found.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        if connection.dialect.name == "postgresql":
            options = connection.execute(text("SELECT reloptions FROM pg_class WHERE relname = 'tasks'")).scalar()
            assert options == ["fillfactor=50"]
    found.dispose()
    # Indexes stand in the migrations alone.
    assert [one for one in differences if one[0] != "remove_index"] == []


def test_a_schema_from_the_future_is_refused_by_name(store, store_url):
    found = engine(store_url)
    with found.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    found.dispose()
    for act in (Store, Store.upgrade):
        with pytest.raises(StoreError) as caught:
            act(store_url)
        assert caught.value.code == "schema-unknown"
        assert "9999" in caught.value.message


def test_a_database_of_something_else_is_refused(store_url):
    found = engine(store_url)
    with found.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER)"))
    found.dispose()
    with pytest.raises(StoreError) as caught:
        Store(store_url)
    assert caught.value.code == "store-refused"
    assert "customers" in caught.value.message


def test_many_may_open_an_empty_database_at_once(store_url):
    names, errors = [], []

    def open_it():
        try:
            with Store(store_url) as opened:
                names.append(opened.name)
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=open_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (errors, len(names), len(set(names))) == ([], 4, 1)
    assert Store.upgrade(store_url) == HEAD


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", "setting-malformed"),
        ("mysql://host/x", "setting-malformed"),
        ("sqlite://", "setting-malformed"),
        ("sqlite:////nowhere/at/all/tasks.db", "store-unreachable"),
        ("postgresql://u@/x?host=/nowhere", "store-unreachable"),
    ],
)
def test_a_store_that_cannot_be(url, code):
    with pytest.raises((InputError, StoreError)) as caught:
        Store(url)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "x.db").write_text("hello, I am not a database at all, just some text that is long enough" * 20)
    with pytest.raises(StoreError):
        Store(f"sqlite:///{tmp_path / 'x.db'}")


# ---- clocks and disks ----------------------------------------------------------------------------------------------------


def test_a_lease_that_was_taken_while_the_clock_was_ahead_has_expired(store, monkeypatch):
    store.submit([Submission("a")])
    right = store._database.now
    monkeypatch.setattr(store._database, "now", lambda connection: right(connection) + 3600)
    dead = store.lease(30)
    store.claim(dead, [1], ["one"])
    monkeypatch.undo()
    living = store.lease(30)
    assert [one.id for one in store.underway(living)] == [1]
    with pytest.raises(StoreError, match="lease-lost"):
        store.renew(dead)


def test_a_lease_lies_as_far_ahead_as_it_lasts(store):
    store.submit([Submission("a")])
    long = store.lease(3600)
    store.claim(long, [1], ["one"])
    assert store.underway(store.lease(1)) == []
    assert len(store.underway(long)) == 1


def test_a_store_of_the_first_schema_is_upgraded_with_all_that_is_in_it(store_url):
    from alembic import command
    from alembic.config import Config

    from offermatch.scheduler.store import migrate

    found = engine(store_url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    with found.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        row = {
            "id": 1,
            "name": "'a'",
            "state": "'ready'",
            "demand": "'{}'",
            "retries": 3,
            "submitted_at": 1,
            "changed_at": 1,
        }
        none = ("priority", "waits_for", "devices", "device_share", "failures", "attempt", "fenced")
        row |= dict.fromkeys(none, 0)
        row = f"INSERT INTO tasks ({', '.join(row)}) VALUES ({', '.join(map(str, row.values()))})"
        connection.execute(text(row))
    found.dispose()
    with pytest.raises(StoreError) as caught:
        Store(store_url)
    assert caught.value.code == "schema-old"
    assert Store.upgrade(store_url) == HEAD
    with Store(store_url) as opened:
        assert opened.processable(10).ids == [1]


def test_a_disk_that_takes_nothing_is_told_at_once(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root only")
    try:
        with Store(f"sqlite:///{place}/tasks.db") as opened:
            (place / "filler").write_bytes(b"")
            with suppress(OSError), (place / "filler").open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)
            begin = time.monotonic()
            with pytest.raises(StoreError) as caught:
                opened.submit([Submission(f"t{at}") for at in range(10_000)])
            assert caught.value.code == "store-unwritable"
            assert "full" in caught.value.message
        with pytest.raises(StoreError) as caught:
            Store(f"sqlite:///{place}/other.db")
        assert caught.value.code == "store-unwritable"
        assert time.monotonic() - begin < 30
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_what_was_seen_is_what_was_kept(store):
    assert store.sighting() is None
    available = {"cpu": [4000, 2000, 0]}
    table = OfferColumns.build(["a", "b", "c"], available, devices=[[1000, 250], 0, 1], measures={"price": [0.5, None, 1.0]})
    store.see(table, 7.0)
    found = store.sighting()
    assert (found.at, found.offers.names, found.offers.devices) == (7.0, table.names, table.devices)
    assert [repr(one) for one in found.offers.measures["price"]] == ["0.5", "nan", "1.0"]


def test_a_sighting_of_an_earlier_version_without_devices_is_read(store):
    store.see(OfferColumns.build(["a"], {"cpu": [1]}), 7.0)
    with store._database.write() as connection:
        kept = json.loads(zlib.decompress(connection.execute(text("SELECT offers FROM sightings")).scalar()))
        kept |= {"device_offsets": None, "device_free": []}
        connection.execute(
            text("UPDATE sightings SET offers = :offers"), {"offers": zlib.compress(json.dumps(kept).encode())}
        )
    assert store.sighting().offers.devices == Devices()
