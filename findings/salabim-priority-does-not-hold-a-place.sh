#!/usr/bin/env bash
# Packages: salabim 26.0.9, greenlet 3.5.6, simpy 4.1.2 (PyPI).
# Guess: requests for a resource are served by priority and, within one, in the order in which they came; one that waits for more than is free keeps later and less urgent ones from overtaking it.
# Seen: whatever fits is served. A request for 4 of 4 cores with the best priority waits as long as requests for one core of the worst keep coming, here for the whole run. With honor_only_first=True it starts after two, but from then on one request is served each time that cores are given back: one job of two time units after the other, three cores idle, and half of all jobs in the queue at the end. simpy's Container, which has no priorities, serves in order and lets nothing overtake.
# Why it matters: it is backfilling without a reservation, by default: the waits of large jobs that a study finds are those of no cluster with one. The option that is there against it makes a cluster of four cores one of one core, and no error says so.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check salabim==26.0.9 greenlet==3.5.6 simpy==4.1.2
cat > starve.py <<'PY'
import salabim
import simpy

END = 100


def by_salabim(**options):
    salabim.yieldless(True)
    environment = salabim.Environment()
    cores = salabim.Resource(capacity=4, **options)
    started = []

    class Job(salabim.Component):
        def process(self, size, rank):
            self.request((cores, size, rank))
            started.append((size, environment.now()))
            self.hold(2)
            self.release()

    class Arrivals(salabim.Component):
        def process(self):
            for time in range(END):
                Job(size=1, rank=9)
                if time == 5:
                    Job(size=4, rank=0)
                self.hold(1)

    Arrivals()
    environment.run(till=END)
    return started, cores.requesters().length()


def by_simpy():
    environment = simpy.Environment()
    cores = simpy.Container(environment, capacity=4, init=4)
    started = []

    def job(size):
        yield cores.get(size)
        started.append((size, float(environment.now)))
        yield environment.timeout(2)
        yield cores.put(size)

    def arrivals():
        for time in range(END):
            environment.process(job(1))
            if time == 5:
                environment.process(job(4))
            yield environment.timeout(1)

    environment.process(arrivals())
    environment.run(until=END)
    return started, len(cores.get_queue)


for name, run in (
    ("salabim", by_salabim()),
    ("salabim, honor_only_first", by_salabim(honor_only_first=True)),
    ("simpy", by_simpy()),
):
    started, waiting = run
    large = [time for size, time in started if size == 4]
    late = sum(time >= 20 for _, time in started)
    print(f"{name}: large {large}, {late} started from 20 on, {waiting} wait at the end")
PY
venv/bin/python starve.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
salabim: large [], 80 started from 20 on, 1 wait at the end
salabim, honor_only_first: large [7.0], 40 started from 20 on, 48 wait at the end
simpy: large [7.0], 80 started from 20 on, 0 wait at the end
END
