"""A primary and a fallback: every kind of failure, and the cycle still ends with the right answer."""

import logging
import threading
from dataclasses import replace

import pytest

from hostile import OFFERS, TASKS, component, limits, right
from offermatch import Breaker, FallbackMatcher, InputError, LegacyMatcher, Matcher, OffermatchError, Task
from test_hostile import CALLING, match, share


class Failing(LegacyMatcher):
    """Fails as it is told to, and counts how often it was asked."""

    def __init__(self, error=None):
        self.error, self.asked = error, 0

    def _run(self, cycle, timings):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return super()._run(cycle, timings)


@pytest.mark.parametrize(
    "name", [name for name, (call, *_) in CALLING.items() if call in (match, share) and name != "wasi-panic"]
)
def test_every_failure_ends_in_the_answer_of_the_fallback(name, monkeypatch, caplog):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "bulk")
    call, code, _ = CALLING[name]
    matcher = FallbackMatcher(Matcher.load(component(name), limits=limits(name)))
    answer = call(matcher)
    assert answer.digest == right("exclusive" if call is match else "shared")
    assert answer.matcher == LegacyMatcher.description
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
    primary.description = replace(LegacyMatcher.description, modes=modes)
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
