"""What a hostile matcher does to its host: nothing. One test a behaviour, with the error each has to end in."""

import gc
import math
import os
import subprocess
import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from hostile import (
    CALLING,
    LIMITS,
    OFFERS,
    TASKS,
    component,
    explain,
    limits,
    match,
    right,
    the_host_is_alive,
)
from offermatch import (
    Group,
    LimitError,
    LyingMatcherError,
    Matcher,
    MatcherError,
    Offer,
    OffermatchError,
    ReferenceMatcher,
    Task,
    at_least,
)
from offermatch.model import Timings
from offermatch.session import Verified
from offermatch.tables.settings import SettingColumns, Shape
from offermatch.tables.tables import OfferTable, Requirements, RunningTable, TaskTable
from offermatch.verify.ledger import Ledger

# The crossing is named, so that loading does not make a call of its own.
pytestmark = pytest.mark.usefixtures("public_crossing")


@pytest.fixture(params=["converted", "direct"])
def public_crossing(request, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CROSSING", "public")
    if request.param == "direct":
        monkeypatch.setattr(
            "offermatch.wasm.component.Code.direct", property(lambda _: True, lambda *_: None), raising=False
        )


def load(name):
    return Matcher.load(component(name), limits=limits(name))


LOADING = {
    "claims-newer-contract": ("contract-version", r"0\.4\.0"),
    "newer-contract": ("contract-version", r"0\.4\.0"),
    "spin-describe": ("limit-time", "call_milliseconds = 400"),
    "spin-start": ("limit-time", "call_milliseconds = 400"),
    "trap-describe": ("matcher-trapped", "unreachable"),
    "wrong-world": ("wrong-world", "greeting"),
}


KINDS = {"answer-refused": LyingMatcherError, "limit": LimitError}


def refused(code, words, call):
    kind = KINDS.get(code) or KINDS.get(code.partition("-")[0], MatcherError)
    with pytest.raises(kind, match=f"(?s){words}") as caught:
        call()
    assert caught.value.code == code
    assert caught.value.hint
    assert len(str(caught.value)) < 10_000
    if kind is LimitError:
        assert caught.value.limit
        assert caught.value.asked
    the_host_is_alive()


@pytest.mark.parametrize("name", LOADING)
def test_it_is_refused_when_it_is_loaded(name):
    refused(*LOADING[name], lambda: load(name))


@pytest.mark.parametrize("name", CALLING)
def test_it_ends_in_an_error(name):
    call, code, words = CALLING[name]
    matcher = load(name)
    refused(code, words, lambda: call(matcher))


@pytest.mark.parametrize("name", CALLING)
def test_it_is_an_error_when_loading_makes_a_known_call(name, monkeypatch):
    monkeypatch.delenv("OFFERMATCH_CROSSING")
    call, code, _ = CALLING[name]
    with pytest.raises(OffermatchError) as caught:
        call(load(name))
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["honest", "wasi-clocks", "wasi-environment", "wasi-files", "wasi-honest", "wasi-network"])
def test_what_finds_nothing_outside_answers_right(name):
    matcher = load(name)
    for mode in ("exclusive", "shared"):
        assert matcher.match(TASKS, OFFERS, mode=mode).digest == right(mode)
    assert matcher.explain(TASKS, OFFERS) == ReferenceMatcher().explain(TASKS, OFFERS)


def test_chance_is_the_same_every_time():
    first, second = load("wasi-random"), load("wasi-random")
    assert len({match(matcher).digest for matcher in (first, first, second)}) == 1


def test_answering_differently_every_time_is_not_possible_from_one_cycle_to_the_next():
    # What it keeps, it keeps in its instance.
    matcher = load("capricious")
    assert len({match(matcher).digest for _ in range(3)}) == 1


def test_another_policy_answers_validly():
    assert match(load("first-fit")).digest != right()


def test_a_poisoned_instance_costs_its_pool_and_nothing_else():
    matcher = load("trap")
    with matcher.open(OFFERS) as pool:
        for words in ("unreachable", "gone"):
            with pytest.raises(MatcherError, match=words):
                pool.assign(TASKS)
    assert explain(matcher) == ReferenceMatcher().explain(TASKS, OFFERS)


def test_an_interrupt_during_a_call_that_prints_is_a_keyboard_interrupt():
    matcher = Matcher.load(component("wasi-stdout"), limits=replace(LIMITS, call_milliseconds=20_000))
    # From another process: a thread of this one would have to wait for the interpreter's lock, which the call takes again
    # and again.
    interrupters = []

    def interrupted():
        # Where this machine is busy it comes before the call, and must not end the tests.
        interrupters.append(subprocess.Popen(["sh", "-c", f"sleep 0.05; kill -INT {os.getpid()}"]))
        match(matcher)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    interrupters[0].wait()
    the_host_is_alive()


