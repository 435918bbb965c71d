#!/usr/bin/env bash
# Packages: ciw 3.2.7 (PyPI).
# Guess: in a simulation of servers that are there from 0 to 5, 10 to 15 and so on, a task that starts at 1 and takes 4 is done at 5, when the server goes. With preemption, only tasks that would take longer are interrupted.
# Seen: without preemption it is done at 5. With "resume" it is interrupted at 5 with nothing left to do, and done at 10. With "restart" it starts again at 10 and is done at 14; a task of 5, as long as the whole shift, starts at 10, 20, 30 and is interrupted each time at its end, for ever.
# Why it matters: the hours of a reservation or of spot nodes, and the times of tasks, are round numbers, so such ties are common. The simulated cluster does a task of five hours in no window of five hours.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ciw==3.2.7
venv/bin/python -W ignore - > seen.txt <<'PY'
import ciw


def records(start, service, preemption):
    shifts = ciw.Schedule(numbers_of_servers=[1, 0], shift_end_dates=[5, 10], preemption=preemption)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Sequential([start, 1000])],
        service_distributions=[ciw.dists.Deterministic(service)],
        number_of_servers=[shifts],
    )
    ciw.seed(1)
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(50)
    return [f"{record.service_start_date:g}-{record.exit_date:g} {record.record_type.split()[0]}" for record in simulation.get_all_records()]


for start, service in [(1, 3), (1, 4), (10, 5)]:
    for preemption in (False, "resume", "restart"):
        print(f"takes {service}, preemption {preemption}: {', '.join(records(start, service, preemption))}")
PY
cat seen.txt
diff seen.txt - <<'END'
takes 3, preemption False: 1-4 service
takes 3, preemption resume: 1-4 service
takes 3, preemption restart: 1-4 service
takes 4, preemption False: 1-5 service
takes 4, preemption resume: 1-5 interrupted, 10-10 service
takes 4, preemption restart: 1-5 interrupted, 10-14 service
takes 5, preemption False: 10-15 service
takes 5, preemption resume: 10-15 interrupted, 20-20 service
takes 5, preemption restart: 10-15 interrupted, 20-25 interrupted, 30-35 interrupted, 40-45 interrupted
END
