"""What only HTTP has: agents that hang, lie or fail, tokens, and a wire format that is what the document says."""

import http.client
import json
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from openapi_spec_validator import validate

from liars import PATIENCE, beside, drip, hang, liar, offering, simulated
from offermatch import InputError
from offermatch.errors import ClusterError
from offermatch.sample import parse_sample
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.http import wire
from offermatch.scheduler.cluster.http.http import HttpCluster
from offermatch.scheduler.cluster.http.server import ClusterServer
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from sites import served

DOCUMENT = Path(__file__).parents[4] / "docs" / "cluster-http.openapi.yaml"


BAD = {
    "500": (lambda handler, body: (500, {"error": {"code": "boom", "message": "it broke"}}), "status 500 (boom: it broke)"),
    "404": (lambda handler, body: (404, b"nothing"), "status 404"),
    "not json": (lambda handler, body: (200, b"<html>"), "not JSON"),
    "deep json": (lambda handler, body: (200, b"[" * 100_000), "not JSON"),
    "nan": (lambda handler, body: (200, b'{"offers": NaN}'), "not JSON"),
    "a list": (lambda handler, body: (200, []), "a JSON list"),
    "no offers": (lambda handler, body: (200, {}), "the keys are none"),
    "negative": (offering({"name": "bad", "available": {"cpu": -1}}), "-1 is below 0"),
    "too large": (offering({"name": "bad", "available": {"cpu": 2**64}}), "is too large"),
    "no name": (offering({"available": {"cpu": 1}}), "name"),
    "beyond capacity": (offering({"name": "bad", "available": {"cpu": 2}, "capacity": {"cpu": 1}}), "capacity"),
    "unknown key": (offering({"name": "bad", "available": {}, "price": 1}), "price"),
    "bad devices": (offering({"name": "bad", "available": {}, "devices": [1001]}), "1001 free thousandths"),
    "text devices": (offering({"name": "bad", "available": {}, "devices": "many"}), "many"),
    "attribute": (offering({"name": "bad", "available": {}, "attributes": {"zone": 1}}), "not text"),
    "a row": (offering("bad"), "is no object"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_agent_is_told_by_name_and_does_not_spoil_the_others(kind, caplog):
    answer, told = BAD[kind]
    with beside(answer) as (cluster, bad):
        assert [one.name for one in cluster.offers()] == ["good"]
        assert list(cluster.problems) == [bad.url]
        assert told in cluster.problems[bad.url]
        assert bad.url in caplog.text


@pytest.mark.parametrize("answer", [hang, drip])
def test_an_agent_that_hangs_costs_its_time_and_nothing_else(answer):
    with beside(answer, timeout_seconds=PATIENCE) as (cluster, bad):
        assert [one.name for one in cluster.offers()] == ["good"]
        assert f"does not answer within {PATIENCE:g} s" in cluster.problems[bad.url]


def test_a_thousand_launches_do_not_wait_one_after_the_other_for_an_agent_that_hangs():
    def offers_then_hang(handler, body):
        return (200, {"offers": [{"name": "bad", "available": {"cpu": 10**9}}]}) if not body else hang(handler, body)

    with beside(offers_then_hang, timeout_seconds=PATIENCE, concurrency=4) as (cluster, bad):
        cluster.offers()
        launches = [Launch(f"k{row}", "t", "bad", {"cpu": 1}) for row in range(1000)]
        answers = cluster.launch([*launches, Launch("g", "t", "good", {"cpu": 1})])
        assert {one.refusal for one in answers[:-1]} == {"unreachable"}
        assert answers[-1].refusal is None
        # One after the other they would be 1000 / 4 rounds; those under way when it first hangs are all that is sent.
        assert sum(1 for path, _, _ in bad.asked if path == "/v2/launches") <= 8


def test_an_agent_that_hangs_is_asked_less_and_less():
    with beside(hang, timeout_seconds=PATIENCE) as (cluster, bad):
        requests, pauses = cluster._requests, []
        for again in range(1, 4):
            cluster.offers()
            assert len(bad.asked) == again
            pauses.append(requests._spared[bad.url] - requests._hung[bad.url])
            # However slow this machine is, the next call comes before the pause is over.
            requests._spared[bad.url] = time.monotonic() + 3600
            assert [one.name for one in cluster.offers()] == ["good"]
            assert len(bad.asked) == again
            assert f"does not answer within {PATIENCE:g} s" in cluster.problems[bad.url]
            requests._spared[bad.url] = 0.0
        assert pauses == pytest.approx([PATIENCE, 2 * PATIENCE, 4 * PATIENCE])
        bad.answer = offering({"name": "bad", "available": {}})
        assert [one.name for one in cluster.offers()] == ["good", "bad"]
        assert requests._hangs == {}


def test_an_agent_that_comes_back_is_a_problem_no_more():
    broken = [True]
    with beside(lambda *_: (503, {}) if broken[0] else (200, {"offers": [{"name": "bad", "available": {}}]})) as (
        cluster,
        bad,
    ):
        cluster.offers()
        assert bad.url in cluster.problems
        broken[0] = False
        assert [one.name for one in cluster.offers()] == ["good", "bad"]
        assert cluster.problems == {}


def test_no_agent_at_all_is_an_error_that_names_them():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        cluster = HttpCluster([url], backoff_seconds=0.001)
        with pytest.raises(ClusterError) as caught:
            cluster.offers()
        cluster.close()
    assert caught.value.code == "cluster-unreachable"
    assert url in caught.value.message


def test_of_two_offers_of_one_name_the_first_agent_is_believed():
    with ExitStack() as stack:
        clusters = [simulated("one", "same"), simulated("same", "two")]
        urls = [stack.enter_context(served(one)).url for one in clusters]
        cluster = HttpCluster(urls)
        assert [one.name for one in cluster.offers()] == ["one", "same", "two"]
        assert "offers 'same'" in cluster.problems[urls[1]]
        assert cluster.launch([Launch("k", "t", "same", {"cpu": 1000})])[0].refusal is None
        assert list(clusters[0].offers().available["cpu"]) == [4000, 3000]
        cluster.close()


def test_one_agent_cannot_offer_a_name_twice():
    twice = {"name": "bad", "available": {"cpu": 1}}
    with beside(offering(twice, twice)) as (cluster, bad):
        assert [one.name for one in cluster.offers()] == ["good", "bad"]
        assert "offers 'bad'" in cluster.problems[bad.url]


def test_a_launch_is_tried_again_with_its_key_until_it_is_answered():
    inner = simulated("s")
    answers = []

    def flaky(handler, body):
        if handler.path != "/v2/launches":
            return 200, wire.offers_of(inner.offers())
        answers.append(inner.launch(wire.launches_from(body)))
        # It has started, and the answer is lost on the way: twice.
        return (502, b"") if len(answers) < 3 else (200, wire.launched_of(answers[-1]))

    with liar(flaky) as agent:
        cluster = HttpCluster([agent.url], backoff_seconds=0.001, timeout_seconds=30.0)
        assert cluster.launch([Launch("k1", "t", "s", {"cpu": 1000})])[0].refusal is None
        cluster.close()
    sent = [json.loads(body)["launches"] for path, _, body in agent.asked if path == "/v2/launches"]
    assert [[one["key"] for one in launches] for launches in sent] == [["k1"]] * 3
    assert list(inner.offers().available["cpu"]) == [3000]


LIES = {
    "another key": {"key": "k2", "refusal": None, "reason": ""},
    "a refusal that there is not": {"key": "k1", "refusal": "tired", "reason": ""},
    "no reason": {"key": "k1", "refusal": None},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_to_a_launch_that_makes_no_sense_leaves_it_open(lie):
    def answer(handler, body):
        return 200, {"launched": [LIES[lie]]} if body else {"offers": [{"name": "bad", "available": {"cpu": 1}}]}

    with beside(answer) as (cluster, bad):
        cluster.offers()
        found = cluster.launch([Launch("k1", "t", "bad"), Launch("g", "t", "good")])
        assert [one.refusal for one in found] == ["unreachable", None]
        assert bad.url in found[0].reason


REPORTS = {
    "too few": [],
    "another key": [{"key": "k2", "outcome": "done", "reason": "", "finished_at": 1.0}],
    "an outcome that there is not": [{"key": "k1", "outcome": "asleep", "reason": "", "finished_at": 1.0}],
    "ended at no time": [{"key": "k1", "outcome": "done", "reason": "", "finished_at": None}],
    "ended beyond all time": [{"key": "k1", "outcome": "done", "reason": "", "finished_at": 10**400}],
    "runs and has ended": [{"key": "k1", "outcome": "running", "reason": "", "finished_at": 1.0}],
}


@pytest.mark.parametrize("lie", REPORTS)
def test_a_report_that_makes_no_sense_is_not_believed(lie):
    def answer(handler, body):
        if handler.path == "/v2/launches":
            return 200, {"launched": [{"key": "k1", "refusal": None, "reason": ""}]}
        return 200, {"reports": REPORTS[lie]} if body else {"offers": [{"name": "bad", "available": {"cpu": 1}}]}

    with beside(answer) as (cluster, bad):
        cluster.offers()
        cluster.launch([Launch("k1", "t", "bad"), Launch("g", "t", "good")])
        found = cluster.reports(["k1", "g", "never"])
        assert [one.outcome for one in found[:2]] == ["running", "running"]
        assert bad.url in found[0].reason
        # The good agent does not know it, and the bad one may have it.
        assert found[2].outcome == "running"


def test_what_an_agent_ran_is_lost_only_where_that_is_allowed():
    with ExitStack() as stack:
        inner = simulated("s")
        server = stack.enter_context(ExitStack())
        url = server.enter_context(served(inner)).url
        patient = HttpCluster([url], backoff_seconds=0.001)
        hasty = HttpCluster([url], backoff_seconds=0.001, lost_after_seconds=0.2)
        stack.callback(patient.close)
        stack.callback(hasty.close)
        for cluster, key in ((patient, "k1"), (hasty, "k2")):
            assert cluster.launch([Launch(key, "t", "s", {"cpu": 1000})])[0].refusal is None
        server.close()
        time.sleep(0.3)
        assert patient.reports(["k1"])[0].outcome == "running"
        assert "cannot be reached" in patient.reports(["k1"])[0].reason
        report = hasty.reports(["k2"])[0]
        assert report.outcome == "lost"
        assert report.finished_at is not None
        patient.cancel(["k1"])
        assert patient.reports(["k1"])[0].outcome == "running"
        assert list(patient.problems) == [url]


def test_what_cannot_be_cancelled_is_not_given_up():
    """An agent that does not know a key and was not told to refuse it may start it any moment."""
    away, unknown = [503], {"outcome": "unknown", "reason": "", "finished_at": None}

    def answer(handler, body):
        if handler.path == "/v2/cancellations":
            return away[0], {}
        return 200, {"reports": [{**unknown, "key": key} for key in json.loads(body)["keys"]]}

    with beside(answer) as (cluster, bad):
        cluster.cancel(["k1"])
        # The good agent remembers it as cancelled; that alone settles nothing.
        report = cluster.reports(["k1"])[0]
        assert (report.outcome, report.reason) == ("running", f"{bad.url} could not be told that it is cancelled")
        away[0] = 200
        cluster.cancel(["k1"])
        assert cluster.reports(["k1"])[0].outcome == "failed"


def test_a_scheduler_that_starts_again_finds_what_it_had_launched():
    with ExitStack() as stack:
        clusters = [simulated("one"), simulated("two")]
        urls = [stack.enter_context(served(one)).url for one in clusters]
        first = HttpCluster(urls)
        assert first.launch([Launch("k1", "t", "two", {"cpu": 1000})])[0].refusal is None
        first.close()
        second = HttpCluster(urls)
        stack.callback(second.close)
        assert [one.outcome for one in second.reports(["k1", "k9"])] == ["running", "unknown"]
        # Nobody has said yet who offers what: it finds out, and the key goes where it is known.
        assert second.launch([Launch("k1", "t", "one", {"cpu": 1000})])[0].refusal is None
        assert [list(one.offers().available["cpu"]) for one in clusters] == [[4000], [3000]]
        clusters[1].finish("k1")
        assert second.reports(["k1"])[0].outcome == "done"


def test_a_key_that_ran_on_one_agent_and_was_cancelled_at_the_other_is_told_as_it_ran():
    with ExitStack() as stack:
        clusters = [simulated("one"), simulated("two")]
        urls = [stack.enter_context(served(one)).url for one in clusters]
        clusters[1].launch([Launch("k1", "t", "two", {"cpu": 1000})])
        clusters[1].finish("k1")
        cluster = HttpCluster(urls)
        stack.callback(cluster.close)
        cluster.cancel(["k1"])
        assert clusters[0].reports(["k1"])[0].outcome == "failed"
        assert cluster.reports(["k1"])[0].outcome == "done"


def test_an_offer_that_vanishes_between_matching_and_launch_is_refused():
    inner = simulated("one", "two")
    with served(inner) as server:
        cluster = HttpCluster([server.url])
        assert len(cluster.offers()) == 2
        inner.lose("one")
        launches = [Launch("k1", "t", "one", {"cpu": 1}), Launch("k2", "t", "two", {"cpu": 1})]
        assert [one.refusal for one in cluster.launch(launches)] == ["offer-gone", None]
        cluster.close()


def test_a_bound_on_requests_under_way_is_kept():
    under_way, most, lock = 0, 0, threading.Lock()

    def slow(handler, body):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)
        with lock:
            under_way -= 1
        return 200, {"name": handler.path.rpartition("=")[2], "value": 1, "reason": ""}

    with liar(slow) as agent:
        cluster = HttpCluster([agent.url], timeout_seconds=60.0)
        found = cluster.fetch([f"i{row}" for row in range(20)], concurrency=3)
        cluster.close()
    assert [one.name for one in found] == [f"i{row}" for row in range(20)]
    assert 1 < most <= 3


def test_an_agent_that_does_not_forget_is_no_problem():
    def answer(_, body):
        return 404, b"nothing is here"

    with liar(answer) as server:
        cluster = HttpCluster([server.url], timeout_seconds=30.0)
        cluster.forget(["k1"])
        assert [path for path, _, _ in server.asked] == ["/v2/settlements"]
        assert cluster.problems == {}
        cluster.close()


def test_an_agent_that_cannot_say_keeps_the_key():
    inner = simulated("s")

    def unsure(handler, body):
        if handler.path == "/v2/launches":
            return 200, {"launched": [{"key": "k1", "refusal": "unreachable", "reason": "its disk is full"}]}
        return 200, wire.offers_of(inner.offers())

    with liar(unsure) as agent:
        cluster = HttpCluster([agent.url, agent.url + "/other"], backoff_seconds=0.001, timeout_seconds=30.0)
        cluster.offers()
        assert cluster.launch([Launch("k1", "t", "s")])[0].refusal == "unreachable"
        assert cluster._keys == {"k1": agent.url}
        cluster.close()


@pytest.mark.parametrize("status", [401, 403, 404, 405, 500])
def test_a_status_that_is_the_agents_does_not_fail_the_task(status):
    def answer(handler, body):
        return (status, {}) if body else (200, {"offers": [{"name": "bad", "available": {}}]})

    with beside(answer) as (cluster, bad):
        cluster.offers()
        assert cluster.launch([Launch("k1", "t", "bad")])[0].refusal == "unreachable"
        assert bad.url in cluster.problems


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, b"bytes"])
def test_a_payload_that_is_no_json_is_refused_alone(value):
    with served(simulated("s")) as server:
        cluster = HttpCluster([server.url])
        launches = [Launch("k1", "t", "s", payload={"value": value}), Launch("k2", "t", "s", payload={"value": "\ud800"})]
        assert [one.refusal for one in cluster.launch(launches)] == ["payload-refused", None]
        cluster.close()


