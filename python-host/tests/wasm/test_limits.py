"""Limits: where they are set, and what happens beyond each."""

import gc
import json
import subprocess
import sys
import threading
import time
import weakref

import pytest
from wasmtime import Store, WasmtimeError, wat2wasm
from wasmtime.component import Component, Linker

from offermatch import InputError, LimitError, Limits, Matcher, Offer, Task
from offermatch.cli.main import run
from offermatch.sample import Sample
from offermatch.wasm.compile import compile_within
from offermatch.wasm.engine import ClockedEngine, limited, new_store, shared_engine

TASKS, OFFERS = [Task("t", {"cpu": 1})], [Offer("a", {"cpu": 4})]


def test_the_environment_wins_over_the_file_and_code_over_both(tmp_path, monkeypatch):
    file = tmp_path / "limits.json"
    file.write_text('{"memory_bytes": 5, "table_elements": 6, "fuel": null}')
    monkeypatch.setenv("OFFERMATCH_LIMITS", str(file))
    monkeypatch.setenv("OFFERMATCH_TABLE_ELEMENTS", "7")
    monkeypatch.setenv("OFFERMATCH_CALL_MILLISECONDS", "8")
    found = Limits.in_force(call_milliseconds=9)
    assert (found.memory_bytes, found.table_elements, found.call_milliseconds) == (5, 7, 9)
    assert (found.output_rows, found.output_text_bytes, found.fuel) == (None, 65536, None)


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"memory": 1}', '{"memory_bytes": 0}', '{"memory_bytes": null}', '{"fuel": 1.5}', '{"fuel": true}'],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, content):
    file = tmp_path / "limits.json"
    file.write_text(content)
    with pytest.raises(InputError, match=r"limits\.json") as caught:
        Limits.in_force(file)
    assert caught.value.code == "limit-malformed"


@pytest.mark.parametrize("value", ["-1", "0", "much", "1e3", "9" * 30])
def test_a_variable_that_cannot_be_used_is_refused(monkeypatch, value):
    monkeypatch.setenv("OFFERMATCH_FUEL", value)
    with pytest.raises(InputError, match="OFFERMATCH_FUEL"):
        Matcher.load()


def test_what_is_no_limit_is_refused(tmp_path):
    for given in ({"memory": 1}, {"memory_bytes": -1}, {"fuel": "7"}):
        with pytest.raises(InputError) as caught:
            Limits.in_force(**given)
        assert caught.value.code == "limit-malformed"
    with pytest.raises(InputError) as caught:
        Limits.in_force(tmp_path / "nowhere.json")
    assert caught.value.code == "file-unreadable"


def test_a_component_that_is_too_large_is_not_read_on(tmp_path):
    large = tmp_path / "large.wasm"
    with large.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(LimitError, match=r"1,099,511,627,776 bytes long, above component_bytes = 1,000") as caught:
        Matcher.load(large, limits=Limits(component_bytes=1000))
    assert (caught.value.code, caught.value.limit, caught.value.value) == ("limit-component", "component_bytes", 1000)


def test_what_is_still_being_compiled_when_its_time_is_over_is_refused_and_ends_on_its_own(tmp_path):
    ended = threading.Event()
    with pytest.raises(LimitError, match="compile_milliseconds = 1") as caught:
        compile_within(Limits(compile_milliseconds=1), tmp_path, lambda: time.sleep(0.3) or ended.set())
    assert caught.value.code == "limit-component"
    assert ended.wait(60)


