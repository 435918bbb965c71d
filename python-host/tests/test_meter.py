"""What the application's own meter counts of matchers, fallbacks and slots."""

import pytest
from opentelemetry.metrics import _internal
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from hostile import OFFERS, TASKS
from offermatch import FallbackMatcher, Limits, Matcher, Offer, ReferenceMatcher, Slot, Task


@pytest.fixture
def counted(monkeypatch):
    """Set the meter provider of the process for one test; return what reads the numbers by name and attributes."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    monkeypatch.setattr(_internal, "_METER_PROVIDER", provider)

    def numbers():
        [resource] = reader.get_metrics_data().resource_metrics
        points = [
            (metric.name, point)
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]
        return {
            (name, *sorted(point.attributes.values())): getattr(point, "value", getattr(point, "count", None))
            for name, point in points
        }

    yield numbers
    provider.shutdown()


def test_tasks_and_times_of_calls_and_of_pools_are_counted_by_matcher(counted):
    matcher = ReferenceMatcher()
    offers = [Offer("one", {"cpu": 1})]
    matcher.match([Task("a", {"cpu": 1}), Task("b", {"cpu": 1})], offers)
    with matcher.open(offers, mode="shared") as pool:
        pool.assign([Task("c", {"cpu": 1})])
    said = matcher.description
    found = counted()
    assert found["offermatch.match.duration", said.policy, said.name] == 2
    assert found["offermatch.match.tasks", said.policy, said.name, "placed"] == 2
    assert found["offermatch.match.tasks", said.policy, said.name, "unplaced"] == 1


def test_what_could_have_been_placed_at_most_is_counted_where_it_was_asked_for(counted):
    matcher = ReferenceMatcher()
    tasks, offers = [Task(name, {"cpu": 2}) for name in "abc"], [Offer(name, {"cpu": 3}) for name in "xy"]
    # Cut up, the three would fit; a task is placed whole.
    matcher.match(tasks, offers, mode="shared", bound=True)
    matcher.match(tasks, offers, mode="shared")
    said, found = matcher.description, counted()
    assert found["offermatch.match.bound", said.policy, said.name, "possible"] == 3
    assert found["offermatch.match.bound", said.policy, said.name, "placed"] == 2
    assert found["offermatch.match.tasks", said.policy, said.name, "placed"] == 4


def test_nothing_is_said_of_the_most_where_nobody_asked(counted):
    ReferenceMatcher().match([Task("a", {"cpu": 1})], [Offer("one", {"cpu": 1})])
    assert not [key for key in counted() if key[0] == "offermatch.match.bound"]


def test_fallbacks_and_slots_are_counted(counted):
    FallbackMatcher(Matcher.load(limits=Limits(output_rows=1))).match(TASKS, OFFERS)
    slot = Slot(ReferenceMatcher())
    slot.promote(ReferenceMatcher())
    slot.rollback()
    found = counted()
    assert found["offermatch.match.fallbacks", "limit-output"] == 1
    assert (found["offermatch.slot.events", "promoted"], found["offermatch.slot.events", "rolled-back"]) == (1, 1)


def test_a_meter_that_fails_costs_no_answer(monkeypatch, caplog):
    class Broken(MeterProvider):
        def get_meter(self, *arguments, **options):
            raise RuntimeError("out of order")

    monkeypatch.setattr(_internal, "_METER_PROVIDER", Broken())
    answer = ReferenceMatcher().match([Task("a", {"cpu": 1})], [Offer("one", {"cpu": 1})])
    assert len(answer.assignments) == 1
    assert "a measurement is lost: offermatch.match.duration" in caplog.text
