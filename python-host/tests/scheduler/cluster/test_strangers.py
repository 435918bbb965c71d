"""Agents and clients that mean harm: what they send is bounded before memory is spent on it. SECURITY.md has the threats."""

import json
import resource
import socket
import ssl
import subprocess
import sys
import threading
import time
import zlib
from contextlib import suppress

import pytest
import trustme

from liars import PATIENCE, beside, offering, simulated
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.http import wire
from offermatch.scheduler.cluster.http.http import HttpCluster
from sites import served

JSON = {"Content-Type": "application/json"}


def one(**more):
    return {"name": "bad", "available": {"cpu": 1}, **more}


BEYOND = {
    "devices by number": (offering(*[one(name=f"b{at}", devices=4_000_000) for at in range(1000)]), "4000000 devices"),
    "devices in a list": (offering(one(devices=[1000] * 2000)), "2000 devices"),
    "dimensions": (offering(one(available={f"d{at}": 1 for at in range(200_000)})), "more than 256 different names"),
    "a dimension each": (offering(*[one(name=f"b{at}", available={f"d{at}": 1}) for at in range(20_000)]), "more than 256"),
    "an attribute each": (
        offering(*[one(name=f"b{at}", attributes={f"a{at}": ""}) for at in range(20_000)]),
        "more than 256",
    ),
    "a long name": (offering(one(name="x" * 10_000)), "a name of 10000 characters"),
    "a long dimension": (offering(one(available={"x" * 10_000: 1})), "a name of 10000 characters"),
    "a long attribute": (offering(one(attributes={"zone": "x" * 10_000})), "10000 characters"),
    "offers": (offering(*[{}] * 100_001), "100001 offers"),
    "values": (lambda handler, body: (200, b'{"offers": [' + b"[]," * 2_100_000 + b"[]]}"), "values where there may be"),
    "a long error": (
        lambda handler, body: (
            500,
            {"error": {"code": "c", "message": "\x1b]0;title\x07\nWARNING forged" + "x" * 10_000_000}},
        ),
        "\\x1b]0;title\\x07\\nWARNING forged",
    ),
    "bytes": (lambda handler, body: (200, b" " * 2**26), "more than 33554432 bytes"),
}


@pytest.mark.parametrize("kind", BEYOND)
def test_an_agent_that_breaks_a_bound_is_named_and_left_out(kind, caplog):
    answer, told = BEYOND[kind]
    with beside(answer) as (cluster, bad):
        assert [one.name for one in cluster.offers()] == ["good"]
        assert told in cluster.problems[bad.url]
        assert len(cluster.problems[bad.url]) < 1000
        assert all(record.getMessage().isprintable() for record in caplog.records)


def unfolding(handler, body):
    pressed = zlib.compressobj(9)
    text = b"".join(pressed.compress(b" " * 2**20) for _ in range(2**8)) + pressed.flush()
    handler.send_response(200)
    handler.send_header("Content-Encoding", "deflate")
    handler.send_header("Content-Length", str(len(text)))
    handler.end_headers()
    handler.wfile.write(text)
    handler.close_connection = True
    return 200, b""


def test_nothing_that_unfolds_is_asked_for_or_taken():
    seen = []

    def answer(handler, body):
        seen.append(handler.headers["Accept-Encoding"])
        return unfolding(handler, body)

    with beside(answer) as (cluster, bad):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert [one.name for one in cluster.offers()] == ["good"]
        assert "'deflate'" in cluster.problems[bad.url]
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024
    assert seen == ["identity"]


def test_agents_that_keep_the_bounds_alone_do_not_break_them_together():
    wide = [one(name=f"b{at}", available={f"d{at % 200}": 1}) for at in range(15_000)]
    with beside(offering(*wide)) as (cluster, bad):
        cluster._agents.append(cluster._agents.pop(0))
        assert len(cluster.offers()) == 15_001
    narrow = [{"name": f"c{at}", "available": {f"e{at % 200}": 1}} for at in range(15_000)]
    with beside(offering(*wide)) as (cluster, bad), beside(offering(*narrow)) as (_, other):
        both = HttpCluster([bad.url, other.url], timeout_seconds=60.0)
        assert len(both.offers()) == 15_000
        assert "this agent is left out" in both.problems[other.url]
        both.close()