def test_what_a_compiler_raises_is_raised(tmp_path):
    with pytest.raises(ZeroDivisionError):
        compile_within(Limits(), tmp_path, lambda: 1 // 0)
    assert compile_within(Limits(), tmp_path, lambda: 7) == 7


def test_fuel_counts_the_same_every_time():
    with pytest.raises(LimitError) as caught:
        Matcher.load(limits=Limits(fuel=1))
    assert (caught.value.code, caught.value.limit, caught.value.value) == ("limit-fuel", "fuel", 1)
    matcher = Matcher.load(limits=Limits(fuel=100_000_000))
    assert matcher.match(TASKS, OFFERS).digest == Matcher.load().match(TASKS, OFFERS).digest


def test_memory_below_what_a_component_begins_with():
    with pytest.raises(LimitError, match="memory_bytes = 65,536") as caught:
        Matcher.load(limits=Limits(memory_bytes=65536))
    assert caught.value.code == "limit-memory"
    assert caught.value.asked.startswith("it asked for ")


def test_an_answer_of_more_rows_than_allowed():
    matcher = Matcher.load(limits=Limits(output_rows=1))
    two = [Task("t"), Task("u")], [Offer("a"), Offer("b")]
    with pytest.raises(LimitError) as caught:
        matcher.match(*two)
    assert (caught.value.code, caught.value.limit, caught.value.value) == ("limit-output", "output_rows", 1)
    assert len(matcher.match(*two, max_score=0.0)) == 0
    assert len(matcher.match(TASKS, OFFERS)) == 1


def test_a_description_of_more_text_than_allowed():
    with pytest.raises(LimitError, match="output_text_bytes = 10") as caught:
        Matcher.load(limits=Limits(output_text_bytes=10))
    assert caught.value.code == "limit-output"


SPIN = """(component (core module $m (func (export "spin") (loop (br 0))))
(core instance $i (instantiate $m)) (func (export "spin") (canon lift (core func $i "spin"))))"""


def spinning(engine, milliseconds):
    limits = Limits(call_milliseconds=milliseconds)
    store = new_store(engine, limits)
    instance = Linker(engine).instantiate(store, Component(engine, bytes(wat2wasm(SPIN))))
    begin = time.monotonic()
    with limited(engine, store, limits), pytest.raises(WasmtimeError, match="interrupt"):
        instance.get_func(store, "spin")(store)
    return time.monotonic() - begin


def test_time_ends_calls_side_by_side_each_at_its_own_limit():
    engine = shared_engine(Limits())
    found = {}
    threads = [threading.Thread(target=lambda ms=ms: found.update({ms: spinning(engine, ms)})) for ms in (30, 1000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Both are later where the machine is busy, but not one for the other.
    assert found[30] >= 0.03
    assert found[1000] >= 1
    assert found[30] < found[1000]


def test_one_thread_advances_the_epoch_and_ends_with_the_engine():
    engine = ClockedEngine(Limits())
    for _ in range(3):
        spinning(engine, 10)
    thread, gone = engine.clock._thread, weakref.ref(engine)
    assert thread.is_alive()
    del engine
    gc.collect()
    assert gone() is None
    thread.join(5)
    assert not thread.is_alive()


ENDING = """
import sys, threading, time, types
from offermatch.wasm import engine

class Held(threading.Event):
    def clear(self):
        with self._cond:
            time.sleep(0.5)
            self._flag = False

engine.threading = types.SimpleNamespace(**{**vars(threading), "Event": Held})
from offermatch.cli.main import run
code = run(["match", "--sample", "ties:3x2", "--output", "csv"])
time.sleep(0.05)
print([thread.name for thread in threading.enumerate()])
sys.exit(code)
"""


def test_a_program_ends_whatever_the_thread_that_advances_the_epoch_holds():
    # The interpreter once stopped that thread while it held a lock, for which the end of the engine then waited for ever.
    done = subprocess.run([sys.executable, "-c", ENDING], check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "['MainThread', 'offermatch-epochs']"


FORKING = """
import os, sys
from offermatch import Limits, Matcher, Offer, Task
from offermatch.wasm.engine import shared_engine
matcher = Matcher.load()
ask = lambda: len(matcher.match([Task("t", {"cpu": 1})], [Offer("o", {"cpu": 1})]).assignments)
ask()
clock = shared_engine(Limits()).clock
with clock._lock:  # as the thread may hold it at any moment
    child = os.fork()
    if child:
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
if not child:
    before, placed = clock._thread, ask()
    sys.exit(10 + placed if before is None and clock._thread is not None else 1)
print(ask())
"""


def test_a_forked_child_has_a_clock_of_its_own():
    done = subprocess.run([sys.executable, "-c", FORKING], check=True, capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["11", "1"]


def test_without_a_limit_of_time_only_fuel_ends_a_call():
    limits = Limits(call_milliseconds=None, fuel=10**6)
    engine = ClockedEngine(limits)
    store = new_store(engine, limits)
    instance = Linker(engine).instantiate(store, Component(engine, bytes(wat2wasm(SPIN))))
    with limited(engine, store, limits), pytest.raises(WasmtimeError, match="fuel"):
        instance.get_func(store, "spin")(store)
    assert engine.clock._thread is None


def test_without_a_limit_of_time_the_answer_is_the_same():
    tasks, offers = Sample("constrained", 300, 200).rows()
    matcher = Matcher.load(limits=Limits(call_milliseconds=None))
    assert matcher.match(tasks, offers).digest == Matcher.load().match(tasks, offers).digest


def test_the_limits_in_force_are_shown(capsys, tmp_path, monkeypatch):
    file = tmp_path / "limits.json"
    file.write_text('{"call_milliseconds": 1234}')
    assert run(["inspect", "--json", "--limits", str(file)]) == 0
    shown = json.loads(capsys.readouterr().out)["limits"]
    assert shown == {**Limits().as_dict(), "call_milliseconds": 1234}
    assert run(["inspect", "--limits", str(file)]) == 0
    assert "1,234" in capsys.readouterr().out
    file.write_text('{"output_rows": 1}')
    assert run(["match", "--sample", "ties:2x2", "--limits", str(file)]) == 1
    assert capsys.readouterr().err.startswith("error[limit-output]: ")


def test_stores_have_one_memory_each():
    two = "(component (core module $m (memory 1) (memory 1)) (core instance (instantiate $m)))"
    engine = shared_engine(Limits())
    with pytest.raises(WasmtimeError, match="memory count too high"):
        Linker(engine).instantiate(new_store(engine, Limits()), Component(engine, bytes(wat2wasm(two))))
    assert isinstance(new_store(engine, Limits()), Store)
