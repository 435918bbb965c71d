"""The scheduler on both stores: whole runs, and everything that goes wrong in the middle of a cycle."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from journal import JournalCluster, forgotten, starts
from manifests import manifest
from offermatch import FallbackMatcher, MatcherError, Offer, ReferenceMatcher, Settings, Slot
from offermatch.cli.main import run
from offermatch.errors import ClusterError, InputError
from offermatch.policies import BUNDLED
from offermatch.scheduler.cluster.abc import Launched
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.cycle import Observer
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission
from program import PROGRAM, needs_program
from schedulers import scheduler
from stages import STAGES


def servers(number=4, cpu=4):
    return [Offer(f"server-{at}", {"cpu": cpu}) for at in range(number)]


def cluster(number=4, **settings):
    return SimulatedCluster(servers(number), **{"seconds": 1.0, **settings})


def tasks(number, **columns):
    return [Submission(f"t{at}", {"cpu": 1}, **columns) for at in range(number)]


class At(Observer):
    """Acts once, when a stage begins or has ended."""

    def __init__(self, stage, act, *, after=False):
        self.stage, self.act, self.after = stage, act, after

    @contextmanager
    def span(self, span):
        if span.name == self.stage and not self.after:
            self.once()
        yield
        if span.name == self.stage and self.after:
            self.once()

    def once(self):
        act, self.act = self.act, lambda: None
        act()


# ---- runs that go well -------------------------------------------------------------------------------------------------


def test_everything_is_done_in_the_order_it_needs(store):
    store.submit(
        [
            Submission("a", {"cpu": 4}, payload={"seconds": 2}),
            Submission("b", {"cpu": 4}, needs=["a"], inputs=["x"]),
            Submission("c", {"cpu": 4}, needs=["a", "b"], payload={"fails": "always"}, retries=1),
            Submission("d", needs=["c"]),
        ]
    )
    with scheduler(store, cluster(1)) as one:
        one.run(until_idle=True)
    assert store.counts() == {"done": 2, "failed": 1, "cancelled": 1}
    ended = {name: store.shown(name).columns["changed_at"] for name in "abc"}
    assert ended["a"] < ended["b"] < ended["c"]
    assert store.shown("c").columns["attempt"] == 2


def test_the_record_of_a_cycle(store):
    store.submit([*tasks(20), Submission("strange", {"qubits": 1}), Submission("huge", {"cpu": 10**6})])
    with scheduler(store, cluster(4)) as one:
        record = one.cycle()
        assert [span.name for span in record.spans] == STAGES
        assert (record.queue, record.offers, record.placed, record.launched) == (22, 4, 16, 16)
        assert record.refusals == {"unknown-dimension": 1, "no-offer": 5}
        assert record.utilisation == {"cpu": 1.0}
        assert (record.matcher, record.fallback, record.error) == ("offermatch-reference 0.1.0", "", "")
        assert sum(span.seconds for span in record.spans) <= record.seconds
        one.cluster.wait(5)
        record = one.cycle()
        assert record.ended["done"] == record.launched + 12
        assert record.spans[0].counts["done"] == 16


def test_observers_are_entered_around_cycle_and_stages(store):
    heard = []

    class Hears(Observer):
        @contextmanager
        def cycle(self, cycle):
            heard.append("begin")
            yield
            heard.append(f"end {cycle.launched}")

        @contextmanager
        def span(self, span):
            yield
            heard.append(span.name)

    store.submit(tasks(1))
    with scheduler(store, cluster(), observers=[Hears()]) as one:
        one.cycle()
    assert heard == ["begin", *STAGES, "end 1"]


def test_a_payload_has_what_was_fetched(store):
    store.submit(tasks(2, payload={"run": 1}, inputs=["data", "model"]))
    launched = []
    one = cluster(inputs={"data": {"path": "/d"}, "model": 7})
    launch = one.launch
    one.launch = lambda launches: launched.extend(launches) or launch(launches)
    with scheduler(store, one) as loop:
        assert loop.cycle().spans[6].counts == {"payloads": 2, "fetched": 2, "staged": 0, "skipped": 0}
    assert launched[0].payload == {"run": 1, "inputs": {"data": {"path": "/d"}, "model": 7}}
    assert launched[0].demand == {"cpu": 1000}


def test_a_matcher_is_swapped_by_manifest_while_the_loop_runs(store, tmp_path):
    store.submit(tasks(40, payload={"seconds": 0.01}))
    slot = Slot(ReferenceMatcher())
    with Scheduler(store, cluster(1, clock="real"), FallbackMatcher(slot), interval=0.01) as one, slot.watch(tmp_path, 10):
        assert one.cycle().digest == ""
        manifest(tmp_path, BUNDLED)
        deadline = time.monotonic() + 60
        while not slot.digest and time.monotonic() < deadline:
            time.sleep(0.01)
        assert one.cycle().error == ""
        one.run(until_idle=True)
    assert store.counts() == {"done": 40}
    assert "promoted" in [event.what for event in slot.history]


def test_the_fallback_answers_where_the_matcher_fails(store):
    class Broken(ReferenceMatcher):
        def backend(self, *arguments):
            raise MatcherError("matcher-trapped", "no")

    store.submit(tasks(3))
    with Scheduler(store, cluster(), FallbackMatcher(Broken())) as one:
        record = one.cycle()
    assert (record.launched, record.fallback) == (3, "matcher-trapped")


# ---- what goes wrong on the cluster ------------------------------------------------------------------------------------


def test_an_offer_vanishes_between_matching_and_launch(store):
    store.submit(tasks(8))
    one = cluster(2)
    with scheduler(store, one, observers=[At("claim_tasks", lambda: one.lose("server-1"))]) as loop:
        record = loop.cycle()
        assert (record.placed, record.launched, record.refusals) == (8, 4, {"offer-gone": 4})
        # Not an attempt that failed: nothing ran.
        assert store.counts() == {"running": 4, "ready": 4}
        loop.run(until_idle=True)
    assert store.counts() == {"done": 8}
    assert all(store.shown(f"t{at}").columns["failures"] == 0 for at in range(8))


def test_a_refused_payload_fails_the_attempt(store):
    store.submit([Submission("a", payload={"seconds": "long"}, retries=1), Submission("b", needs=["a"])])
    with scheduler(store, cluster()) as loop:
        assert loop.cycle().refusals == {"payload-refused": 1}
        loop.run(until_idle=True)
    assert store.counts() == {"failed": 1, "cancelled": 1}
    assert "payload-refused" in store.shown("a").columns["reason"]


def test_a_lost_server_fails_the_attempt_and_the_task_goes_elsewhere(store):
    store.submit(tasks(1, payload={"seconds": 100}))
    one = cluster(2)
    with scheduler(store, one) as loop:
        loop.cycle()
        first = store.shown("t0").columns["offer"]
        one.lose(first)
        loop.cycle()
        assert store.shown("t0").state == "ready"
        one.wait(1.0)
        loop.cycle()
        shown = store.shown("t0")
    # The loss is no failure of its own.
    assert (shown.columns["attempt"], shown.columns["failures"], shown.columns["losses"]) == (2, 0, 1)
    assert shown.columns["offer"] != first


@pytest.mark.parametrize("took", [True, False])
def test_of_an_unreachable_launch_the_cluster_is_asked_before_anything_else(store, tmp_path, took):
    class Unsure(JournalCluster):
        sure = False

        def launch(self, launches):
            if self.sure:
                return super().launch(launches)
            type(self).sure = True
            if took:
                super().launch(launches)
            return [Launched(launch.key, "unreachable", "no answer") for launch in launches]

    store.submit(tasks(2))
    one = Unsure(tmp_path / "journal.db", seconds=0.001)
    with scheduler(store, one, interval=0.01) as loop:
        assert loop.cycle().refusals == {"unreachable": 2}
        assert store.counts() == {"claimed": 2}
        loop.run(until_idle=True)
    one.close()
    assert store.counts() == {"done": 2}
    assert starts(tmp_path / "journal.db") == {"t0": 1, "t1": 1}


def test_a_launch_that_is_still_on_its_way_does_not_start_after_it_was_given_up(store, tmp_path):
    """A scheduler stalls with its launch half sent; another takes over; then the launch arrives."""
    one = JournalCluster(tmp_path / "journal.db", seconds=0.001)
    late = []

    class Slow(JournalCluster):
        def launch(self, launches):
            late.extend(launches)
            raise ClusterError("cluster-unreachable", "the line is dead")

    store.submit(tasks(1))
    slow = scheduler(store, Slow(tmp_path / "journal.db"), lease_seconds=0.2)
    assert slow.cycle().error == "cluster-unreachable"
    slow._closed.set()
    with scheduler(store, one, interval=0.01) as other:
        deadline = time.monotonic() + 60
        while store.counts() != {"done": 1} and time.monotonic() < deadline:
            other.cycle()
            time.sleep(0.02)
    one.launch(late)
    assert starts(tmp_path / "journal.db") == {"t0": 1}
    assert store.counts() == {"done": 1}
    assert slow.cycle().error == "lease-lost"
    slow.close()


def test_a_launch_that_comes_again_after_its_key_was_forgotten_does_not_start(store, tmp_path):
    sent = []

    class Echo(JournalCluster):
        def launch(self, launches):
            sent.extend(launches)
            return super().launch(launches)

    store.submit(tasks(20))
    one = Echo(tmp_path / "journal.db", seconds=0.001)
    with scheduler(store, one, interval=0.01) as loop:
        loop.run(until_idle=True)
    assert forgotten(tmp_path / "journal.db") == 20
    assert {answer.refusal for answer in JournalCluster.launch(one, sent)} == {"launch-late"}
    assert starts(tmp_path / "journal.db") == {f"t{at}": 1 for at in range(20)}
    one.close()


def test_a_scheduler_that_has_lost_its_lease_lets_nothing_be_forgotten(store, tmp_path):
    store.submit(tasks(1))
    one = JournalCluster(tmp_path / "journal.db", seconds=0.001)
    slow = scheduler(store, one, lease_seconds=0.2)
    slow.cycle()
    slow._closed.set()
    slow._heart.join()
    (found,) = store.underway(slow._lease)
    time.sleep(0.3)
    # Another one takes over, and has not asked about the key yet.
    store.underway(store.lease(30.0))
    store.underway = lambda _: [found]
    assert slow.cycle().error == "lease-lost"
    assert forgotten(tmp_path / "journal.db") == 0
    assert one.reports([found.key])[0].outcome == "done"
    slow.close()


def test_a_cluster_that_runs_for_long_does_not_grow(store):
    one = cluster(4, start=1e9, kept_seconds=10)
    with scheduler(store, one) as loop:
        for part in range(6):
            store.submit([Submission(f"t{part}-{at}", {"cpu": 1}) for at in range(64)])
            loop.run(until_idle=True)
    assert store.counts() == {"done": 384}
    # What was launched in the last 10 seconds, 16 tasks in each, and the cycle in which it ended.
    assert 0 < len(one._runs) <= 16 * 12


def test_nothing_is_launched_once_the_lease_is_over(store, tmp_path):
    store.submit(tasks(1))
    one = JournalCluster(tmp_path / "journal.db", seconds=0.001)

    def stall():
        loop._closed.set()
        loop._heart.join()
        time.sleep(0.3)
        with scheduler(store, one, interval=0.01) as other:
            other.run(until_idle=True)

    loop = scheduler(store, one, lease_seconds=0.2, observers=[At("launch_tasks", stall)])
    record = loop.cycle()
    assert (record.error, record.launched) == ("lease-lost", 0)
    assert starts(tmp_path / "journal.db") == {"t0": 1}
    loop.close()


def test_a_cluster_that_forgets_has_its_tasks_launched_anew(store):
    store.submit(tasks(3, payload={"seconds": 100}, retries=0))
    with scheduler(store, cluster()) as loop:
        loop.cycle()
    with scheduler(store, cluster(), lease_seconds=5) as loop:
        record = loop.cycle()
        assert record.ended == {"ready": 3}
        assert record.launched == 3


def test_cancelling_what_runs(store):
    store.submit([*tasks(2, payload={"seconds": 1000}), Submission("after", needs=["t0"])])
    with scheduler(store, cluster()) as loop:
        loop.cycle()
        assert store.cancel(["t0"]) == {"t0": "running"}
        assert loop.cycle().ended == {"cancelled": 2}
        assert store.counts() == {"cancelled": 2, "running": 1}


def test_a_cluster_that_is_away_ends_the_cycle_and_no_more(store):
    store.submit(tasks(2))
    one = cluster()
    offers, away = one.offers, [3]

    def flaky():
        if away[0]:
            away[0] -= 1
            raise ClusterError("cluster-unreachable", "nobody is there")
        return offers()

    one.offers = flaky
    with scheduler(store, one) as loop:
        assert loop.cycle().error == "cluster-unreachable"
        loop.run(until_idle=True)
    assert store.counts() == {"done": 2}


@pytest.mark.parametrize("stage", STAGES)
def test_a_bug_in_a_stage_ends_the_cycle_and_no_more(store, stage, caplog):
    def bug():
        raise KeyError("nobody thought of this")

    store.submit(tasks(3))
    with scheduler(store, cluster(), interval=0.01, observers=[At(stage, bug)]) as loop:
        record = loop.cycle()
        assert (record.error, record.message) == ("unexpected", "KeyError: 'nobody thought of this'")
        told = [one for one in caplog.records if one.levelname == "ERROR"]
        assert [one.exc_info[0] for one in told] == [KeyError]
        loop.run(until_idle=True)
    assert store.counts() == {"done": 3}
    assert {store.shown(f"t{at}").columns["failures"] for at in range(3)} == {0}


def test_a_bug_around_the_cycle_ends_the_cycle_and_no_more(store):
    class Broken(Observer):
        left = 1

        def cycle(self, cycle):
            self.left -= 1
            if self.left >= 0:
                raise ZeroDivisionError
            return super().cycle(cycle)

    class Clockless(SimulatedCluster):
        ticks = waits = 0

        def now(self):
            self.ticks += 1
            return super().now() if self.ticks > 1 else 1 / 0

        def wait(self, seconds):
            self.waits += 1
            return super().wait(seconds) if self.waits > 1 else 1 / 0

    store.submit(tasks(1))
    one = Clockless(servers(), seconds=1.0)
    one.ticks = 0
    with scheduler(store, one, observers=[Broken()]) as loop:
        assert [loop.cycle().error for _ in range(3)] == ["unexpected", "unexpected", ""]
        loop.run(until_idle=True)
        assert one.waits > 1
    assert store.counts() == {"done": 1}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_who_wants_to_end_it_ends_it(store, kind):
    def end():
        raise kind

    store.submit(tasks(1))
    with scheduler(store, cluster(), observers=[At("launch_tasks", end)]) as loop, pytest.raises(kind):
        loop.run()
    with scheduler(store, cluster()) as loop:
        loop.run(until_idle=True)
    assert store.counts() == {"done": 1}


@pytest.mark.parametrize("most", [1, 2, 5])
def test_tasks_that_never_fit_do_not_hide_those_behind_them(store, most):
    huge = [Submission(f"huge{at}", {"cpu": 10**6}, priority=at % 3) for at in range(20)]
    store.submit([*huge, *tasks(3)])
    with scheduler(store, cluster(), most_tasks=most) as loop:
        records = []
        while store.counts().get("done", 0) < 3:
            records.append(loop.cycle())
            loop.cluster.wait(1)
            # Three times through the queue, half a window a cycle.
            assert len(records) < 3 * (23 // (most - most // 2) + 2)
    assert max(record.queue for record in records) == most
    assert store.counts() == {"done": 3, "ready": 20}


# ---- what goes wrong with inputs ---------------------------------------------------------------------------------------


def test_an_input_that_is_not_there_fails_its_task_only(store):
    store.submit([Submission("good", inputs=["x"]), Submission("bad", inputs=["x", "y"], retries=0)])
    with scheduler(store, cluster(inputs={"x": 1})) as loop:
        record = loop.cycle()
    assert (record.launched, record.refusals) == (1, {"input-missing": 1})
    assert store.shown("bad").columns["reason"] == "input y: there is no such input"
    assert store.counts() == {"running": 1, "failed": 1}


@needs_program
def test_inputs_are_staged_before_the_launch_and_skipped_by_digest(store, tmp_path):
    from offermatch.scheduler.staging import stage

    source = tmp_path / "weights.bin"
    source.write_bytes(os.urandom(100_000))
    digest = stage([source], tmp_path / "elsewhere", checksum=True, program=PROGRAM).digests[0]
    copied = {"source": str(source), "target": str(tmp_path / "node" / "weights.bin"), "digest": digest}
    wrong = {**copied, "target": str(tmp_path / "node" / "wrong.bin"), "digest": "blake3:" + "0" * 64}
    (tmp_path / "node").mkdir()
    store.submit(
        [
            Submission("a", inputs=[copied]),
            Submission("b", inputs=[copied]),
            Submission("missing", inputs=[{"source": str(tmp_path / "no"), "target": str(tmp_path / "x")}], retries=0),
            Submission("wrong", inputs=[wrong], retries=0),
            Submission("conflict", inputs=[{**wrong, "target": copied["target"]}], retries=0, priority=-1),
        ]
    )
    with scheduler(store, cluster(), program=PROGRAM) as loop:
        record = loop.cycle()
    assert record.refusals == {"input-not-staged": 3}
    assert (record.launched, record.spans[6].counts["staged"]) == (2, 1)
    assert (tmp_path / "node" / "weights.bin").read_bytes() == source.read_bytes()
    reasons = {name: store.shown(name).columns["reason"] for name in ("missing", "wrong", "conflict")}
    assert "source-vanished" in reasons["missing"]
    assert "digest-mismatch" in reasons["wrong"]
    assert "duplicate-name" in reasons["conflict"]
    store.submit([Submission("c", inputs=[copied])])
    with scheduler(store, cluster(), program=PROGRAM) as loop:
        assert loop.cycle().spans[6].counts["skipped"] == 1


# ---- what goes wrong with the store ------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", STAGES)
def test_the_connections_are_cut_in_mid_cycle(postgresql, tmp_path, stage):
    with Store(postgresql.database()) as store:
        store.submit(tasks(3, inputs=["x"]))
        one = JournalCluster(tmp_path / "journal.db", seconds=0.001)
        cut = At(stage, postgresql.cut_off)
        with scheduler(store, one, interval=0.01, observers=[cut]) as loop:
            loop.cycle()
            loop.run(until_idle=True)
        one.close()
        assert store.counts() == {"done": 3}
    assert starts(tmp_path / "journal.db") == {"t0": 1, "t1": 1, "t2": 1}


def test_the_database_goes_away_and_comes_back(postgresql, tmp_path):
    with Store(postgresql.database()) as store:
        store.submit(tasks(3))
        one = JournalCluster(tmp_path / "journal.db", seconds=0.001)
        away = At("launch_tasks", postgresql.stop)
        with scheduler(store, one, interval=0.01, observers=[away]) as loop:
            record = loop.cycle()
            assert record.error == "store-unreachable"
            assert loop.cycle().error == "store-unreachable"
            back = threading.Timer(0.5, postgresql.start)
            back.start()
            loop.run(until_idle=True)
            back.join()
        one.close()
        assert store.counts() == {"done": 3}
    assert starts(tmp_path / "journal.db") == {"t0": 1, "t1": 1, "t2": 1}


def test_stopping_leaves_no_claim_behind(store):
    store.submit(tasks(3))
    loop = scheduler(store, cluster(), observers=[])
    loop._observers.append(At("claim_tasks", loop.stop, after=True))
    record = loop.cycle()
    loop.close()
    assert (record.launched, record.refusals) == (0, {"stopped": 3})
    assert store.counts() == {"ready": 3}


# ---- the command line --------------------------------------------------------------------------------------------------


def command(capsys, *arguments):
    code = run(arguments)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_lines_of_json_are_submitted_by_their_ending_or_by_the_format(capsys, tmp_path, store_url):
    for file, options in ((tmp_path / "a.jsonl", ()), (tmp_path / "b.txt", ("--format", "jsonl"))):
        file.write_text("".join(f'{{"name": "{file.stem}{at}"}}\n' for at in range(2)))
        assert command(capsys, "submit", str(file), *options, "--store", store_url) == (0, f"{file}: 2 tasks stored\n", "")


def test_commands(capsys, tmp_path, store_url):
    at = ("--store", store_url)
    file = tmp_path / "tasks.json"
    rows = [
        {"name": "a", "payload": {"seconds": 0.01}},
        {"name": "b", "needs": ["a"], "payload": {"seconds": 0.01, "fails": "b"}, "retries": 0},
    ]
    file.write_text(json.dumps([*rows, {"name": "c", "needs": ["b"]}]))
    assert command(capsys, "submit", str(file), *at) == (0, f"{file}: 3 tasks stored\n", "")
    code, out, err = command(capsys, "submit", str(file), *at)
    assert (code, out) == (1, "")
    assert "error[duplicate-name]" in err
    (tmp_path / "offers.csv").write_text("name,available.cpu\nserver,4 cores\n")
    clusters = ("--cluster", f"simulated:{tmp_path / 'offers.csv'}", "--interval", "0.01")
    assert command(capsys, "run", "--drain", *clusters, *at)[0] == 0
    assert command(capsys, "tasks", "list", *at)[1].startswith(
        "0 pending  0 ready  0 claimed  0 running  1 done  1 failed  1 cancelled"
    )
    listed = json.loads(command(capsys, "tasks", "list", "--state", "failed", "--json", *at)[1])
    row = {"name": "b", "state": "failed", "priority": 0, "reason": "b", "queue": "default", "group": None}
    assert listed["tasks"] == [row]
    shown = command(capsys, "tasks", "show", "b", *at)[1]
    assert "state     failed: b" in shown
    assert "claimed, attempt 1 on server" in shown
    assert json.loads(command(capsys, "tasks", "show", "b", "--json", *at)[1])["needs"] == {"a": "done"}
    assert command(capsys, "tasks", "retry", "b", *at)[1] == "b: ready\n"
    assert command(capsys, "tasks", "cancel", "b", *at)[1] == "b: cancelled\n"
    assert "error[task-unknown]" in command(capsys, "tasks", "show", "nobody", *at)[2]
    assert command(capsys, "store", "upgrade", *at)[1].startswith("the store has the schema")
    assert command(capsys, "run", "--once", "--cluster", "nonsense", *at)[0] == 1


@pytest.mark.parametrize("what", [("list",), ("show", "a"), ("cancel", "a"), ("retry", "a")])
def test_looking_into_a_store_that_is_not_there_makes_none(capsys, tmp_path, what):
    file = tmp_path / "tusks.db"
    code, out, err = command(capsys, "tasks", *what, "--store", f"sqlite:///{file}")
    assert (code, out) == (1, "")
    assert err.startswith("error[store-unreachable]: ")
    assert "tusks.db" in err
    assert not file.exists()


def test_an_extra_that_is_missing_is_named_with_its_line(capsys, tmp_path, monkeypatch):
    from offermatch import extras

    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    code, _, err = command(capsys, "tasks", "list", "--store", f"sqlite:///{tmp_path / 'x.db'}")
    assert code == 1
    assert "error[extra-missing]" in err
    assert "pip install 'offermatch[scheduler]'" in err


def test_the_matcher_alone_needs_nothing_of_the_scheduler():
    program = (
        "import sys, offermatch, offermatch.cli.main; offermatch.cli.main.parser();"
        "print([name for name in ('sqlalchemy', 'alembic', 'rich', 'psycopg', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_loop_cleanly(tmp_path, number):
    url = f"sqlite:///{tmp_path / 'tasks.db'}"
    with Store(url) as store:
        store.submit(tasks(5, payload={"seconds": 0.01}))
        command = [sys.executable, "-m", "offermatch", "run", "--store", url, "--interval", "0.05"]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            deadline = time.monotonic() + 120
            while store.counts() != {"done": 5} and time.monotonic() < deadline and process.poll() is None:
                time.sleep(0.05)
            process.send_signal(number)
            _, log = process.communicate(timeout=120)
        assert process.returncode == 0, log
        assert store.counts() == {"done": 5}
        assert "5 launched" in log
        # The lease is ended, so that the next scheduler need not wait for it.
        assert store.underway(store.lease(5)) == []


def test_the_view_draws_a_cycle(store):
    from rich.console import Console

    from offermatch.scheduler.watching.view import LiveView, line

    store.submit([*tasks(2), Submission("huge", {"cpu": 10**6})])
    with Path(os.devnull).open("w") as nowhere:
        console = Console(file=nowhere, record=True, width=120, force_terminal=True)
        now = []
        with LiveView(console) as view:
            # What goes on is said from the first stage of the first cycle on.
            look = At("collect_reports", lambda: now.append(str(view._live.get_renderable())))
            with scheduler(store, cluster(), observers=[view, look]) as loop:
                record = loop.cycle()
        drawn = console.export_text()
    assert now == ["now: cycle 1, collect_reports"]
    for words in (*STAGES, "2 launched", "1 no-offer", "cpu", "offermatch-reference"):
        assert words in drawn
    assert "3 ready, 4 offers, 2 placed, 2 launched" in line(record)


def test_bench_cycle(capsys, tmp_path):
    sizes = ("--tasks", "700", "--processable", "100", "--offers", "100", "--seconds", "1")
    code, out, _ = command(capsys, "bench", "cycle", *sizes, "--json", str(tmp_path / "x.json"), "--svg", str(tmp_path))
    assert code == 0
    found = json.loads((tmp_path / "x.json").read_text())
    assert (found["tasks"], found["offers"]) == (700, 100)
    # Not every task of so few finds an offer.
    assert 0 < found["launched"] <= found["processable"] <= 100
    assert found["ended"]["done"] > 0
    assert [stage["name"] for stage in found["stages"]] == STAGES
    for stage in found["stages"]:
        assert stage["seconds"] > 0
        assert (stage["simple_seconds"] is not None) == bool(stage["talk_before"])
    assert "3 min 16 s" in out
    assert (tmp_path / "cycle.svg").read_text().startswith("<svg")


def test_a_wrong_setting_is_refused(store):
    with pytest.raises(InputError) as caught:
        Scheduler(store, cluster(), ReferenceMatcher(), settings=Settings("other"))
    assert caught.value.code == "setting-malformed"


def test_a_clock_that_is_set_back_holds_nothing_up(store):
    """The wall clock steps back by ten minutes after the first cycle; the next one comes as ever."""

    class Stepping(SimulatedCluster):
        back = 0.0

        def now(self):
            return super().now() - self.back

        def steady(self):
            return time.monotonic()

    cluster = Stepping([Offer("one", {"cpu": "4 cores"})], clock="real")
    store.submit([Submission("a", {"cpu": "1 core"}, payload={"seconds": 0.01})])
    with Scheduler(store, cluster, ReferenceMatcher(), interval=0.05) as loop:
        loop.cycle()
        cluster.back = 600.0
        begin = time.monotonic()
        loop.run(cycles=3)
        assert time.monotonic() - begin < 60
    cluster.close()
