"""Laws that hold for every input: the component and the reference loop are one matcher."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

import cases
from offermatch import ReferenceMatcher


@given(data=st.data())
def test_component_and_reference_live_the_same_life(component, data):
    settings = data.draw(cases.pool_settings)
    offers = data.draw(cases.offers())
    pools = [
        matcher.open(offers, settings, dimensions=cases.DIMENSIONS, attributes=cases.ATTRIBUTES)
        for matcher in (component, ReferenceMatcher())
    ]
    for round_number in range(3):
        tasks = data.draw(cases.tasks())
        answers = [pool.assign(tasks) for pool in pools]
        assert answers[0].digest == answers[1].digest, "the answers differ"
        assert len(pools[0]) == len(pools[1]), "the lists differ in length"
        tasks = data.draw(cases.tasks(most=3))
        assert pools[0].explain(tasks) == pools[1].explain(tasks), "the reasons differ"
        change = data.draw(cases.changes(pools[0].offer_names, round_number))
        for pool in pools:
            pool.update(**change)


@given(tasks=cases.tasks(), offers=cases.offers(), settings=cases.pool_settings)
def test_one_call_answers_as_a_pool_does(packed, tasks, offers, settings):
    with packed.open(offers, settings, dimensions=cases.DIMENSIONS) as pool:
        expected = pool.assign(tasks)
        reasons = pool.explain([tasks[row] for row in expected.unplaced_rows])
    answer = packed.match(
        tasks,
        offers,
        settings,
        dimensions=cases.DIMENSIONS,
        explain=True,
    )
    assert answer.digest == expected.digest
    assert answer.explanations == reasons


@given(tasks=cases.tasks(), offers=cases.offers(), settings=cases.pool_settings)
def test_no_task_is_lost_or_placed_twice(packed, tasks, offers, settings):
    with packed.open(offers, settings, dimensions=cases.DIMENSIONS) as pool:
        answer = pool.assign(tasks)
    assert sorted([*answer.task_names, *answer.unplaced]) == sorted(task.name for task in tasks)


@given(tasks=cases.tasks(), offers=cases.offers(), settings=cases.pool_settings)
def test_an_unplaced_task_had_no_candidate_left_in_exclusive_mode(packed, tasks, offers, settings):
    # The list only shrinks in exclusive mode, so what had no candidate when its turn came has none at the end. (In shared
    # mode it may: what others take makes an offer tighter, and its score may fall below the maximum.)
    exclusive = replace(settings, mode="exclusive")
    with packed.open(offers, exclusive, dimensions=cases.DIMENSIONS) as pool:
        answer = pool.assign(tasks)
        for reasons in pool.explain([tasks[row] for row in answer.unplaced_rows]):
            assert reasons.candidates == 0


@given(tasks=cases.tasks(), offers=cases.offers(), settings=cases.pool_settings)
def test_the_same_input_gives_the_same_answer(packed, tasks, offers, settings):
    digests = set()
    for _ in range(2):
        with packed.open(offers, settings, dimensions=cases.DIMENSIONS) as pool:
            digests.add(pool.assign(tasks).digest)
    assert len(digests) == 1
