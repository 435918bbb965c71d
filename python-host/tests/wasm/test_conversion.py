"""Contract 0.3.0 on the wire: every call and every column, as digits and as lists."""

import json
import random
from array import array
from pathlib import Path

import pytest

from offermatch import (
    FallbackMatcher,
    InputError,
    LyingMatcherError,
    Matcher,
    MatcherError,
    Offer,
    Recording,
    ReferenceMatcher,
    Task,
    is_in,
    replay,
)
from offermatch.model import Timings
from offermatch.recording.recorder import Recorded
from offermatch.tables.devices import Devices
from offermatch.tables.rules import refuse_unserved
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import (
    AT_LEAST,
    AT_MOST,
    IN,
    NOT_IN,
    Assigned,
    Changes,
    GroupTable,
    OfferTable,
    Requirements,
    RunningTable,
    TaskTable,
    Workload,
)
from offermatch.verify.ledger import Ledger

CURRENT = Path(__file__).parents[3] / "target" / "matcher.wasm"
INFINITE = float("inf")
UNSET = float("nan")


def loaded(crossing):
    if not CURRENT.exists():
        pytest.fail(f"{CURRENT} is not there: run 'make component'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFERMATCH_CROSSING", crossing)
        return Matcher.load(CURRENT)


@pytest.fixture(scope="module")
def before():
    path = CURRENT.with_name("matcher-0.2.0.wasm")
    if not path.exists():
        pytest.fail(f"{path} is not there: run 'make hostile'")
    return Matcher.load(path)


@pytest.fixture(scope="module", params=["direct", "packed", "public"])
def current(request):
    return loaded(request.param)


def numbers(*values):
    return array("Q", values)


def offers():
    """Three offers on two racks, with a price and a temperature that one of them does not have."""
    return OfferTable(
        3,
        [numbers(8, 8, 8)],
        [numbers(10, 10, 10)],
        [numbers(1, 1, 2)],
        Devices.of_rows([[1000], [1000], [400]]),
        [array("d", [1.5, 2.5, -0.5]), array("d", [UNSET, 40.0, -40.0])],
    )


def tasks():
    """A gang of two that is to be together, a task with a bound and a preference, and one that no offer serves."""
    conditions = Requirements(
        numbers(0, 0, 0, 2, 4),
        numbers(AT_MOST, IN, AT_LEAST, NOT_IN),
        numbers(0, 0, 1, 0),
        array("d", [2.0, 0.0, 41.0, 0.0]),
        array("d", [INFINITE, 7.25, INFINITE, INFINITE]),
        numbers(0, 0, 1, 1, 2),
        numbers(2, 1),
    )
    groups = GroupTable(1, numbers(2), numbers(1), numbers(0, 1), numbers(0), numbers(1), numbers(0), numbers(0), numbers(0))
    return TaskTable(4, [numbers(2, 2, 3, 1)], numbers(0, 300, 0, 0), conditions, numbers(1, 1, 0, 0), groups)


def opened(matcher, mode="shared", **settings):
    shape, columns = Shape(1, 1, 2), SettingColumns(mode, None, [1.0, 0.5], [0, 0], **settings)
    return matcher.backend(offers(), shape, columns, Timings())


def test_every_rule_crosses(current):
    assert current.description.rules == ("measures", "preferences", "groups", "workload")
    found = opened(current).assign(tasks(), Timings())
    # The gang takes the rack with two offers, one each. The preference costs 7.25 where the rack is not the second one.
    assert list(found.tasks) == [0, 1, 2]
    assert sorted(found.offers[:2]) == [0, 1]
    assert found.offers[2] == 2


def test_explanations_cross(current):
    found = opened(current).explain(tasks(), Timings())
    assert found.candidates == [3, 3, 2, 0]
    assert found.capable == [3, 3, 2, 0]
    # The bound 41.0 is one above what the second offer has; the others are unset, or on a rack that is excluded, or both.
    assert (found.requirement_fails, found.requirement_alone) == ([1, 2, 3, 2], [1, 0, 1, 0])
    assert found.requirement_missing == [0.5, 0.0, 81.0, 0.0]
    assert found.members_placed == [2]
    assert found.limit_fails == [0, 0]