def test_an_older_agent_is_refused_by_name():
    def older(handler, body):
        return 404, {"error": {"code": "path-unknown", "message": f"there is nothing at {handler.path}"}}

    with beside(older) as (cluster, bad):
        assert [one.name for one in cluster.offers()] == ["good"]
        assert "does not speak version 2 of the wire format" in cluster.problems[bad.url]


def test_a_refused_batch_is_halved_until_only_what_spoils_it_is_refused():
    inner = simulated("s")

    def picky(handler, body):
        if handler.path == wire.OFFERS:
            return 200, wire.offers_of(inner.offers())
        launches = wire.launches_from(body)
        if any(launch.task == "spoils" for launch in launches):
            return 400, {"error": {"code": "message-malformed", "message": "no"}}
        return 200, wire.launched_of(inner.launch(launches))

    with beside(picky) as (cluster, _):
        cluster.offers()
        launches = [Launch(f"k{at}", "spoils" if at == 5 else "t", "s", {"cpu": 100}) for at in range(9)]
        refusals = [one.refusal for one in cluster.launch(launches)]
    assert refusals == [None] * 5 + ["payload-refused"] + [None] * 3


def test_launches_go_in_batches_and_time_counts_from_when_they_are_sent():
    sent, lock = [], threading.Lock()

    def slow(handler, body):
        if handler.path == wire.OFFERS:
            return 200, {"offers": [one(available={"cpu": 10**9})]}
        keys = [row["key"] for row in json.loads(body)["launches"]]
        with lock:
            sent.append(len(keys))
        time.sleep(0.3)
        return 200, {"launched": [{"key": key, "refusal": None, "reason": ""} for key in keys]}

    # One after the other, twenty requests take longer than one may.
    with beside(slow, timeout_seconds=PATIENCE, concurrency=1) as (cluster, _):
        cluster.offers()
        answers = cluster.launch([Launch(f"k{at}", "t", "bad", {"cpu": 1}) for at in range(5000)])
        assert {one.refusal for one in answers} == {None}
        assert cluster.problems == {}
    assert sent == [wire.MOST_LAUNCHES] * 20


# ---- what comes to an agent ----------------------------------------------------------------------------------------


def said(server, text, patience=30.0):
    """Send bytes, and return all that is answered until the connection is closed."""
    with socket.create_connection(server.address, timeout=patience) as connection:
        found = b""
        with suppress(ConnectionError):
            connection.sendall(text)
            while piece := connection.recv(65536):
                found += piece
        return found


def request(head, body=b""):
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


