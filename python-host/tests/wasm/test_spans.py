"""The matcher's own spans: as whoever takes traces by OTLP sees them, and what a hostile matcher might tell."""

import signal

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased

from collector import Collector
from hostile import OFFERS, TASKS, right
from offermatch import FallbackMatcher, Limits, Matcher, ReferenceMatcher
from offermatch.wasm import spans, tracing
from offermatch.wasm.spans import MATCHING, Spans
from offermatch.wasm.tracing import EndedSpan

RIGHT_ANSWER = ReferenceMatcher().match(TASKS, OFFERS)
RIGHT = right()
"""Worked out before any tracer is there: the reference's cycle would be a span more."""
CALLS = {"open": ["decode", "index"], "assign": ["decode", "index", "assign", "encode"]}


@pytest.fixture
def collector():
    with Collector() as running:
        yield running


def provider_to(collector, sampler=ALWAYS_ON):
    provider = TracerProvider(sampler=ParentBased(sampler))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{collector.address}/v1/traces")))
    return provider


@pytest.fixture
def heard(monkeypatch):
    """The functions of the host that matchers call."""
    names = []

    def counted(name, function):
        def call(*arguments):
            names.append(name)
            return function(*arguments)

        return call

    for name, function in list(spans.FUNCTIONS.items()):
        monkeypatch.setitem(spans.FUNCTIONS, name, counted(name, function))
    return names


@pytest.fixture
def provided(monkeypatch):
    """Set the tracer provider of the process for one test."""
    return lambda provider: monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)


@pytest.mark.parametrize("crossing", ["direct", "packed", "public"])
def test_the_spans_are_children_of_the_cycles(collector, provided, monkeypatch, crossing):
    monkeypatch.setenv("OFFERMATCH_CROSSING", crossing)
    provider = provider_to(collector)
    provided(provider)
    matcher = Matcher.load()
    with provider.get_tracer("the scheduler").start_as_current_span("cycle") as cycle:
        assert matcher.match(TASKS, OFFERS).digest == RIGHT
    provider.shutdown()
    assert {span.trace for span in collector.spans} == {f"{cycle.get_span_context().trace_id:032x}"}
    by_name = {span.name: span for span in collector.spans}
    matching = by_name[MATCHING]
    assert matching.parent == by_name["cycle"].id
    inner = [span for span in collector.spans if span.scope == "offermatch-kit"]
    assert {span.parent for span in inner} == {matching.id}
    inner.sort(key=lambda span: span.begin)
    assert [span.name for span in inner] == CALLS["open"] + CALLS["assign"]
    times = [matching.begin]
    for span in inner:
        times += [span.begin, span.end]
    times.append(matching.end)
    assert times == sorted(times)


def test_a_traced_call_reads_spans_without_asking_for_their_types(collector, provided, monkeypatch):
    """Types cost more than all else of a call, so they are counted: wasmtime-py would ask for some 300."""
    from wasmtime.component import _types

    matcher = Matcher.load()
    matcher.match(TASKS, OFFERS)
    asked, ask = [], _types.valtype_from_ptr

    def counted(pointer):
        asked.append(pointer)
        return ask(pointer)

    monkeypatch.setattr(_types, "valtype_from_ptr", counted)
    provider = provider_to(collector)
    provided(provider)
    assert matcher.match(TASKS, OFFERS).digest == RIGHT
    provider.shutdown()
    assert len(collector.spans) == len(CALLS["open"] + CALLS["assign"]) + 1
    assert len(asked) < 50


def test_where_values_lie_otherwise_wasmtime_py_reads_the_spans(collector, provided, monkeypatch):
    monkeypatch.setattr(tracing, "_LAID_OUT_SO", False)
    provider = provider_to(collector)
    provided(provider)
    assert Matcher.load().match(TASKS, OFFERS).digest == RIGHT
    provider.shutdown()
    inner = sorted((span for span in collector.spans if span.scope == "offermatch-kit"), key=lambda span: span.begin)
    assert [span.name for span in inner] == CALLS["open"] + CALLS["assign"]


def test_the_stage_of_a_scheduler_is_the_parent(collector, provided):
    provider = provider_to(collector)
    provided(provider)
    with provider.get_tracer("the scheduler").start_as_current_span(MATCHING):
        Matcher.load().match(TASKS, OFFERS)
    provider.shutdown()
    (matching,) = [span for span in collector.spans if span.name == MATCHING]
    inner = [span for span in collector.spans if span.scope == "offermatch-kit"]
    assert inner
    assert {span.parent for span in inner} == {matching.id}


def test_what_is_not_sampled_is_not_asked_for(collector, provided, heard):
    matcher = Matcher.load()
    assert matcher.match(TASKS, OFFERS).digest == RIGHT
    provider = provider_to(collector, ALWAYS_OFF)
    provided(provider)
    assert matcher.match(TASKS, OFFERS).digest == RIGHT
    provider.shutdown()
    assert (heard, collector.spans) == ([], [])