def test_updates_and_workloads_cross(current):
    typical = Workload(TaskTable(1, [numbers(2)], numbers(), Requirements()), array("d", [1.0]))
    pool = opened(current, workload=typical)
    nothing = OfferTable(0, [numbers()], [], [numbers()])
    measures = [array("d", [0.0]), array("d", [99.0])]
    better = OfferTable(1, [numbers(9)], [numbers(20)], [numbers(2)], measures=measures)
    pool.update(Changes([0], [1], better, nothing, typical), Timings())
    found = pool.assign(tasks(), Timings())
    assert dict(zip(found.tasks, found.offers, strict=True))[3] == 1 if 3 in found.tasks else 3 not in found.tasks
    assert pool.explain(tasks(), Timings()).requirement_fails[2] == 1


def test_plans_of_preemption_cross(current):
    running = RunningTable(
        3, numbers(0, 1, 1), array("q", [-5, 3, 1]), numbers(10, 20, 30), [numbers(2, 1, 1)], numbers(0, 0, 0, 0)
    )
    wanted = TaskTable(1, [numbers(9)], numbers(), Requirements())
    found = opened(current).preempt(wanted, [2], running, Timings())
    # Of the first offer the task of priority -5 may be taken, of the second the one of priority 1.
    assert (list(found.tasks), list(found.offers), list(found.victims)) == ([0], [0], [0])
    assert list(found.victim_offsets) == [0, 1]


def test_both_crossings_answer_alike():
    packed, public = (opened(loaded(crossing), "exclusive") for crossing in ("packed", "public"))
    for _ in range(2):
        one, other = (pool.assign(tasks(), Timings()) for pool in (packed, public))
        assert [*map(list, (one.tasks, one.offers, one.scores))] == [*map(list, (other.tasks, other.offers, other.scores))]
        assert packed.explain(tasks(), Timings()) == public.explain(tasks(), Timings())


@pytest.mark.parametrize(
    ("table", "rule"),
    [
        (TaskTable(1, [numbers(1)], numbers(), Requirements(numbers(0, 1), numbers(AT_LEAST), numbers(0))), "measures"),
        (
            TaskTable(
                1,
                [numbers(1)],
                numbers(),
                Requirements(numbers(0, 1), numbers(IN), numbers(0), weights=array("d", [1.0]), value_offsets=numbers(0, 0)),
            ),
            "preferences",
        ),
        (TaskTable(1, [numbers(1)], numbers(), Requirements(), numbers(1), GroupTable(1)), "groups"),
    ],
)
def test_a_rule_that_a_matcher_does_not_serve_is_refused_by_name(before, table, rule):
    opening, shape, settings = OfferTable(1, [numbers(1)], [], []), Shape(1), SettingColumns("shared")
    session = before.session(opening, shape, settings, Timings())
    for ask in (session.assign, session.explain):
        with pytest.raises(InputError, match=f"does not serve {rule}") as caught:
            ask(table, Ledger(opening, "shared", 1.0), Timings())
        assert caught.value.code == "rule-unserved"
    # Nothing was asked of the matcher, so the session goes on.
    assert (
        len(
            session.assign(
                TaskTable(0, [numbers()], numbers(), Requirements()), Ledger(opening, "shared", 1.0), Timings()
            ).assigned.tasks
        )
        == 0
    )
    refuse_unserved(loaded("packed").description, iter([rule]))


def test_settings_that_a_matcher_does_not_take_are_refused_by_name(before):
    given = [Task("t", {"gpu": 1})], [Offer("o", {"gpu": 1})]
    with pytest.raises(InputError, match="does not serve workload") as caught:
        before.match(*given, workload=[(Task("t", {"gpu": 1}), 1.0)])
    assert caught.value.code == "rule-unserved"
    with pytest.raises(InputError, match="takes no parameter 'alpha'") as caught:
        before.match(*given, parameters={"alpha": 1})
    assert caught.value.code == "parameter-unknown"


