"""What a component tells of its spans, read where it lies, beside what wasmtime-py reads."""

import ctypes
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wasmtime import _bindings
from wasmtime.component import Component, FuncType, Record, Variant

from offermatch import Limits
from offermatch.policies import BUNDLED
from offermatch.wasm import tracing
from offermatch.wasm.engine import shared_engine
from offermatch.wasm.tracing import MOST_ATTRIBUTES, Context


def record(**fields):
    found = Record()
    vars(found).update({name.replace("_", "-"): value for name, value in fields.items()})
    return found


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
states = st.lists(st.tuples(texts, texts), max_size=3)
moments = st.builds(record, seconds=st.integers(0, 2**64 - 1), nanoseconds=st.integers(0, 2**32 - 1))
attributes = st.lists(st.builds(record, key=texts, value=texts), max_size=4)
contexts = st.builds(
    record,
    trace_id=texts,
    span_id=texts,
    trace_flags=st.sampled_from([set(), {"sampled"}]),
    is_remote=st.booleans(),
    trace_state=states,
)
counts = st.integers(0, 2**32 - 1)
ended = st.builds(
    record,
    span_context=contexts,
    parent_span_id=texts,
    span_kind=st.sampled_from(["client", "server", "producer", "consumer", "internal"]),
    name=texts,
    start_time=moments,
    end_time=moments,
    attributes=attributes,
    events=st.lists(st.builds(record, name=texts, time=moments, attributes=attributes), max_size=2),
    links=st.lists(st.builds(record, span_context=contexts, attributes=attributes), max_size=2),
    status=st.one_of(st.sampled_from([Variant("unset"), Variant("ok")]), st.builds(Variant, st.just("error"), texts)),
    instrumentation_scope=st.builds(
        record, name=texts, version=st.none() | texts, schema_url=st.none() | texts, attributes=attributes
    ),
    dropped_attributes=counts,
    dropped_events=counts,
    dropped_links=counts,
)


@pytest.fixture(scope="module")
def functions():
    """The functions of `wasi:otel/tracing` as the bundled component asks for them, by name."""
    engine = shared_engine(Limits())
    imports = Component(engine, BUNDLED.read_bytes()).type.imports(engine)
    (interface,) = (kind.ty for name, kind in imports.items() if name.startswith("wasi:otel/tracing"))
    return {name: one.ty for name, one in interface.exports(engine).items() if isinstance(one.ty, FuncType)}


@contextmanager
def lying(functions, name, value):
    """Give an argument of a function as it lies in memory, and what has wasmtime-py read it, which frees it."""
    ((_, kind),) = functions[name].params
    there = _bindings.wasmtime_component_val_t()
    kind.convert_to_c(None, value, ctypes.pointer(there))
    converted = []
    yield tracing._values(ctypes.addressof(there), 1)[0], lambda: converted.append(True) or kind.convert_from_c(there)
    if not converted:
        _bindings.wasmtime_component_val_delete(ctypes.byref(there))


@given(span=ended)
def test_a_span_is_read_as_wasmtime_py_reads_it(functions, span):
    with lying(functions, "on-end", span) as (there, convert):
        assert tracing._ended(there) == tracing._ended_record(convert())


@given(context=contexts)
def test_the_beginning_of_a_span_is_read_as_wasmtime_py_reads_it(functions, context):
    with lying(functions, "on-start", context) as (there, convert):
        assert tracing._started(there) == tracing._started_record(convert())


PLAIN = record(
    span_context=record(trace_id="", span_id="1", trace_flags=set(), is_remote=False, trace_state=[]),
    parent_span_id="",
    span_kind="internal",
    name="decode",
    start_time=record(seconds=0, nanoseconds=0),
    end_time=record(seconds=0, nanoseconds=0),
    attributes=[],
    events=[],
    links=[],
    status=Variant("unset"),
    instrumentation_scope=record(name="a matcher", version=None, schema_url=None, attributes=[]),
    dropped_attributes=0,
    dropped_events=0,
    dropped_links=0,
)


def with_attributes(number):
    return record(**{**vars(PLAIN), "attributes": [record(key="rows", value="7")] * number})


def test_other_kinds_of_values_are_not_listened_to(functions):
    context = vars(PLAIN)["span-context"]
    for name, value, other in (("on-end", PLAIN, tracing._started), ("on-start", context, tracing._ended)):
        with lying(functions, name, value) as (there, _), pytest.raises(tracing._UnheardError):
            other(there)


def test_a_span_of_many_attributes_is_left_out(functions):
    with lying(functions, "on-end", with_attributes(MOST_ATTRIBUTES)) as (there, _):
        assert len(tracing._ended(there).attributes) == MOST_ATTRIBUTES
    with (
        lying(functions, "on-end", with_attributes(MOST_ATTRIBUTES + 1)) as (there, _),
        pytest.raises(tracing._UnheardError),
    ):
        tracing._ended(there)


digits = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(
    context=st.builds(Context, digits, digits.map(lambda text: text[:16]), st.booleans(), st.booleans(), states.map(tuple))
)
def test_the_span_of_the_call_is_written_as_wasmtime_py_reads_it(functions, context):
    there = _bindings.wasmtime_component_val_t()
    tracing._give(context, there)
    found = functions["outer-span-context"].result.convert_from_c(there)
    assert vars(found) == vars(tracing._context_record(context))
