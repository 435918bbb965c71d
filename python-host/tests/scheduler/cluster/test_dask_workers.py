"""Dask workers that declare odd amounts: each is used as it can be, or left out and named; no other is harmed."""

import math
from types import SimpleNamespace

import pytest
from distributed.core import Status

from offermatch import Matcher, Task, at_least
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.dask.ledger import Ledger
from offermatch.scheduler.cluster.servers import offers_of

GIB = 2**30


def worker(name="w", threads=4, memory=8 * GIB, **resources):
    said = {"name": name, "host": "host", "nthreads": threads, "memory_limit": memory}
    return SimpleNamespace(**said, resources=resources, status=Status.running)


def ledger(**workers):
    """Return a ledger of these workers, by address; the Dask scheduler is a stand-in."""
    scheduler = SimpleNamespace(workers=workers, clients={}, tasks={})
    made = Ledger()
    made._scheduler = scheduler
    for address in workers:
        made.add_worker(scheduler, address)
    return made


@pytest.mark.parametrize("amount", [-1, -0.5, math.inf, math.nan, 1e20])
@pytest.mark.parametrize("resource", ["scratch", "GPU", "memory"])
def test_a_worker_that_declares_what_none_can_have_is_left_out_and_named(amount, resource):
    made = ledger(bad=worker("bad", **{resource: amount}), good=worker("good"))
    assert offers_of(made.servers()).names == ["good"]
    assert list(made.odd()) == ["bad"]
    assert resource in made.odd()["bad"]


def test_memory_without_a_limit_is_room_enough():
    for memory in (0, None):
        (server,) = ledger(a=worker(memory=memory)).servers()
        assert server.free["memory"] >= 2**50


def test_cores_are_cores_and_a_part_of_a_device_is_its_thousandths():
    (server,) = ledger(a=worker(cpu=4, GPU=2.5, scratch=5e11)).servers()
    assert (server.free["cpu"], server.devices, server.free["scratch"]) == (4000, [1000, 1000, 500], 5 * 10**11)


def test_a_resource_may_be_a_measure_which_tasks_compare_and_do_not_use_up():
    state = worker("new", **{"measure.driver": 535.5, "measure.altitude": -3})
    made = ledger(a=state, b=worker("old", **{"measure.driver": 470}), c=worker("silent"))
    task = Task("t", {"cpu": 1}, requirements=[at_least("driver", 500)])
    assert Matcher.load().match([task], offers_of(made.servers())).offer_names == ["new"]
    assert made.servers()[0].measures == {"driver": 535.5, "altitude": -3.0}
    assert "measure.driver" not in made.servers()[0].free
    state.resources = {"measure.driver": 460}
    assert Matcher.load().match([task], offers_of(made.servers())).offer_names == []


@pytest.mark.parametrize("resource", [{"measure.driver": math.nan}, {"measure.driver": math.inf}, {"measure.": 1}])
def test_a_measure_that_is_none_leaves_its_worker_out_and_names_it(resource):
    made = ledger(bad=worker("bad", **resource), good=worker("good"))
    assert offers_of(made.servers()).names == ["good"]
    assert "measure." in made.odd()["bad"]


def test_resources_that_change_are_seen_and_what_runs_is_still_counted():
    state = worker(scratch=100)
    made = ledger(a=state)
    launch = Launch("k", "t", "w", {"cpu": 1000, "scratch": 60})
    assert made.take([launch], "client")[0][1] == "a"
    made._scheduler.clients = {"client": None}
    state.resources = {"scratch": 50, "licences": 2}
    table = offers_of(made.servers())
    assert (list(table.available["scratch"]), list(table.available["licences"]), list(table.available["cpu"])) == (
        [0],
        [2],
        [3000],
    )
    state.resources = {"scratch": math.inf}
    assert made.servers() == []
    state.resources = {"scratch": 100}
    assert made.servers()[0].free["scratch"] == 40


def test_the_worker_0_and_the_worker_of_text_0_are_two_offers():
    made = ledger(a=worker(0), b=worker("0"))
    assert offers_of(made.servers()).names == ["0", "0 at b"]


@pytest.mark.parametrize("status", [Status.paused, Status.closing_gracefully, Status.closing])
def test_a_worker_that_takes_no_tasks_makes_no_offer_and_what_runs_there_goes_on(status):
    state = worker()
    made = ledger(a=state, b=worker("other"))
    made.take([Launch("k", "t", "w", {"cpu": 1000})], "client")
    made._scheduler.clients = {"client": None}
    state.status = status
    assert offers_of(made.servers()).names == ["other"]
    assert list(made.odd()) == ["a"]
    assert made.take([Launch("k2", "t", "w", {"cpu": 1000})], "client")[0][0].refusal == "offer-gone"
    assert made.reports(["k"])[0].outcome == "running"
    state.status = Status.running
    assert made.servers()[0].free["cpu"] == 3000