def test_a_fallback_does_without_the_parameters_of_the_primary(packed):
    class Tuned(ReferenceMatcher):
        def session(self, table, shape, settings, timings):
            assert settings.named_parameters == {"alpha": 2}
            raise MatcherError("matcher-trapped", "it broke")

    answer = FallbackMatcher(Tuned(), packed).match(
        [Task("t", {"gpu": 1})], [Offer("o", {"gpu": 1})], parameters={"alpha": 2}
    )
    assert (answer.offer_names, answer.fallback_reason.code) == (["o"], "matcher-trapped")


@pytest.mark.parametrize(
    ("workload", "says"),
    [
        ([(Task("t"), -1.0)], "the share -1.0 cannot be used"),
        ([(Task("t"), UNSET)], "the share nan cannot be used"),
        ([(Task("t"), 0)], "add up to 0"),
        ([Task("t")], "no list of such pairs"),
    ],
)
def test_a_workload_that_cannot_be_used(current, workload, says):
    with pytest.raises(InputError, match=says) as caught:
        current.open([Offer("o", {"gpu": 1})], workload=workload)
    assert caught.value.code == "workload-malformed"


def test_a_workload_is_given_and_replaced(current):
    typical = [(Task("t", {"gpu": 1}), 3), (Task("u", {"gpu": 2}), 1)]
    with current.open([Offer("o", {"gpu": 4})], workload=typical) as pool:
        pool.update(workload=typical[:1])
        assert pool.assign([Task("t", {"gpu": 1})]).offer_names == ["o"]


def test_reasons_by_check(current):
    given = [Offer("a", {"gpu": 1, "cpu": 9}), Offer("b", {"gpu": 3, "cpu": 1}), Offer("c", {"gpu": 0, "cpu": 0})]
    (found,) = current.explain([Task("t", {"gpu": 2, "cpu": 2})], given)
    assert {name: (one.fails, one.alone, one.missing) for name, one in found.checks.items()} == {
        "gpu": (2, 1, 1),
        "cpu": (2, 1, 1000),
        "devices": (0, 0, 0),
        "together": (0, 0, 0),
        "score": (0, 0, 0),
    }
    assert (found.candidates, found.capable, found.by_dimension) == (0, 0, {"gpu": 2, "cpu": 2})


def test_what_is_new_is_recorded_and_replayed(tmp_path, current):
    path = tmp_path / "new.recording.json"
    shape, settings = Shape(1, 1, 2), SettingColumns("shared", None, [1.0, 0.5], [0, 0])
    ledger = Ledger(offers(), "shared", INFINITE)
    typical = Workload(TaskTable(1, [numbers(2)], numbers(), Requirements()), array("d", [1.0]))
    nothing = OfferTable(0, [numbers()], [], [numbers()])
    session = Recorded.open(current, offers(), shape, settings, Timings(), path)
    placed = session.assign(tasks(), ledger, Timings())
    session.update(Changes([2], [], nothing, nothing, typical), ledger, Timings())
    session.explain(tasks(), ledger, Timings())
    session.close()
    assert json.loads(path.read_text())["format"] == "offermatch-recording/2"
    recording = Recording.read(path)
    assert replay(recording, current) == []
    assert recording.steps[0]["answer"]["offers"] == list(placed.assigned.offers)
    # One number more would be another recording.
    recording.steps[2]["answer"]["requirement_missing"][2] += 1.0
    assert [difference.what for difference in replay(recording, current)] == ["requirement_missing"]


def test_what_the_contract_before_answers_is_recorded_in_the_first_format(tmp_path, before):
    path = tmp_path / "old.recording.json"
    given = [Task("t", {"gpu": 1}, [is_in("zone", "a")])], [Offer("o", {"gpu": 1}, attributes={"zone": "a"})]
    for explain in (False, True):
        before.match(*given, record=path, explain=explain)
        assert json.loads(path.read_text())["format"] == "offermatch-recording/1"
        for matcher in (before, Matcher.load(), ReferenceMatcher(), ReferenceMatcher("0.2.0")):
            assert replay(Recording.read(path), matcher) == []
    with pytest.raises(InputError):
        before.match([Task("t", {"gpu": 1}), Task("t", {"gpu": 1})], given[1], record=path)
    assert replay(Recording.read(path), before) == []


