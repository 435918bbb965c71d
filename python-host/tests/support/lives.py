"""Lets schedulers live on one store and kills them with SIGKILL at random points, one after the other.

    python lives.py STORE CLUSTER LIVES SEED [TASKS [PAYLOAD]]

The cluster is the path of a journal, or what ``offermatch run --cluster`` takes. In the payload, which is JSON, ``@`` stands
for the name of the task; ``preempting`` in its place has gangs in it, and each life begins with tasks of a queue that
preempts those that run. A point is a statement or a commit on the store, or a step of the cluster: the one at which a life
ends is drawn. Every fourth life is killed from outside after a random time instead. The last life is left alone until
everything is done. What it did is one JSON object on standard output.
"""

import json
import os
import random
import signal
import sys
import time
from contextlib import contextmanager

from requests.adapters import HTTPAdapter
from sqlalchemy import event
from sqlalchemy.engine import Engine

from journal import JournalCluster
from offermatch import Group, ReferenceMatcher, Settings
from offermatch.kubernetes.api import Api
from offermatch.scheduler.cluster.adapters import connect
from offermatch.scheduler.cycle import Observer
from offermatch.scheduler.loop import Scheduler
from offermatch.scheduler.queues import Queue
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission

TASKS = 600
LEASE = 0.15


class Point:
    """Counts points, and dies at one of them."""

    def __init__(self, last):
        self.left = last

    def __call__(self, *_, **__):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Strict(Observer):
    """Ends the life as failed where the loop survives a bug."""

    @contextmanager
    def cycle(self, cycle):
        yield
        if cycle.error == "unexpected":
            sys.stderr.write(f"a cycle ended by {cycle.message}\n")
            os._exit(3)


def cluster_of(text, servers, point, preempting):
    """Return the cluster; each request to it is a point before it is sent and another when its answer is there."""
    if ":" not in text:
        return JournalCluster(text, servers, 0.8 if preempting else 0.01, point, preempting)

    def pointed(kind, name):
        call = getattr(kind, name)

        def between(*args, **named):
            point()
            answer = call(*args, **named)
            point()
            return answer

        setattr(kind, name, between)

    pointed(Api, "request")
    pointed(HTTPAdapter, "send")
    return connect(text)


def live(url, journal, last, servers, preempting=False):
    """Run a scheduler until everything is done, or until the last point."""
    point = Point(last)
    for what in ("before_cursor_execute", "after_cursor_execute", "commit", "rollback"):
        event.listen(Engine, what, point)
    cluster = cluster_of(journal, servers, point, preempting)
    # What is reached over a network takes longer than a lease of the others lasts.
    mode, lease = ("exclusive", LEASE) if isinstance(cluster, JournalCluster) else ("shared", 10 * LEASE)
    mode = "shared" if preempting else mode
    settings = {"settings": Settings(mode), "interval": 0.005, "lease_seconds": lease, "observers": [Strict()]}
    with Store(url) as store, Scheduler(store, cluster, ReferenceMatcher(), **settings) as one:
        one.run(until_idle=True)


def fork(url, journal, last, servers=4, preempting=False):
    child = os.fork()
    if child == 0:
        try:
            live(url, journal, last, servers, preempting)
        except BaseException as error:  # noqa: BLE001 - told by the exit code
            sys.stderr.write(f"a life ended by {error!r}\n")
            os._exit(3)
        os._exit(0)
    return child


def submit_gangs(store, tasks):
    """Submit tasks that may be preempted, every other three of them as a gang."""
    store.set_queues([Queue("low"), Queue("high", preempts=("low",))])
    for at in range(0, tasks, 3):
        group = Group(f"gang{at}", 3) if at % 2 else None
        store.submit([Submission(f"t{at + one}", {"cpu": 1}, queue="low", retries=0, group=group) for one in range(3)])


def submit_urgent(url, life):
    """Submit tasks that preempt, two of them as a gang."""
    groups = (None, Group(f"urgent{life}", 2), Group(f"urgent{life}", 2))
    rows = [
        Submission(f"u{life}-{at}", {"cpu": 1}, priority=9, queue="high", retries=0, group=group)
        for at, group in enumerate(groups)
    ]
    with Store(url) as store:
        store.submit(rows)


def main(url, journal, lives, seed, tasks=TASKS, payload="{}"):
    draw = random.Random(seed)
    preempting = payload == "preempting"
    with Store(url) as store:
        if preempting:
            submit_gangs(store, tasks)
        # Layers of ten, each task needing two of the layer before.
        needs = lambda at: (f"t{at - 10}", f"t{at - 10 - at % 3}") if at >= 20 else ()  # noqa: E731
        for at in () if preempting else range(tasks):
            said = json.loads(payload.replace("@", f"t{at}"))
            store.submit([Submission(f"t{at}", {"cpu": 1}, needs=needs(at), inputs=["x"][: at % 2], payload=said)])
    ends = {"killed": 0, "finished": 0, "failed": 0}
    for life in range(lives):
        timed = life % 4 == 3
        if preempting:
            submit_urgent(url, life)
        child = fork(url, journal, 0 if timed else draw.randint(1, 110), preempting=preempting)
        if timed:
            time.sleep(draw.uniform(0.0, 0.25))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        ends["killed" if os.WIFSIGNALED(status) else "finished" if status == 0 else "failed"] += 1
    with Store(url) as store:
        ends["open"] = tasks - store.counts().get("done", 0)
    last = fork(url, journal, 0, servers=24 if preempting else 100, preempting=preempting)
    _, status = os.waitpid(last, 0)
    print(json.dumps({**ends, "last": status}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]), *sys.argv[6:])
