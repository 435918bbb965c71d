"""Kills, stops and confuses real schedulers and agents while they run tasks, and counts what became of every task.

    python chaos.py sqlite|postgresql [TASKS [SEED]]

Two schedulers and two agents are processes of the command line. At random one is killed and started again, or stopped for
longer than a lease lasts; its clock is stepped by up to ten minutes; the disk of an agent, or of the SQLite store, is filled
for a while. Disks are small file systems in memory where this user may mount them; else none is filled, and the output says
so. A fifth of the tasks are members of gangs, a fifth may be preempted and a fifth are of a queue that preempts these.
Clocks are those that Python reads: each process has an offset that this one writes. When all tasks have ended everything
is left alone for a moment. What was done is one JSON object on standard output; the exit code is 0 if every task is done and
the command of each was started exactly once. One that may be preempted, or ended with its gang, may start again: at most as
often as the store knows attempts, and never while it runs.
"""

import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from offermatch import Group, StoreError
from offermatch.scheduler.queues import Queue
from offermatch.scheduler.store import Store
from offermatch.scheduler.submission import Submission
from postgres import PostgreSQL

LEASE = 2.0
PATIENCE = 900.0
"""Seconds for everything."""
DISK = "48m"

CLOCK = """
import mmap, os, struct, time
if "CHAOS_CLOCK" in os.environ:
    with open(os.environ["CHAOS_CLOCK"], "r+b") as file:
        shown = mmap.mmap(file.fileno(), 8)
    real, real_ns = time.time, time.time_ns
    offset = lambda: struct.unpack("d", shown)[0]
    time.time = lambda: real() + offset()
    time.time_ns = lambda: real_ns() + int(offset() * 1e9)
"""