def test_a_token_is_wanted_where_it_is_set():
    with served(simulated("s"), token="secret") as server:
        for token, status in ((None, "401"), ("wrong", "401")):
            cluster = HttpCluster([server.url], token=token)
            with pytest.raises(ClusterError, match=status):
                cluster.offers()
            cluster.close()
        cluster = HttpCluster([server.url], token="secret")
        assert [one.name for one in cluster.offers()] == ["s"]
        cluster.close()


def asked(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection(*server.address, timeout=60)
    try:
        connection.request(method, path, body, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_a_page_in_a_browser_cannot_launch_anything():
    cluster = simulated("s")
    body = json.dumps({"launches": [{"key": "k1", "task": "t", "offer": "s"}]})
    with served(cluster) as server:
        # What a page may send without asking first: a form, to an address or to a name that it has led here.
        status, _, _ = asked(server, "POST", "/v2/launches", body, Content_Type="text/plain")
        assert status == 415
        kind = "application/json"
        evil = asked(server, "POST", "/v2/launches", body, Content_Type=kind, Host="evil.example")
        assert evil[0] == 421
        assert asked(server, "OPTIONS", "/v2/launches")[0] == 405
    assert cluster.reports(["k1"])[0].outcome == "unknown"


def test_requests_that_make_no_sense_are_refused():
    with served(simulated("s")) as server:
        kind = {"Content_Type": "application/json"}
        launch = json.dumps({"launches": [{"task": "t", "offer": "s"}]})
        assert asked(server, "GET", "/nowhere")[0] == 404
        status, headers, _ = asked(server, "DELETE", "/v2/offers")
        assert (status, headers["Allow"]) == (405, "GET")
        assert asked(server, "POST", "/v2/launches", launch, **kind)[0] == 400
        assert asked(server, "POST", "/v2/launches", "{", **kind)[0] == 400
        assert asked(server, "POST", "/v2/launches", "[" * 100_000, **kind)[0] == 400
        assert asked(server, "POST", "/v2/reports", json.dumps({"keys": ["k"] * 10_001}), **kind)[0] == 400
        assert asked(server, "POST", "/v2/reports", json.dumps({"keys": [7]}), **kind)[0] == 400
        row = {"key": "k", "task": "t", "offer": "s"}
        assert asked(server, "POST", "/v2/launches", json.dumps({"launches": [row] * 251}), **kind)[0] == 400
        assert asked(server, "GET", "/v2/inputs")[0] == 400
        assert asked(server, "GET", "/v2/inputs?" + "a&" * 100)[0] == 400
        status, _, told = asked(server, "GET", "/v1/offers")
        assert (status, json.loads(told)["error"]["code"]) == (410, "version-unknown")
        assert asked(server, "POST", "/v2/reports", "", Content_Length="99999999999", **kind)[0] == 413
        assert asked(server, "GET", "/v2/offers")[0] == 200


REFUSED = {
    "token": (b"POST /v2/reports HTTP/1.1", b"Content-Type: application/json", 401),
    "path": (b"POST /nowhere HTTP/1.1", b"Authorization: Bearer secret", 404),
    "method": (b"PUT /v2/reports HTTP/1.1", b"Authorization: Bearer secret", 405),
    "kind": (b"POST /v2/reports HTTP/1.1", b"Authorization: Bearer secret\r\nContent-Type: text/plain", 415),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_refusal_reaches_a_client_that_still_sends_its_body(why):
    line, header, status = REFUSED[why]
    body = bytes(2**20)
    with served(simulated("s"), token="secret") as server, socket.create_connection(server.address, timeout=60) as client:
        client.sendall(line + b"\r\nHost: localhost\r\n" + header + b"\r\nContent-Length: %d\r\n\r\n" % len(body))
        # The agent has answered before the body is on its way.
        client.recv(1, socket.MSG_PEEK)
        client.sendall(body)
        answer = b"".join(iter(lambda: client.recv(2**16), b""))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b'{"error":' in answer


def test_a_refused_client_that_never_ends_is_let_go():
    with served(simulated("s")) as server, socket.create_connection(server.address, timeout=60) as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(2**16), b""))
    assert answer.startswith(b"HTTP/1.1 404 ")


def test_a_cluster_that_fails_answers_503_and_an_error_in_it_500(caplog):
    cluster = simulated("s")
    with served(cluster) as server:
        cluster.offers = lambda: 1 / 0
        status, _, body = asked(server, "GET", "/v2/offers")
        assert (status, json.loads(body)["error"]["code"]) == (500, "server-failed")
        assert "ZeroDivisionError" in caplog.text
        del cluster.offers
        cluster.close()
        status, _, body = asked(server, "GET", "/v2/offers")
        assert (status, json.loads(body)["error"]["code"]) == (503, "cluster-closed")


@pytest.mark.parametrize("agents", [[], ["127.0.0.1:8321"], ["ftp://a"], ["http://a", "http://a/"]])
def test_addresses_that_cannot_be_used_are_refused(agents):
    with pytest.raises(InputError) as caught:
        HttpCluster(agents)
    assert caught.value.code == "setting-malformed"


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ClusterError) as caught:
        HttpCluster(["http://127.0.0.1:1"])
    assert (caught.value.code, caught.value.hint) == ("extra-missing", "pip install 'offermatch[http]'")