def test_a_recording_of_the_first_format_keeps_the_scales_of_opening(tmp_path, before, current):
    path = tmp_path / "scales.recording.json"
    with before.open([Offer("o", {"gpu": 4})], record=path) as pool:
        pool.update(added=[Offer("large", {"gpu": 16})])
        assert pool.assign([Task("t", {"gpu": 1}), Task("u", {"gpu": 8})]).scores == [0.75, 2.0]
    for matcher in (before, current, ReferenceMatcher(), ReferenceMatcher("0.2.0")):
        assert replay(Recording.read(path), matcher) == []


def some_tables(draw):
    """Offers and tasks with small numbers, so that ties, unset values and bounds that are just met are common."""
    rows, wanted = draw.randint(0, 8), draw.randint(0, 8)
    free = [array("Q", (draw.randint(0, 9) for _ in range(rows))) for _ in range(2)]
    measures = [array("d", (draw.choice([UNSET, -0.0, 0.0, 1.5, 2.0, INFINITE]) for _ in range(rows))) for _ in range(2)]
    table = OfferTable(
        rows,
        free,
        [array("Q", (value + draw.randint(0, 3) for value in column)) for column in free],
        [array("Q", (draw.randint(0, 2) for _ in range(rows)))],
        Devices.of_rows([draw.choice([0, 400, 1000])] for _ in range(rows)),
        measures,
    )
    conditions = Requirements(numbers(0), value_offsets=numbers(0))
    for _ in range(wanted):
        for _ in range(draw.randint(0, 3)):
            kind = draw.randint(0, 3)
            conditions.kinds.append(kind)
            conditions.subjects.append(0 if kind < 2 else draw.randint(0, 1))
            conditions.bounds.append(draw.choice([-1.0, 0.0, 1.5, 2.0, INFINITE]))
            conditions.weights.append(draw.choice([INFINITE, 0.0, 0.1, 0.25, 3.0]))
            conditions.values.extend(range(1, draw.randint(1, 3)) if kind < 2 else ())
            conditions.value_offsets.append(len(conditions.values))
        conditions.offsets.append(len(conditions.kinds))
    demand = [array("Q", (draw.randint(0, 4) for _ in range(wanted))) for _ in range(2)]
    asked = TaskTable(wanted, demand, array("Q", (draw.choice([0, 300, 1000]) for _ in range(wanted))), conditions)
    return table, asked


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_measures_and_preferences_are_those_of_the_reference(mode):
    draw, matcher, placed = random.Random(f"measures {mode}"), loaded("packed"), 0
    for _ in range(400):
        table, asked = some_tables(draw)
        most = draw.choice([None, None, 1.0, 0.5])
        settings = SettingColumns(mode, most, draw.choice([(), (0.5, 1.0, 0.0)]), ())
        ledger = Ledger(table, mode, settings.score_limit)
        pools = [one.backend(table, Shape(2, 1, 2), settings, Timings()) for one in (matcher, ReferenceMatcher())]
        for tasks_now in (asked, some_tables(draw)[1]):
            found, expected = (pool.assign(tasks_now, Timings()) for pool in pools)
            assert list(found.tasks) == list(expected.tasks)
            assert list(found.offers) == list(expected.offers)
            assert array("d", found.scores).tobytes() == array("d", expected.scores).tobytes()
            ledger.accept(tasks_now, found)
            placed += len(found.tasks)
    assert placed > 500


@pytest.mark.parametrize(("kind", "bound"), [(AT_LEAST, 1.0), (AT_MOST, -1.0)])
@pytest.mark.parametrize("measure", [0.0, UNSET])
def test_an_answer_against_a_bound_is_refused(kind, bound, measure):
    table = OfferTable(1, [numbers(1)], [], [], measures=[array("d", [measure])])
    conditions = Requirements(
        numbers(0, 1), numbers(kind), numbers(0), array("d", [bound]), array("d", [INFINITE]), numbers(0, 0)
    )
    asked = TaskTable(1, [numbers(1)], numbers(), conditions)
    with pytest.raises(LyingMatcherError, match="against a requirement"):
        Ledger(table, "shared", INFINITE).accept(asked, Assigned([0], [0], [0.0]))
    # As a preference it costs, and refuses nothing.
    conditions.weights[0] = 5.0
    Ledger(table, "shared", INFINITE).accept(asked, Assigned([0], [0], [5.0]))
