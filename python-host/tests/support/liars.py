"""Agents that hang, lie or fail, beside a good one."""

import json
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from offermatch.model import Offer
from offermatch.scheduler.cluster.http.http import HttpCluster
from offermatch.scheduler.cluster.simulated import SimulatedCluster
from sites import served

PATIENCE = 5.0
"""The seconds that a cluster waits for an agent that hangs.

A good agent answers within them on a busy machine; each hang costs a test as many.
"""


def simulated(*names, **settings):
    return SimulatedCluster([Offer(name, {"cpu": 4}) for name in names], clock="real", seconds=3600, **settings)


class Liar(ThreadingHTTPServer):
    """An agent that answers what a test says, and counts what it is asked."""

    daemon_threads = True

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), LiarHandler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class LiarHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.path, self.headers.get("Idempotency-Key"), body))
        status, found = self.server.answer(self, body)
        text = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *args):
        pass


@contextmanager
def liar(answer):
    with Liar(answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


@contextmanager
def beside(answer, **settings):
    """A cluster of a good agent with the server ``good``, and a bad one."""
    with ExitStack() as stack:
        good = stack.enter_context(served(simulated("good")))
        bad = stack.enter_context(liar(answer))
        cluster = HttpCluster([good.url, bad.url], **{"timeout_seconds": 30.0, "backoff_seconds": 0.001, **settings})
        stack.callback(cluster.close)
        yield cluster, bad


def hang(handler, body):
    handler.server.released.wait(60)
    return 200, {}


def drip(handler, body):
    """Send a byte now and then, for ever."""
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.released.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()
    handler.close_connection = True
    return 200, {}


def offering(*offers):
    return lambda handler, body: (200, {"offers": list(offers)})
