"""A primary and a fallback: every kind of failure, and the cycle still ends with the right answer."""

import logging
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cases
from hostile import CALLING, OFFERS, TASKS, component, limits, match, right, share
from offermatch import (
    Breaker,
    FallbackMatcher,
    InputError,
    LimitError,
    Limits,
    Matcher,
    MatcherError,
    Offer,
    OffermatchError,
    Recording,
    ReferenceMatcher,
    Settings,
    Task,
    replay,
)


class Failing(ReferenceMatcher):
    """Fails as it is told to, and counts how often it was asked."""

    def __init__(self, error=None):
        self.error, self.asked = error, 0

    def session(self, *arguments):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return super().session(*arguments)


@pytest.mark.parametrize(
    "name", [name for name, (call, *_) in CALLING.items() if call in (match, share) and name != "wasi-panic"]
)
def test_every_failure_ends_in_the_answer_of_the_fallback(name, monkeypatch, caplog):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    call, code, _ = CALLING[name]
    matcher = FallbackMatcher(Matcher.load(component(name), limits=limits(name)))
    answer = call(matcher)
    assert answer.digest == right("exclusive" if call is match else "shared")
    assert answer.matcher == ReferenceMatcher.description
    assert isinstance(answer.fallback_reason, OffermatchError)
    assert matcher.fallbacks == {code: 1}
    record = caplog.records[-1]
    assert (record.levelno, record.offermatch_code) == (logging.WARNING, code)


@pytest.mark.parametrize("error", [ValueError("odd"), MemoryError(), RuntimeError(), AssertionError()])
def test_what_nobody_expected_ends_the_same(error):
    matcher = FallbackMatcher(Failing(error))
    answer = matcher.match(TASKS, OFFERS)
    assert (answer.digest, answer.fallback_reason) == (right(), error)
    assert matcher.fallbacks == {type(error).__name__: 1}


def test_without_a_failure_the_primary_answers():
    matcher = FallbackMatcher(Matcher.load())
    answer = matcher.match(TASKS, OFFERS)
    assert (answer.digest, answer.fallback_reason, answer.matcher_digest) == (right(), None, matcher.digest)
    assert answer.matcher == matcher.description == matcher.primary.description
    assert not matcher.fallbacks


def test_rows_that_can_be_read_once_are_enough():
    answer = FallbackMatcher(Failing(ValueError())).match(iter(TASKS), iter(OFFERS))
    assert answer.digest == right()


def test_a_mistake_in_the_input_is_raised_and_counts_for_nothing():
    matcher = FallbackMatcher(Failing(), breaker=Breaker(failures=1))
    for _ in range(3):
        with pytest.raises(InputError):
            matcher.match([Task("t", {"gpu": 1})], OFFERS)
        with pytest.raises(InputError):
            matcher.match(TASKS, OFFERS, max_score=-1.0)
    assert (matcher.breaker.state, matcher.fallbacks) == ("closed", {})


@pytest.mark.parametrize("modes", [(), ("shared",)])
def test_what_only_the_primary_refuses_is_its_failure(modes):
    primary = Failing()
    primary.description = replace(ReferenceMatcher.description, modes=modes)
    matcher = FallbackMatcher(primary, breaker=Breaker(failures=1))
    answer = matcher.match(TASKS, OFFERS)
    assert (answer.digest, answer.fallback_reason.code) == (right(), "setting-malformed")
    assert (matcher.fallbacks, matcher.breaker.state) == ({"setting-malformed": 1}, "open")


def test_the_breaker_opens_rests_probes_and_closes():
    primary = Failing(ValueError())
    matcher = FallbackMatcher(primary, breaker=Breaker(failures=3, cooldown_cycles=5))
    states = []

    def cycle():
        answer = matcher.match(TASKS[:1], OFFERS)
        states.append(matcher.breaker.state)
        return answer

    for _ in range(3):
        cycle()
    assert (states, primary.asked) == (["closed", "closed", "open"], 3)
    for _ in range(5):
        assert cycle().fallback_reason.code == "breaker-open"
    assert primary.asked == 3
    cycle()
    assert (primary.asked, matcher.breaker.state) == (4, "open")
    for _ in range(5):
        cycle()
    primary.error = None
    assert cycle().fallback_reason is None
    assert matcher.breaker.state == "closed"
    assert cycle().fallback_reason is None
    assert matcher.fallbacks == {"ValueError": 4, "breaker-open": 10}


