"""The suite of tests that every cluster has to pass, for clusters of packages of your own.

It needs pytest. A module of tests says what is to be tested, and pytest finds the rest::

    class TestMine(ClusterSuite):
        @pytest.fixture
        def site(self):
            with MyCluster(...) as cluster:
                yield Site(cluster, ("one", "two"), works, lasts, fails, malformed)

With ``pytest.register_assert_rewrite("offermatch.scheduler.cluster.testing")`` in ``conftest.py``, before anything imports
this, a test that fails shows the values it compared.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from offermatch.errors import ClusterError
from offermatch.scheduler.cluster.abc import Cluster, Launch, Launched, Report
from offermatch.tables.input import offer_columns

__all__ = ["ClusterSuite", "Site"]

_WEEK = 7 * 86400.0


@dataclass
class Site:
    """A cluster under test, and payloads that mean the same on all of them.

    Attributes:
        cluster: The cluster.
        servers: The names of its two servers.
        works: A payload that ends well at once.
        lasts: A payload that does not end while a test runs.
        fails: A payload that fails at once.
        malformed: A payload that cannot be run.
    """

    cluster: Cluster
    servers: tuple[str, str]
    works: dict[str, Any]
    lasts: dict[str, Any]
    fails: dict[str, Any]
    malformed: dict[str, Any]

    def launch(self, key: str, payload: dict[str, Any], server: int | str = 0, cores: int = 1, **asked: Any) -> Launched:
        """Launch one task, and return what became of it."""
        name = self.servers[server] if isinstance(server, int) else server
        demand = {"cpu": 1000 * cores, "memory": 2**26}
        return self.cluster.launch([Launch(key, f"task of {key}", name, demand, payload=payload, **asked)])[0]

    def report(self, key: str) -> Report:
        """Return where one launch stands."""
        return self.cluster.reports([key])[0]

    def ended(self, key: str, patience: float = 60.0) -> Report:
        """Return the report of a launch that ends, however busy the machine is."""
        deadline = time.monotonic() + patience
        while (report := self.report(key)).outcome == "running":
            assert time.monotonic() < deadline, f"{key} does not end"
            self.cluster.wait(0.05)
        return report

    def free_cores(self, server: int = 0) -> float | None:
        """Return the free cores of a server; None where it makes no offer."""
        table = offer_columns(self.cluster.offers(), None)
        if self.servers[server] not in table.names:
            return None
        return table.available["cpu"][table.names.index(self.servers[server])] / 1000


class ClusterSuite:
    """What every cluster promises. The class that has it gives the fixture ``site``: two servers of 4 cores and at least
    512 MiB each, with nothing running, and a clock that is right.
    """  # noqa: D205

    def test_every_server_offers_what_is_free(self, site: Site) -> None:
        """Every server offers what is free."""
        table = offer_columns(site.cluster.offers(), None)
        assert sorted(table.names) == sorted(site.servers)
        assert list(table.available["cpu"]) == [4000, 4000]
        assert min(table.available["memory"]) >= 2**29

    def test_what_a_launch_takes_is_not_offered_until_it_ends(self, site: Site) -> None:
        """What a launch takes is not offered until it ends."""
        assert site.launch("k1", site.lasts, cores=3).refusal is None
        assert (site.free_cores(0), site.free_cores(1)) == (1, 4)
        site.cluster.cancel(["k1"])
        assert site.ended("k1").outcome == "failed"
        assert site.free_cores(0) == 4

    def test_a_task_ends_well(self, site: Site) -> None:
        """A task ends well."""
        begin = site.cluster.now()
        assert site.launch("k1", site.works).refusal is None
        report = site.ended("k1")
        assert (report.key, report.outcome, report.reason) == ("k1", "done", "")
        # Another process reads the clock of the machine, which may be set between the two.
        assert report.finished_at is not None
        assert begin - 1 <= report.finished_at <= site.cluster.now() + 1

    def test_a_task_that_fails_says_why(self, site: Site) -> None:
        """A task that fails says why."""
        site.launch("k1", site.fails)
        report = site.ended("k1")
        assert report.outcome == "failed"
        assert report.reason
        assert report.finished_at is not None

    def test_a_known_key_is_acknowledged_and_not_started_again(self, site: Site) -> None:
        """A known key is acknowledged and not started again."""
        assert site.launch("k1", site.lasts).refusal is None
        assert site.launch("k1", site.lasts).refusal is None
        assert site.launch("k1", site.lasts, server=1).refusal is None
        assert (site.free_cores(0), site.free_cores(1)) == (3, 4)

    def test_a_key_that_has_ended_is_not_started_again(self, site: Site) -> None:
        """A key that has ended is not started again."""
        site.launch("k1", site.works)
        before = site.ended("k1")
        assert site.launch("k1", site.lasts).refusal is None
        assert site.report("k1") == before
        assert site.free_cores(0) == 4

    def test_a_key_twice_in_one_call_is_started_once(self, site: Site) -> None:
        """A key twice in one call is started once."""
        launch = Launch("k1", "t", site.servers[0], {"cpu": 1000}, payload=site.lasts)
        assert [one.refusal for one in site.cluster.launch([launch, launch])] == [None, None]
        assert site.free_cores(0) == 3

    def test_beyond_what_is_free_is_refused(self, site: Site) -> None:
        """Beyond what is free is refused."""
        answer = site.launch("k1", site.works, cores=5)
        assert answer.refusal == "offer-full"
        assert answer.reason
        assert site.free_cores(0) == 4

    def test_many_launches_in_one_call_never_take_more_than_there_is(self, site: Site) -> None:
        """Many launches in one call never take more than there is."""
        launches = [Launch(f"k{row}", f"t{row}", site.servers[0], {"cpu": 1000}, payload=site.lasts) for row in range(6)]
        answers = site.cluster.launch(launches)
        assert [one.key for one in answers] == [f"k{row}" for row in range(6)]
        assert sorted(one.refusal or "" for one in answers) == [""] * 4 + ["offer-full"] * 2
        assert site.free_cores(0) == 0

    def test_a_server_that_is_not_there_is_refused(self, site: Site) -> None:
        """A server that is not there is refused."""
        answer = site.launch("k1", site.works, server="nowhere")
        assert answer.refusal == "offer-gone"
        assert answer.reason

    def test_a_payload_that_cannot_run_is_refused(self, site: Site) -> None:
        """A payload that cannot run is refused."""
        answer = site.launch("k1", site.malformed)
        assert answer.refusal == "payload-refused"
        assert answer.reason
        assert site.free_cores(0) == 4

    def test_a_negative_demand_cannot_make_room(self, site: Site) -> None:
        """A negative demand cannot make room."""
        launch = Launch("k1", "t", site.servers[0], {"cpu": -1000}, payload=site.works)
        assert site.cluster.launch([launch])[0].refusal == "payload-refused"
        assert site.free_cores(0) == 4

    def test_a_dimension_that_no_server_has_is_refused(self, site: Site) -> None:
        """A dimension that no server has is refused."""
        launch = Launch("k1", "t", site.servers[0], {"licences": 1}, payload=site.works)
        assert site.cluster.launch([launch])[0].refusal == "offer-full"

    def test_what_was_refused_is_unknown_and_may_be_asked_again(self, site: Site) -> None:
        """What was refused is unknown and may be asked again."""
        assert site.launch("k1", site.works, cores=5).refusal == "offer-full"
        assert site.report("k1").outcome == "unknown"
        assert site.launch("k1", site.works).refusal is None
        assert site.ended("k1").outcome == "done"

    def test_one_refusal_does_not_spoil_the_others(self, site: Site) -> None:
        """One refusal does not spoil the others."""
        names = [site.servers[0], "nowhere", site.servers[1]]
        launches = [Launch(f"k{row}", "t", name, {"cpu": 1000}, payload=site.works) for row, name in enumerate(names)]
        assert [one.refusal for one in site.cluster.launch(launches)] == [None, "offer-gone", None]
        assert [site.ended(key).outcome for key in ("k0", "k2")] == ["done", "done"]

    def test_reports_are_in_the_order_asked(self, site: Site) -> None:
        """Reports are in the order asked."""
        site.launch("k1", site.lasts)
        found = site.cluster.reports(["never", "k1", "never-either", "k1"])
        assert [one.key for one in found] == ["never", "k1", "never-either", "k1"]
        assert [one.outcome for one in found] == ["unknown", "running", "unknown", "running"]
        assert found[1].finished_at is None
        assert site.cluster.reports([]) == []

    def test_cancelling_ends_what_runs(self, site: Site) -> None:
        """Cancelling ends what runs."""
        site.launch("k1", site.lasts)
        site.cluster.cancel(["k1"])
        report = site.ended("k1")
        assert report.outcome == "failed"
        assert "cancel" in report.reason

    def test_a_key_that_is_cancelled_before_it_comes_does_not_start(self, site: Site) -> None:
        """A key that is cancelled before it comes does not start."""
        site.cluster.cancel(["k1"])
        report = site.report("k1")
        assert report.outcome == "failed"
        assert "cancel" in report.reason
        assert site.launch("k1", site.lasts).refusal is None
        assert site.report("k1") == report
        assert (site.free_cores(0), site.free_cores(1)) == (4, 4)

    def test_cancelling_what_has_ended_changes_nothing(self, site: Site) -> None:
        """Cancelling what has ended changes nothing."""
        site.launch("k1", site.works)
        before = site.ended("k1")
        site.cluster.cancel(["k1"])
        assert site.report("k1") == before

    def test_a_key_that_is_forgotten_starts_no_more(self, site: Site) -> None:
        """A key that is forgotten starts no more."""
        long_ago = site.cluster.now() - _WEEK
        site.launch("k1", site.works, sent_at=long_ago)
        site.launch("k2", site.works, sent_at=long_ago + 1)
        site.launch("k3", site.lasts, sent_at=long_ago + 2)
        site.ended("k1")
        site.ended("k2")
        site.cluster.forget(["k2", "k2", "never"])
        assert [site.report(key).outcome for key in ("k1", "k2", "k3")] == ["done", "unknown", "running"]
        # The launch of a forgotten key comes again, and so does one that was sent before it and was never seen.
        for key, sent_at in (("k2", long_ago + 1), ("k0", long_ago)):
            answer = site.launch(key, site.lasts, sent_at=sent_at)
            assert answer.refusal == "launch-late"
            assert answer.reason
        # What is known stays known, however long ago it was sent.
        assert site.launch("k1", site.lasts, sent_at=long_ago).refusal is None
        assert (site.free_cores(0), site.free_cores(1)) == (3, 4)
        # Whatever is sent now is taken.
        assert site.launch("k4", site.works, sent_at=site.cluster.now()).refusal is None
        assert site.ended("k4").outcome == "done"

    def test_what_is_fresh_or_runs_or_does_not_say_when_it_was_sent_is_not_forgotten(self, site: Site) -> None:
        """What is fresh or runs or does not say when it was sent is not forgotten."""
        now = site.cluster.now()
        site.launch("runs", site.lasts, sent_at=now - _WEEK)
        site.launch("fresh", site.works, sent_at=now)
        site.launch("unsaid", site.works)
        site.cluster.cancel(["never-came"])
        keys = ["runs", "fresh", "unsaid", "never-came"]
        for key in keys[1:]:
            site.ended(key)
        site.cluster.forget(keys)
        assert [one.outcome for one in site.cluster.reports(keys)] == ["running", "done", "done", "failed"]

    def test_inputs_are_fetched_in_order(self, site: Site) -> None:
        """Inputs are fetched in order."""
        found = site.cluster.fetch(["a.bin", "b.bin", "a.bin"], concurrency=2)
        assert [one.name for one in found] == ["a.bin", "b.bin", "a.bin"]
        assert [one.reason for one in found] == ["", "", ""]
        assert all(one.value is not None for one in found)
        assert site.cluster.fetch([], concurrency=2) == []

    def test_a_closed_cluster_takes_no_calls(self, site: Site) -> None:
        """A closed cluster takes no calls."""
        site.cluster.close()
        site.cluster.close()
        calls: dict[str, Callable[[], object]] = {
            "offers": site.cluster.offers,
            "launch": lambda: site.launch("k1", site.works),
            "reports": lambda: site.report("k1"),
            "cancel": lambda: site.cluster.cancel(["k1"]),
            "forget": lambda: site.cluster.forget(["k1"]),
            "fetch": lambda: site.cluster.fetch(["a.bin"], concurrency=1),
        }
        for name, call in calls.items():
            with pytest.raises(ClusterError) as caught:
                call()
            assert caught.value.code == "cluster-closed", name