REFUSED = {
    "two lengths": ("POST /v2/reports HTTP/1.1\nHost: localhost\nContent-Length: 2\nContent-Length: 12", b" 400 "),
    "length and chunks": (
        "POST /v2/reports HTTP/1.1\nHost: localhost\nContent-Length: x\nTransfer-Encoding: chunked",
        b" 400 ",
    ),
    "half an address": ("GET /v2/offers HTTP/1.1\nHost: [::1\nConnection: close", b" 421 "),
    "no host": ("GET /v2/offers HTTP/1.1\nConnection: close", b" 400 "),
    "two hosts": ("GET /v2/offers HTTP/1.1\nHost: localhost\nHost: evil.example", b" 400 "),
    "HTTP/0.9": ("GET /v2/offers", b" 400 "),
    "long headers": ("GET /v2/offers HTTP/1.1\nHost: localhost\nX: " + "x" * 1_000_000, b""),
    "a coding": (
        "POST /v2/reports HTTP/1.1\nHost: [::1]\nContent-Length: 2\nContent-Type: application/json\nContent-Encoding: br",
        b" 415 ",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_request_that_two_could_read_in_two_ways_is_refused(kind):
    head, status = REFUSED[kind]
    with served(simulated("s")) as server:
        answer = said(server, request(head))
        assert status in answer.partition(b"\r\n")[0]
        assert b" 200 " not in answer


def test_who_may_not_ask_is_refused_before_the_body_is_read():
    head = "POST /v2/launches HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 16000000"
    with served(simulated("s"), token="secret") as server:
        begin = time.monotonic()
        # Nothing of the body is sent.
        assert b" 401 " in said(server, request(head))
        assert time.monotonic() - begin < 10
        assert server._held == 0


def test_slow_strangers_do_not_keep_others_from_being_answered():
    with served(simulated("s"), token="secret", most_connections=50, read_seconds=600.0) as server:
        cluster = HttpCluster([server.url], token="secret", timeout_seconds=30.0)
        slow = [socket.create_connection(server.address) for _ in range(60)]
        for connection in slow:
            connection.sendall(b"GET /v2/offers HT")
        assert [one.name for one in cluster.offers()] == ["s"]
        assert len(cluster.launch([Launch("k", "t", "s")])) == 1
        for connection in slow:
            connection.close()
        cluster.close()


@pytest.mark.parametrize("text", [b"", b"GET /v2/off", request("POST /v2/reports HTTP/1.1\nHost: localhost", b"")[:-2]])
def test_a_request_has_a_deadline(text):
    with served(simulated("s"), read_seconds=0.3) as server:
        assert said(server, text) == b""


def test_a_body_has_a_deadline_whatever_drips():
    head = "POST /v2/reports HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 1000"
    with served(simulated("s"), read_seconds=0.5) as server, socket.create_connection(server.address) as connection:
        connection.sendall(request(head))
        begin = time.monotonic()
        with suppress(ConnectionError):
            while time.monotonic() - begin < 30:
                connection.sendall(b" ")
                time.sleep(0.05)
        assert time.monotonic() - begin < 30
        # What was held of it is let go.
        deadline = time.monotonic() + 30
        while server._held:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_what_is_held_of_bodies_has_a_bound(monkeypatch):
    monkeypatch.setattr("offermatch.scheduler.cluster.http.server._MOST_HELD", 100_000)
    head = "POST /v2/reports HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 1000000"
    with served(simulated("s")) as server:
        first = socket.create_connection(server.address)
        first.sendall(request(head, b" " * 90_000))
        deadline = time.monotonic() + 30
        while server._held < 90_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert b" 503 " in said(server, request(head, b" " * 20_000))
        first.close()
        while server._held:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_client_believes_only_the_authority_that_it_was_given(tmp_path):
    authority, other = trustme.CA(), trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)

    def believing(one):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        one.configure_trust(context)
        return context

    with served(simulated("s"), token="secret", certificate=chain, key=key) as server:
        assert server.url.startswith("https://")
        cluster = HttpCluster([server.url], token="secret", verify=believing(authority))
        assert [one.name for one in cluster.offers()] == ["s"]
        cluster.close()
        stranger = HttpCluster([server.url], token="secret", verify=believing(other), backoff_seconds=0.001)
        with pytest.raises(Exception, match=r"(?i)certificate.verify.failed"):
            stranger.offers()
        stranger.close()
        # The command has the same.
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        other.cert_pem.write_to_path(tmp_path / "other.pem")
        token = tmp_path / "token"
        token.write_text("secret")
        token.chmod(0o600)
        for pinned, expected in (("ca.pem", 0), ("other.pem", 1)):
            command = [sys.executable, "-m", "offermatch", "run", "--once", "--store", f"sqlite:///{tmp_path}/t.db"]
            command += ["--cluster", server.url, "--cluster-token-file", str(token), "--cluster-ca", str(tmp_path / pinned)]
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
            assert done.returncode == expected, done.stderr