def test_failures_that_are_not_in_a_row_do_not_open_it():
    primary = Failing()
    matcher = FallbackMatcher(primary, breaker=Breaker(failures=2))
    for error in (ValueError(), None) * 4:
        primary.error = error
        matcher.match(TASKS[:1], OFFERS)
    assert (primary.asked, matcher.breaker.state) == (8, "closed")


def test_one_cycle_at_a_time_probes():
    breaker = Breaker(failures=1, cooldown_cycles=1)
    assert breaker.allows()
    assert breaker.failed()
    assert [breaker.allows() for _ in range(3)] == [False, True, False]
    assert breaker.state == "probing"
    breaker.abandoned()
    assert breaker.allows()


def test_an_interrupt_is_not_a_failure():
    matcher = FallbackMatcher(Failing(KeyboardInterrupt()), breaker=Breaker(failures=1))
    with pytest.raises(KeyboardInterrupt):
        matcher.match(TASKS, OFFERS)
    assert matcher.breaker.state == "closed"


def test_numbers_that_cannot_be_used():
    for numbers in ({"failures": 0}, {"cooldown_cycles": 0}):
        with pytest.raises(InputError):
            Breaker(**numbers)


def test_threads_share_it():
    matcher = FallbackMatcher(Failing(ValueError()), breaker=Breaker(failures=3, cooldown_cycles=7))
    digests = []
    threads = [
        threading.Thread(target=lambda: digests.extend(matcher.match(TASKS, OFFERS).digest for _ in range(20)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(digests) == {right()}
    assert sum(matcher.fallbacks.values()) == 80


class Fickle(ReferenceMatcher):
    """A matcher whose every call goes as it is told to: well, not at all, or to a lie."""

    def __init__(self, moods):
        self.moods = moods

    def backend(self, *arguments):
        self.raise_what_is_next()
        return FickleBackend(self, super().backend(*arguments))

    def raise_what_is_next(self):
        mood = self.moods.pop(0) if self.moods else None
        if isinstance(mood, Exception):
            raise mood
        return mood


class FickleBackend:
    def __init__(self, matcher, honest):
        self.matcher, self.honest = matcher, honest

    def assign(self, table, timings):
        mood, answer = self.matcher.raise_what_is_next(), self.honest.assign(table, timings)
        if mood == "lie":
            # All that is right has been taken from the host's tables before the lie is seen.
            answer.tasks.append(table.rows)
            answer.offers.append(0)
            answer.scores.append(0.0)
        return answer

    def update(self, changes, timings):
        self.matcher.raise_what_is_next()
        self.honest.update(changes, timings)

    def explain(self, table, timings):
        mood, answer = self.matcher.raise_what_is_next(), self.honest.explain(table, timings)
        if mood == "lie":
            answer.candidates.append(1)
        return answer

    def close(self):
        self.honest.close()


mood = st.sampled_from(
    [None, None, None, "lie", "lie", MatcherError("matcher-trapped", "it broke"), ValueError(), MemoryError()]
)


@pytest.fixture(scope="module")
def fallbacks():
    """The reference checks no table that it is given; a component does."""
    return ReferenceMatcher(), Matcher.load()


@given(data=st.data(), moods=st.lists(mood, max_size=20), breaker=st.builds(Breaker, st.integers(1, 3), st.integers(1, 3)))
def test_a_pool_lives_the_life_of_the_reference_whatever_happens_to_the_primary(fallbacks, data, moods, breaker):
    settings, offers = data.draw(cases.pool_settings), data.draw(cases.offers())
    matcher = FallbackMatcher(Fickle(moods), data.draw(st.sampled_from(fallbacks)), breaker)
    pool, reference = (
        one.open(offers, settings, dimensions=cases.DIMENSIONS, attributes=cases.ATTRIBUTES)
        for one in (matcher, ReferenceMatcher())
    )
    for round_number in range(4):
        tasks = data.draw(cases.tasks())
        answer = pool.assign(tasks)
        assert answer.digest == reference.assign(tasks).digest, "the answers differ"
        assert len(pool) == len(reference), "the lists differ in length"
        assert pool.explain(tasks) == reference.explain(tasks), "the reasons differ"
        change = data.draw(cases.changes(pool.offer_names, round_number))
        pool.update(**change)
        reference.update(**change)


# Those that ignore what a task requires may answer validly, and otherwise than the reference. A panic takes its time.
POOLS = [(name, "exclusive") for name in CALLING if not name.startswith(("ignore", "over", "wasi-panic"))]


@pytest.mark.parametrize(("name", "mode"), [*POOLS, ("over-commit", "shared")])
def test_a_pool_whose_matcher_fails_goes_on_in_the_fallback(name, mode, monkeypatch, caplog):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    matcher = FallbackMatcher(Matcher.load(component(name), limits=limits(name)))
    pool, reference = (one.open(OFFERS, Settings(mode)) for one in (matcher, ReferenceMatcher()))
    for number in range(3):
        answer = pool.assign(TASKS)
        assert answer.digest == reference.assign(TASKS).digest
        assert (answer.matcher == ReferenceMatcher.description) == (answer.fallback_reason is not None)
        for one in (pool, reference):
            one.update(
                removed=["offer-39"], changed=[Offer("offer-3", {"cpu": 2})], added=[Offer(f"new-{number}", {"cpu": 9})]
            )
        assert pool.explain(TASKS) == reference.explain(TASKS)
    code = CALLING[name][1]
    assert matcher.fallbacks[code] >= 1
    assert code in {record.offermatch_code for record in caplog.records if hasattr(record, "offermatch_code")}


def test_a_pool_returns_to_the_primary_when_the_breaker_lets_it():
    # Fails where it has more than one task to tell of.
    matcher = FallbackMatcher(Matcher.load(limits=Limits(output_rows=1)), breaker=Breaker(failures=2, cooldown_cycles=2))
    pool = matcher.open(OFFERS, Settings("shared"))
    answers = [pool.assign(tasks) for tasks in (TASKS, TASKS, *[TASKS[:1]] * 4, TASKS)]
    codes = [getattr(answer.fallback_reason, "code", "primary") for answer in answers]
    failed, waiting = "limit-output", "breaker-open"
    assert codes == [failed, failed, waiting, waiting, "primary", "primary", failed]
    assert [answer.matcher_digest for answer in answers] == ["" if code != "primary" else matcher.digest for code in codes]
    assert isinstance(answers[0].fallback_reason, LimitError)
    assert matcher.fallbacks == {failed: 3, waiting: 2}


def test_a_mistake_asked_of_a_pool_leaves_it_in_the_primary():
    matcher = FallbackMatcher(Matcher.load())
    pool = matcher.open(OFFERS)
    with pytest.raises(InputError):
        pool.update(removed=["nobody"])
    with pytest.raises(InputError):
        pool.assign([Task("t", {"gpu": 1})])
    assert (pool.assign(TASKS).digest, matcher.fallbacks, matcher.breaker.state) == (right(), {}, "closed")


def test_a_pool_is_opened_where_the_primary_lacks_the_mode():
    primary = Failing()
    primary.description = replace(ReferenceMatcher.description, modes=("shared",))
    matcher = FallbackMatcher(primary)
    answer = matcher.open(OFFERS).assign(TASKS)
    assert answer.digest == right()
    assert matcher.fallbacks == {"setting-malformed": 1}


@pytest.mark.parametrize("moods", [[None, "lie"], [None, ValueError()], [ValueError()]])
def test_a_recorded_pool_has_each_step_once(tmp_path, moods):
    path = tmp_path / "pool.recording.json"
    with FallbackMatcher(Fickle(moods)).open(OFFERS, record=path) as pool:
        pool.assign(TASKS[:7])
        pool.assign(TASKS[7:])
    assert not replay(Recording.read(path), ReferenceMatcher())
    assert len(Recording.read(path).steps) == 2


@given(data=st.data(), moods=st.lists(mood, max_size=12), breaker=st.builds(Breaker, st.integers(1, 3), st.integers(1, 3)))
def test_a_pool_of_the_current_contract_keeps_the_scales_that_grew_wherever_it_goes(data, moods, breaker):
    primary = Fickle(moods)
    primary.description = CURRENT.description
    settings, offers = data.draw(cases.pool_settings), data.draw(cases.offers())
    matcher = FallbackMatcher(primary, breaker=breaker)
    pool, reference = (
        one.open(offers, settings, dimensions=cases.DIMENSIONS, attributes=cases.ATTRIBUTES) for one in (matcher, CURRENT)
    )
    for round_number in range(4):
        tasks = data.draw(cases.tasks())
        assert pool.assign(tasks).digest == reference.assign(tasks).digest, "the answers differ"
        change = data.draw(cases.changes(pool.offer_names, round_number))
        pool.update(**change)
        reference.update(**change)


CURRENT = ReferenceMatcher()
