"""What the scheduler tells of itself, received by real endpoints."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest
from opentelemetry.metrics import Instrument
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from collector import Collector
from offermatch import FallbackMatcher, InputError, MatcherError, Offer, ReferenceMatcher
from offermatch.errors import ClusterError
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import read_submissions
from offermatch.scheduler.watching.exporters import exporting
from offermatch.scheduler.watching.telemetry import Telemetry
from offermatch.scheduler.watching.waterfall import read_traces
from stages import STAGES

TASKS = [
    {"name": "first", "demand": {"cpu": "1 core"}, "payload": {"seconds": 0}},
    {"name": "second", "demand": {"cpu": "2 cores"}, "payload": {"seconds": 0}, "needs": ["first"]},
    {"name": "huge", "demand": {"cpu": "1000000 cores"}},
]


@pytest.fixture
def stored(tmp_path):
    """Return the address of a store with tasks."""
    return store_in(tmp_path)


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """Return what a collector received of one cycle."""
    store = store_in(tmp_path_factory.mktemp("store"))
    with Collector() as collector:
        offermatch("run", "--once", "--store", store, OTEL_EXPORTER_OTLP_ENDPOINT=collector.address)
    return collector


def store_in(folder):
    tasks, url = folder / "tasks.json", f"sqlite:///{folder / 'tasks.db'}"
    tasks.write_text(json.dumps(TASKS))
    with Store(url) as store:
        store.submit(read_submissions(tasks))
    return url


def offermatch(*arguments, **environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-m", "offermatch", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_collector_receives_each_cycle_as_one_trace(collected):
    (cycle,) = collected.named("cycle")
    assert cycle.parent == ""
    assert cycle.attributes["offermatch.queue"] == 2
    assert cycle.attributes["offermatch.launched"] == 1
    assert cycle.attributes["offermatch.matcher.digest"].startswith("sha256:")
    stages = sorted((span for span in collected.spans if span.parent == cycle.id), key=lambda span: span.begin)
    assert [span.name for span in stages] == STAGES
    assert {span.trace for span in collected.spans} == {cycle.trace}
    assert all(cycle.begin <= span.begin <= span.end <= cycle.end for span in stages)
    assert {"offermatch.queue", "offermatch.stage.duration", "offermatch.refusals"} <= collected.metrics


def test_the_matchers_own_spans_are_children_of_its_stage(collected):
    (stage,) = collected.named("match_tasks_to_offers")
    inner = [span for span in collected.spans if span.parent == stage.id]
    assert {"decode", "index", "assign", "encode"} <= {span.name for span in inner}
    assert all(stage.begin <= span.begin <= span.end <= stage.end for span in inner)


def test_what_is_not_sampled_is_not_sent(stored):
    with Collector() as collector:
        offermatch(
            "run",
            "--once",
            "--store",
            stored,
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
            OTEL_TRACES_SAMPLER="always_off",
        )
    assert collector.spans == []
    assert "offermatch.queue" in collector.metrics


def test_a_trace_file_is_drawn_as_a_waterfall(stored, tmp_path):
    traces = tmp_path / "cycles.jsonl"
    offermatch("run", "--once", "--store", stored, "--trace", traces)
    offermatch("run", "--once", "--store", stored, "--trace", traces)
    first, second = read_traces(traces)
    assert first.spans[0].name == second.spans[0].name == "cycle"
    assert [span.name for span, depth in zip(first.spans, first.depths, strict=True) if depth == 1] == STAGES
    picture = offermatch("trace", traces)
    assert second.trace in picture
    assert first.trace not in picture
    lines = picture.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("   ") and line.split()[0] in STAGES]
    assert "━" in picture


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"resourceSpans": 1}', '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "x"}]}]}]}']
)
def test_a_file_that_is_no_trace_is_refused_with_its_line(tmp_path, line):
    path = tmp_path / "broken.jsonl"
    path.write_text("\n" + line + "\n")
    with pytest.raises(InputError) as caught:
        read_traces(path)
    assert caught.value.code == "file-malformed"
    assert caught.value.place.endswith("line 2")


def test_a_file_of_spans_that_cannot_be_read_or_written_is_named_with_what_the_system_says(tmp_path):
    path = tmp_path / "trace.jsonl"
    with pytest.raises(InputError) as caught:
        read_traces(path)
    assert caught.value.line == f"{path}: No such file or directory"
    path.write_bytes(b"\x1f\x8b")
    with pytest.raises(InputError) as caught:
        read_traces(path)
    assert (caught.value.code, caught.value.line) == ("file-malformed", f"{path}: not UTF-8")
    with pytest.raises(InputError) as caught, exporting(trace_file=tmp_path):
        pass
    assert (caught.value.code, caught.value.line) == ("file-unwritable", f"{tmp_path}: Is a directory")


def test_spans_that_are_their_own_ancestors_are_refused(tmp_path):
    path = tmp_path / "circle.jsonl"
    spans = [
        {"traceId": "t", "spanId": own, "parentSpanId": other, "name": own, "startTimeUnixNano": 1, "endTimeUnixNano": 2}
        for own, other in (("a", "b"), ("b", "a"))
    ]
    path.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    with pytest.raises(InputError) as caught:
        read_traces(path)
    assert caught.value.code == "file-malformed"


def test_nothing_listens_unless_it_is_asked_for(monkeypatch):
    for name in list(os.environ):
        if name.startswith("OTEL_"):
            monkeypatch.delenv(name)
    with exporting() as listeners:
        assert listeners == []


class Failing(ReferenceMatcher):
    """A matcher that falls over."""

    def backend(self, *arguments):
        raise MatcherError("matcher-trapped", "it fell over")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_the_document_names_the_metrics_as_prometheus_reads_them(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    port = free_port()
    with exporting(metrics_port=port) as (telemetry,):
        for instrument in (one for one in vars(telemetry).values() if isinstance(one, Instrument)):
            for verb in ("add", "set", "record"):
                getattr(instrument, verb, lambda _: None)(1)
        scraped = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    families = {line.split()[2] for line in scraped.splitlines() if line.startswith("# TYPE offermatch_")}
    document = (Path(__file__).parents[4] / "docs" / "telemetry.md").read_text()
    assert set(re.findall(r"^\| `offermatch\.[\w.]+` \| `(offermatch_\w+)", document, re.MULTILINE)) == families


def test_prometheus_reads_the_metrics(stored, monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    port = free_port()
    cluster = SimulatedCluster([Offer("server", {"cpu": "4 cores"})])
    failing = FallbackMatcher(Failing())
    with (
        exporting(metrics_port=port) as listeners,
        Store(stored) as store,
        Scheduler(store, cluster, failing, observers=listeners) as scheduler,
    ):
        cycle = scheduler.cycle()
        assert cycle.fallback == "matcher-trapped"
        scraped = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    values = dict(line.rsplit(" ", 1) for line in scraped.splitlines() if line.startswith("offermatch_"))

    def value(name, **labels):
        (found,) = [
            float(number)
            for key, number in values.items()
            if key.split("{")[0] == name and all(f'{label}="{text}"' in key for label, text in labels.items())
        ]
        return found

    assert value("offermatch_queue") == 2
    assert value("offermatch_placements_total") == 1
    assert value("offermatch_launches_total") == 1
    assert value("offermatch_refusals_total", reason="no-offer") == 1
    assert value("offermatch_cluster_utilisation", dimension="cpu") == 0.25
    assert value("offermatch_fallbacks_total", reason=cycle.fallback) == 1
    assert value("offermatch_stage_duration_seconds_count", stage="match_tasks_to_offers") == 1
    assert value("offermatch_matcher", matcher=cycle.matcher) == 1


def test_a_port_that_is_taken_is_told(monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(InputError) as caught, exporting(metrics_port=taken.getsockname()[1]):
            pass
    assert (caught.value.code, caught.value.message) == ("listen-failed", "Address already in use")
    with pytest.raises(InputError) as caught, exporting(metrics_port=70_000):
        pass
    assert caught.value.code == "listen-failed"


def test_a_cycle_that_ended_early_does_not_say_that_there_is_nothing(stored):
    reader = InMemoryMetricReader()
    cluster = SimulatedCluster([Offer("server", {"cpu": "4 cores"})])
    telemetry = Telemetry(None, MeterProvider([reader]))
    with Store(stored) as store, Scheduler(store, cluster, ReferenceMatcher(), observers=[telemetry]) as scheduler:
        assert scheduler.cycle().queue == 2
        cluster.offers = Unreachable([]).offers
        assert scheduler.cycle().error == "cluster-unreachable"
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    points = {metric.name: metric.data.data_points[0] for metric in scope.metrics}
    assert [points[f"offermatch.{name}"].value for name in ("queue", "offers", "cycle.errors")] == [2, 1, 1]


@pytest.mark.parametrize("bound", [False, True])
def test_what_could_have_been_placed_at_most_is_counted_where_it_is_asked_for(stored, tmp_path, bound):
    reader = InMemoryMetricReader()
    cluster = SimulatedCluster([Offer("server", {"cpu": "4 cores"}), Offer("other", {"cpu": "4 cores"})])
    telemetry = Telemetry(None, MeterProvider([reader]))
    with (
        Store(stored) as store,
        Scheduler(store, cluster, ReferenceMatcher(), bound=bound, observers=[telemetry]) as scheduler,
    ):
        # A dimension that no offer has is nobody's to serve.
        strange = tmp_path / "strange.json"
        strange.write_text(json.dumps([{"name": "strange", "demand": {"cpu": 1, "licences": 1}}]))
        store.submit(read_submissions(strange))
        cycle = scheduler.cycle()
    (scope,) = reader.get_metrics_data().resource_metrics[0].scope_metrics
    points = {metric.name: metric.data.data_points[0].value for metric in scope.metrics if "placements" in metric.name}
    assert points.pop("offermatch.placements") == cycle.placed == 1
    assert points == ({"offermatch.placements.possible": cycle.possible} if bound else {})
    assert cycle.possible == (1 if bound else None)


class Unreachable(SimulatedCluster):
    """A cluster that makes no offers."""

    def offers(self):
        raise ClusterError("cluster-unreachable", "nobody answers", "look at the network")


def test_failures_reach_sentry_through_logging(stored):
    import sentry_sdk

    events = []
    sentry_sdk.init(
        dsn="http://key@127.0.0.1:9/1", before_send=lambda event, _: events.append(event), default_integrations=True
    )
    try:
        with Store(stored) as store, Scheduler(store, Unreachable([])) as scheduler:
            assert scheduler.cycle().error == "cluster-unreachable"
    finally:
        sentry_sdk.init()
    (event,) = events
    assert event["logger"] == "offermatch.scheduler"
    assert "cluster-unreachable" in event["logentry"]["formatted"]
