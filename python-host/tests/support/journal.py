"""A cluster that outlives its schedulers: a journal in a SQLite file of its own, to which every start is appended.

It forgets what it is told to as soon as it may, by the rule of ``_settled``.
"""

import sqlite3
import time

from offermatch import Offer
from offermatch.scheduler.cluster import Cluster, Fetched, Launched, Report
from offermatch.scheduler.cluster.settled import Settled


class JournalCluster(Cluster):
    """Starts a key at most once, counts every start, and calls ``point`` wherever a scheduler might die."""

    name = "journal"

    def __init__(self, path, servers=4, seconds=0.01, point=lambda: None, counts=False):
        """With ``counts``, a server offers what is left of its one core beside what runs there."""
        self._db = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "CREATE TABLE IF NOT EXISTS starts (key TEXT, task TEXT, at REAL);"
            "CREATE TABLE IF NOT EXISTS known (key TEXT PRIMARY KEY, ends REAL, sent_at REAL, task TEXT, offer TEXT);"
            "CREATE TABLE IF NOT EXISTS overlaps (task TEXT);"
            "CREATE TABLE IF NOT EXISTS forgotten (key TEXT, sent_at REAL);"
        )
        self._servers, self._seconds, self._point, self._counts = servers, seconds, point, counts

    def offers(self):
        self._point()
        running = "SELECT offer FROM known WHERE ends > ?"
        busy = {offer for (offer,) in self._db.execute(running, (time.time(),))} if self._counts else ()
        names = [f"server-{at}" for at in range(self._servers)]
        return [Offer(name, {"cpu": 0 if name in busy else 1}, {"cpu": 1}) for name in names]

    def fetch(self, inputs, *, concurrency):
        self._point()
        return [Fetched(name, name) for name in inputs]

    def launch(self, launches):
        answers = []
        for launch in launches:
            self._point()
            self._db.execute("BEGIN IMMEDIATE")
            answers.append(self._launch(launch, time.time()))
            self._db.execute("COMMIT")
            self._point()
        return answers

    def _launch(self, launch, now):
        if self._db.execute("SELECT 1 FROM known WHERE key = ?", (launch.key,)).fetchone():
            return Launched(launch.key)
        settled = Settled(horizon=self._db.execute("SELECT coalesce(max(sent_at), 0.0) FROM forgotten").fetchone()[0])
        if settled.late(launch):
            return Launched(launch.key, "launch-late")
        if self._db.execute("SELECT 1 FROM known WHERE task = ? AND ends > ?", (launch.task, now)).fetchone():
            self._db.execute("INSERT INTO overlaps VALUES (?)", (launch.task,))
        row = (launch.key, now + self._seconds, launch.sent_at, launch.task, launch.offer)
        self._db.execute("INSERT INTO known VALUES (?, ?, ?, ?, ?)", row)
        self._db.execute("INSERT INTO starts VALUES (?, ?, ?)", (launch.key, launch.task, now))
        return Launched(launch.key)

    def reports(self, keys):
        self._point()
        return [self._report(key) for key in keys]

    def _report(self, key):
        row = self._db.execute("SELECT ends FROM known WHERE key = ?", (key,)).fetchone()
        if row is None:
            return Report(key, "unknown")
        if row[0] is None:
            return Report(key, "failed", "cancelled")
        return Report(key, "done" if time.time() >= row[0] else "running")

    def cancel(self, keys):
        for key in keys:
            self._point()
            self._db.execute("INSERT OR IGNORE INTO known (key) VALUES (?)", (key,))
            self._db.execute("UPDATE known SET ends = NULL WHERE key = ? AND ends > ?", (key, time.time()))
            self._point()

    def forget(self, keys):
        for key in keys:
            self._point()
            self._db.execute("BEGIN IMMEDIATE")
            told = "key = ? AND sent_at > 0 AND (ends IS NULL OR ends <= ?)"
            self._db.execute(f"INSERT INTO forgotten SELECT key, sent_at FROM known WHERE {told}", (key, time.time()))
            self._db.execute("DELETE FROM known WHERE key IN (SELECT key FROM forgotten WHERE key = ?)", (key,))
            self._db.execute("COMMIT")
            self._point()

    def close(self):
        self._db.close()


def starts(path):
    """Return how often each task was started."""
    db = sqlite3.connect(path)
    found = dict(db.execute("SELECT task, count(*) FROM starts GROUP BY task"))
    db.close()
    return found


def forgotten(path):
    """Return how many keys it has forgotten."""
    db = sqlite3.connect(path)
    (found,) = db.execute("SELECT count(*) FROM forgotten").fetchone()
    db.close()
    return found


def doubled(path):
    """Return the keys that were started more than once, and the tasks of which two attempts ran at a time."""
    db = sqlite3.connect(path)
    keys = [key for (key,) in db.execute("SELECT key FROM starts GROUP BY key HAVING count(*) > 1")]
    tasks = [task for (task,) in db.execute("SELECT task FROM overlaps")]
    db.close()
    return keys, tasks
