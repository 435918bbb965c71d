#!/usr/bin/env bash
# Packages: pyvroom 1.15.2 (PyPI).
# Guess: of one job that fills a vehicle and ten that fill it together, VROOM assigns the ten: it leaves as few jobs over as it can. Fractions of a load are refused.
# Seen: it does so where the ways differ. Where all ways are alike, long or of no length, the order of the list decides: with the large job first, ten of eleven are left over, at every level of exploration. Fractions are cut: five jobs of 0.9 are in a vehicle of 1, and two of 0.9 in one of 1.5.
# Why it matters: between the nodes of a cluster all ways are alike. Tasks are packed in the order in which they came, and a solver of routes gives no better plan than that.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyvroom==1.15.2
cd "$work"
"$work/venv/bin/python" - <<'PY'
import vroom


def assigned(capacity, loads, way, level=5):
    problem = vroom.Input()
    places = range(len(loads) + 1)
    problem.set_durations_matrix(profile="car", matrix_input=[[0 if a == b else way(a, b) for a in places] for b in places])
    problem.add_vehicle(vroom.Vehicle(1, start=0, end=0, capacity=[capacity]))
    for job, load in enumerate(loads, start=1):
        problem.add_job(vroom.Job(job, location=job, delivery=[load]))
    routes = problem.solve(exploration_level=level, nb_threads=1).routes
    return sorted(routes[routes["type"] == "job"]["id"].tolist())


first, last, ten = [10] + [1] * 10, [1] * 10 + [10], list(range(2, 12))
ways = {"differ": lambda a, b: 10 + abs(a - b), "cost 10 each": lambda a, b: 10, "cost nothing": lambda a, b: 0}
seen = {name: (assigned(10, first, way), assigned(10, last, way)) for name, way in ways.items()}
for name, (large_first, large_last) in seen.items():
    print("ways that", name, "| the large job first:", large_first, "| last:", large_last)
assert seen["differ"] == (ten, list(range(1, 11)))
assert seen["cost 10 each"] == seen["cost nothing"] == ([1], list(range(1, 11)))
assert all(assigned(10, first, ways["cost nothing"], level) == [1] for level in range(6))
fractions = [assigned(1, [0.9] * 5, ways["differ"]), assigned(1.5, [0.9] * 2, ways["differ"])]
print("five of 0.9 in 1, two of 0.9 in 1.5:", fractions)
assert fractions == [[1, 2, 3, 4, 5], [1, 2]]
PY