def test_an_address_that_is_taken_is_told():
    with served(simulated("s")) as server, pytest.raises(ClusterError) as caught:
        ClusterServer(simulated("t"), "127.0.0.1", server.address[1])
    assert caught.value.code == "listen-failed"
    assert "Errno" not in caught.value.message


@given(
    st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40), st.dictionaries(st.text(), st.integers(0, 2**64 - 1))
)
def test_a_launch_crosses_unchanged(key, name, demand):
    launch = Launch(key, name, name, demand, 1, 0, {"command": [name]}, 1.5e9)
    assert wire.launches_from(json.dumps({"launches": [wire.launch_of(launch)]}).encode()) == [launch]


@pytest.mark.parametrize("kind", ["uniform", "constrained", "devices"])
def test_offers_cross_unchanged(kind):
    table = SimulatedCluster(parse_sample(f"{kind}:0x50").rows()[1]).offers()
    crossed = wire.offers_from(json.dumps(wire.offers_of(table)).encode())
    assert wire.offers_of(SimulatedCluster(crossed).offers()) == wire.offers_of(table)


def test_the_document_is_a_valid_openapi_document():
    validate(yaml.safe_load(DOCUMENT.read_text()))


def test_the_agent_answers_as_the_document_says(tmp_path):
    cluster = simulated("server-1", inputs={"weights.bin": {"path": "/inputs/weights.bin"}})
    with served(cluster) as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--url", server.url]
        options = ["--phases", "examples,coverage,fuzzing", "--max-examples", "10", "--seed", "1", "--no-color"]
        done = subprocess.run([*command, *options], check=False, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 passed" in done.stdout