class Odd(BaseException):
    """Nothing that anybody would expect."""


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueError, Odd])
def test_what_a_function_of_the_host_raises_comes_out_as_it_was(kind, monkeypatch):
    raised = kind("stop")

    def fail(*_):
        raise raised

    monkeypatch.setattr("offermatch.wasm.lockdown.Lockdown._write", fail)
    with pytest.raises(kind) as caught:
        match(load("wasi-stdout"))
    assert caught.value is raised
    monkeypatch.undo()
    the_host_is_alive()


STATM = Path("/proc/self/statm")


def resident():
    # What waits for the garbage collector is not kept: a call leaves some hundred objects to it (docs/trust.md).
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


LOOPED = (
    "trap",
    "nan-scores",
    "over-commit",
    "recurse",
    "rows-out-of-range",
    "wasi-exit",
    "wrong-explanations",
)


@pytest.mark.skipif(not STATM.exists(), reason="needs /proc")
def test_memory_comes_back():
    """OFFERMATCH_HOSTILE_CALLS sets how many calls are made; 10,000 hold as well."""
    calls = int(os.environ.get("OFFERMATCH_HOSTILE_CALLS", "800"))
    matchers = [(load(name), CALLING[name][0]) for name in LOOPED]

    def round_of_calls():
        for matcher, call in matchers:
            with pytest.raises(MatcherError):
                call(matcher)

    for _ in range(20):
        round_of_calls()
    before, begin = resident(), time.monotonic()
    for _ in range(calls // len(LOOPED)):
        round_of_calls()
    grown = resident() / before
    assert grown < 1.05, f"{calls} calls in {time.monotonic() - begin:.1f} s made resident memory {grown:.3f} times as large"
    the_host_is_alive()


def gang(size, **rules):
    return [Task(f"member-{row}", {"cpu": 1}, group=Group("gang", **rules)) for row in range(size)]


RULES = {
    "ignore-groups": ("exclusive", gang(3, least=3), "which asks for 3"),
    "ignore-least": ("exclusive", gang(3, least=3), "which asks for 3"),
    "ignore-limits": ("shared", gang(2, at_most={"offer": 1}), "limit 0 of 1"),
    "ignore-measures": ("shared", [Task("t", {"cpu": 1}, requirements=[at_least("gpu", 40)])], "against a requirement"),
    "ignore-occupants": ("shared", gang(1, at_most={"offer": 1}), "limit 0 of 1"),
    "ignore-together": ("exclusive", gang(2, together="rack"), "not together"),
    "tear-groups": ("exclusive", gang(2, least=2), "which asks for 2"),
}
"""A mode, tasks, and how the answer of a matcher that ignores a rule breaks it."""


@pytest.mark.parametrize("name", RULES)
def test_an_answer_that_breaks_a_rule_is_refused(name):
    mode, tasks, words = RULES[name]
    offers = [Offer(rack, {"cpu": 4}, attributes={"rack": rack}, measures={"gpu": 16.0}) for rack in "ab"]
    running = {"gang": {"a": 1}} if name == "ignore-occupants" else None
    with Matcher.load().open(offers, mode=mode) as pool:
        assert "member-2" not in {row.task for row in pool.assign(tasks, occupants=running).assignments}
    with load(name).open(offers, mode=mode) as pool:
        refused("answer-refused", words, lambda: pool.assign(tasks, occupants=running))


PLANS = {
    "victims-in-vain": ([2], [0, 0], [9]),
    "victims-of-equal-priority": ([2], [9, 9], [9]),
    "victims-twice": ([2, 2], [0, 0], [9, 9]),
    "victims-without-room": ([2], [0, 0], [9]),
}
"""What tasks ask of a full offer, how much the two that run on it matter, and how much the tasks matter."""


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_breaks_a_rule_is_refused(name):
    demand, running, priorities = PLANS[name]
    column = lambda *values: array("Q", values)  # noqa: E731 - as short as the tables are
    offers = OfferTable(1, [column(0)], [column(4)], [])
    tasks = TaskTable(len(demand), [column(*demand)], column(), Requirements())
    table = RunningTable(2, column(0, 0), array("q", running), column(5, 9), [column(2, 2)])
    shape, settings = Shape(1, 0, 0), SettingColumns("shared")

    def plan(matcher):
        session = Verified(matcher.description, "", matcher.backend(offers, shape, settings, Timings()), shape)
        return session.preempt(tasks, priorities, table, Ledger(offers, "shared", math.inf), Timings())

    plan(Matcher.load())
    refused("answer-refused", "", lambda: plan(load(name)))
