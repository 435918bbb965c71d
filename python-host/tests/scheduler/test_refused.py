"""What keeps tasks without an offer is counted by check, in the cycle's record and in metrics."""

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from offermatch import Group, Matcher, Offer, ReferenceMatcher, Settings, at_least, is_in
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission
from offermatch.scheduler.watching.telemetry import Telemetry

TASKS = [
    *(Submission(f"large{at}", {"cpu": 9}) for at in range(3)),
    Submission("elsewhere", {"cpu": 1}, [is_in("zone", "z")]),
    Submission("driver", {"cpu": 1}, [at_least("driver", 600)]),
    Submission("gpu", {"cpu": 1}, devices=2),
    Submission("strange", {"tape": 1}),
    *(Submission(f"g{at}", {"cpu": 3}, group=Group("gang", 4)) for at in range(4)),
]
COUNTS = {"demand.cpu": 3, "attribute": 1, "measure": 1, "devices": 1, "unknown-dimension": 1, "least": 4}


@pytest.mark.parametrize("make", [ReferenceMatcher, Matcher.load])
def test_each_task_is_counted_at_the_check_that_refuses_most(tmp_path, make):
    offers = [Offer(f"s{at}", {"cpu": 4}, attributes={"zone": "a"}, measures={"driver": 535}, devices=1) for at in range(3)]
    cluster, reader = SimulatedCluster(offers), InMemoryMetricReader()
    telemetry = Telemetry(metrics=MeterProvider([reader]))
    with Store(f"sqlite:///{tmp_path / 'tasks.db'}") as store:
        store.submit(TASKS)
        with Scheduler(store, cluster, make(), interval=1.0, observers=[telemetry]) as loop:
            cycle = loop.cycle()
            assert cycle.unplaced == COUNTS
            assert loop.cycle().unplaced is None, "they are looked at now and then only"
            assert shown(reader) == COUNTS
            store.cancel([task.name for task in TASKS])
            assert loop.cycle().unplaced == {}
    assert set(shown(reader).values()) == {0}


def test_offers_that_were_taken_are_none_in_exclusive_mode(tmp_path):
    cluster = SimulatedCluster([Offer("one", {"cpu": 4})])
    with Store(f"sqlite:///{tmp_path / 'tasks.db'}") as store:
        store.submit([Submission("a", {"cpu": 1}), Submission("b", {"cpu": 1})])
        with Scheduler(store, cluster, ReferenceMatcher(), settings=Settings("exclusive")) as loop:
            cycle = loop.cycle()
    assert (cycle.placed, cycle.unplaced) == (1, {})


def shown(reader):
    found = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    (metric,) = [one for one in found if one.name == "offermatch.unplaced"]
    return {point.attributes["check"]: point.value for point in metric.data.data_points}