def test_a_pool_follows_the_sampling_of_each_call(collector, provided, heard):
    provider = provider_to(collector)
    provided(provider)
    tracer = provider.get_tracer("the scheduler")
    with Matcher.load().open(OFFERS) as pool:
        assert heard == []
        with tracer.start_as_current_span("sampled"):
            pool.assign(TASKS[:5])
        assert heard == ["outer-span-context"] + ["on-start", "on-end"] * 4
        heard.clear()
        remote = trace.SpanContext(1, 1, is_remote=True, trace_flags=trace.TraceFlags(0))
        with trace.use_span(trace.NonRecordingSpan(remote)):
            pool.assign(TASKS[5:6])
        pool.assign(TASKS[6:7])
        pool.update(removed=["offer-1"])
        assert heard == []
        with tracer.start_as_current_span("sampled again"):
            pool.update(removed=["offer-2"])
            pool.explain(TASKS[:1])
        assert heard.count("outer-span-context") == 2
        assert heard.count("on-end") == 5
    provider.shutdown()


def test_the_reference_matcher_has_the_span_of_the_cycle(collector, provided):
    provider = provider_to(collector)
    provided(provider)
    ReferenceMatcher().match(TASKS, OFFERS)
    provider.shutdown()
    [cycle] = collector.spans
    assert cycle.name == MATCHING
    assert cycle.attributes == {
        "offermatch.tasks": len(TASKS),
        "offermatch.offers": len(OFFERS),
        "offermatch.placed": len(RIGHT_ANSWER.task_rows),
        "offermatch.matcher": f"{RIGHT_ANSWER.matcher.name} {RIGHT_ANSWER.matcher.version}",
        "offermatch.policy": "best-fit",
        "offermatch.matcher.digest": "",
    }


def test_the_span_of_the_cycle_says_why_the_fallback_answered(collector, provided):
    provider = provider_to(collector)
    provided(provider)
    matcher = FallbackMatcher(Matcher.load(limits=Limits(output_rows=1)))
    assert matcher.match(TASKS, OFFERS).digest == RIGHT
    provider.shutdown()
    [cycle] = [span for span in collector.spans if span.name == MATCHING]
    assert cycle.attributes["fallback_reason"] == "limit-output"


def test_an_interrupt_while_spans_are_told_comes_out_as_what_it_was(collector, provided, monkeypatch):
    provider = provider_to(collector)
    provided(provider)
    matcher = Matcher.load()
    function = spans.FUNCTIONS["on-start"]

    def interrupted(*arguments):
        signal.raise_signal(signal.SIGINT)
        return function(*arguments)

    with monkeypatch.context() as patch:
        patch.setitem(spans.FUNCTIONS, "on-start", interrupted)
        asked = Matcher.load()
        with pytest.raises(KeyboardInterrupt):
            asked.match(TASKS, OFFERS)
    assert matcher.match(TASKS, OFFERS).digest == RIGHT
    provider.shutdown()


def test_a_tracer_that_fails_costs_no_answer(provided, caplog):
    class Broken(TracerProvider):
        def get_tracer(self, name, *arguments, **options):
            if name == "offermatch-kit":
                raise RuntimeError("out of order")
            return super().get_tracer(name, *arguments, **options)

    provided(Broken())
    assert Matcher.load().match(TASKS, OFFERS).digest == RIGHT
    assert "the spans of a matcher are lost" in caplog.text


def ended(span_id, name, parent="", attributes=()):
    return EndedSpan(span_id, parent, "internal", name, list(attributes), None, "a matcher", None)


def test_a_flood_of_spans_and_text_is_cut(collector, provided):
    provider = provider_to(collector)
    provided(provider)
    spans = Spans()
    with provider.get_tracer("test").start_as_current_span("outer"):
        assert spans.begin(100_000)
        spans.on_end(ended("never begun", "nothing"))
        for number in range(5000):
            spans.on_start(str(number))
        spans.on_end(ended("7", "one"))
        spans.on_end(ended("7", "twice"))
        spans.on_end(ended("8", "a" * 100_000))
        spans.on_end(ended("999", "the last that is listened to"))
        spans.on_end(ended("1000", "one too many"))
        spans.emit()
    provider.shutdown()
    assert sorted(span.name for span in collector.spans) == ["one", "outer", "the last that is listened to"]


def test_a_span_keeps_its_parent_and_its_attributes(collector, provided):
    provider = provider_to(collector)
    provided(provider)
    spans = Spans()
    with provider.get_tracer("test").start_as_current_span("outer"):
        assert spans.begin(1000)
        for span_id in ("1", "2"):
            spans.on_start(span_id)
        spans.on_end(ended("2", "inner", "1", [("rows", "7"), ("way", '"loop"'), ("odd", "{")]))
        spans.on_end(ended("1", "middle"))
        spans.emit()
    provider.shutdown()
    by_name = {span.name: span for span in collector.spans}
    assert by_name["inner"].parent == by_name["middle"].id
    assert by_name["middle"].parent == by_name["outer"].id
    found = {name: type(value) for name, value in by_name["inner"].attributes.items()}
    assert found == {"rows": int, "way": str, "odd": str}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", 2.0**63),
        ("-9223372036854775809", -(2.0**63)),
        ("1" + "0" * 400, "1" + "0" * 400),
        ("1e400", "1e400"),
        ("NaN", "NaN"),
        ("Infinity", "Infinity"),
        ("0.5", 0.5),
        ("true", True),
        ('"a"', "a"),
        ("[1]", "[1]"),
    ],
)
def test_a_number_that_exporters_do_not_know_becomes_one_they_know(text, value):
    from offermatch.wasm.spans import _attribute

    found = _attribute(text)
    assert (found, type(found)) == (value, type(value))