class Part:
    """A scheduler or an agent: a process that is started again and again."""

    def __init__(self, folder, name, arguments):
        self.name, self._folder, self._arguments = name, folder, arguments
        self._clock = folder / f"{name}.clock"
        self._clock.write_bytes(struct.pack("d", 0.0))
        self.process = None
        self.start()

    def start(self):
        environment = {**os.environ, "CHAOS_CLOCK": str(self._clock), "PYTHONPATH": str(self._folder)}
        # The token of a parent's variable would be refused.
        environment.pop("OFFERMATCH_AGENT_TOKEN", None)
        with (self._folder / f"{self.name}.log").open("ab") as log:
            command = [sys.executable, "-m", "offermatch", *self._arguments]
            self.process = subprocess.Popen(command, env=environment, stderr=log, stdout=log, stdin=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def again(self):
        """Start it again where it has ended."""
        if self.process.poll() is not None:
            self.start()

    def step(self, seconds):
        self._clock.write_bytes(struct.pack("d", seconds))


class Disk:
    """A small file system in memory; a folder where none may be mounted."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(path)], check=False, capture_output=True
        )
        self.mounted = mounted.returncode == 0

    def fill(self):
        with (self.path / "ballast").open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(2**16))

    def empty(self):
        (self.path / "ballast").unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, seconds=60.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < deadline, f"nobody listens at {port}"
            time.sleep(0.1)
        else:
            return


def counts(url):
    try:
        with Store(url) as store:
            return store.counts()
    except StoreError:
        return {}


def kind_of(at):
    """Return which kind of task this is."""
    return ("plain", "plain", "gang", "low", "urgent")[at // 10 % 5]


def submit(url, tasks, starts):
    # Layers of ten, each task needing one of the layer before.
    rows = []
    for at in range(tasks):
        kind = kind_of(at)
        command = f"echo t{at} >> {starts}"
        columns = {"queue": "default", "payload": {"command": ["sh", "-c", command]}}
        if kind in ("gang", "low"):
            # The lock goes with the processes that hold it, however they end.
            works = f"sh -c '{command}; sleep {2 if kind == 'low' else 0.2}'"
            again = f"flock -n {starts}.t{at} {works} || echo t{at} >> {starts}.twice"
            columns["payload"] = {"command": ["sh", "-c", again]}
        if kind == "gang":
            columns["group"] = Group(f"gang{at // 5}", 5)
        elif kind in ("low", "urgent"):
            columns |= {"queue": kind, "priority": 9 if kind == "urgent" else 0}
        needs = (f"t{at - 10}",) if at >= 20 and at % 3 == 0 else ()
        rows.append(Submission(f"t{at}", {"cpu": 1}, needs=needs, **columns))
    with Store(url) as store:
        store.set_queues([Queue("low"), Queue("urgent", preempts=("low",))])
        store.submit(rows)


def attempts(url, tasks):
    """Return how many attempts there were at each task, which are done, and how many tasks were preempted."""
    with Store(url) as store:
        shown = [store.shown(f"t{at}") for at in range(tasks)]
    reasons = [change.reason or "" for one in shown for change in one.history]
    preempted = sum(reason.startswith("preempted by") for reason in reasons)
    done = {one.name for one in shown if one.state == "done"}
    return {one.name: one.columns["attempt"] for one in shown}, done, preempted


def doubled(starts, started, known):
    """Return the tasks that started more often than they may, or while they ran."""
    beside = starts.with_name(f"{starts.name}.twice")
    twice = beside.read_text().split() if beside.exists() else []
    for at in range(len(known)):
        most = known[f"t{at}"] if kind_of(at) in ("gang", "low") else 1
        twice += [f"t{at}"] if started.count(f"t{at}") > most else []
    return sorted(twice)


class Chaos:
    """What is done to the parts, at random."""

    def __init__(self, parts, disks, draw):
        self._parts, self._disks, self._draw = parts, [disk for disk in disks if disk.mounted], draw
        self.done = dict.fromkeys(("killed", "stopped", "stepped", "filled"), 0)

    def act(self):
        part = self._draw.choice(self._parts)
        what = self._draw.choice([*self.done] if self._disks else ["killed", "stopped", "stepped"])
        self.done[what] += 1
        if what == "killed":
            part.kill()
            time.sleep(self._draw.uniform(0, 1))
        elif what == "stopped" and part.process.poll() is None:
            part.process.send_signal(signal.SIGSTOP)
            time.sleep(self._draw.uniform(0, 2 * LEASE))
            part.process.send_signal(signal.SIGCONT)
        elif what == "stepped":
            part.step(self._draw.uniform(-600, 600))
        elif what == "filled":
            disk = self._draw.choice(self._disks)
            disk.fill()
            time.sleep(self._draw.uniform(0.2, 2))
            disk.empty()
        for one in self._parts:
            one.again()
        time.sleep(self._draw.uniform(0.2, 1.5))


def main(kind, tasks=1000, seed=1):
    begin = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="offermatch-chaos-")))
        (folder / "sitecustomize.py").write_text(CLOCK)
        disks = {}
        for name in ("one", "two", "store"):
            disks[name] = Disk(folder / f"disk-{name}")
            stack.callback(disks[name].close)
        if kind == "postgresql":
            server = PostgreSQL()
            stack.callback(server.close)
            url = server.database()
        else:
            url = f"sqlite:///{disks['store'].path / 'tasks.db'}"
        starts = folder / "starts"
        starts.touch()
        submit(url, tasks, starts)
        parts, ports = [], []
        stack.callback(lambda: [part.kill() for part in parts])
        for name in ("one", "two"):
            ports.append(port := free_port())
            arguments = ["agent", "--name", name, "--directory", str(disks[name].path / "runs"), "--no-memory-limit"]
            arguments += ["--listen", f"127.0.0.1:{port}", "--cpu", "8 cores", "--memory", "8GiB"]
            parts.append(Part(folder, name, arguments))
        for port in ports:
            wait_for(port)
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        scheduler = ["run", "--store", url, "--cluster", ",".join(addresses), "--interval", "0.2", "--lease", str(LEASE)]
        parts += [Part(folder, name, scheduler) for name in ("first", "second")]
        chaos, left, last = Chaos(parts, disks.values(), random.Random(seed)), {}, 0.0
        while time.monotonic() - begin < PATIENCE:
            chaos.act()
            left = counts(url) or left
            if left and not any(left.get(state) for state in ("pending", "ready", "claimed", "running")):
                break
            if time.monotonic() - last > 15:
                last = time.monotonic()
                print(json.dumps({"seconds": round(last - begin), **left, **chaos.done}), file=sys.stderr, flush=True)
        time.sleep(2 * LEASE)
        # Nothing begins any more while it is counted, which takes its time on a busy machine.
        for part in parts:
            part.kill()
        known, done, preempted = attempts(url, tasks)
        started = sorted(starts.read_text().split())
        twice = doubled(starts, started, known)
        lost = sorted(done - set(started))
        found = {"store": kind, "tasks": tasks, "seed": seed, "states": counts(url), "twice": twice, "lost": lost}
        found |= {
            **chaos.done,
            "preempted": preempted,
            "disks": "file systems in memory" if disks["one"].mounted else "none may be mounted",
        }
        found["seconds"] = round(time.monotonic() - begin, 1)
        print(json.dumps(found), flush=True)
        good = found["states"] == {"done": tasks} and not twice and not lost
        if not good:
            for part in parts:
                tail = (folder / f"{part.name}.log").read_text(errors="replace").splitlines()[-40:]
                print(f"---- {part.name}", *tail, sep="\n", file=sys.stderr)
        return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
