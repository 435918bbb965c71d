#!/usr/bin/env bash
# Packages: dpdispatcher 1.1.0 (PyPI).
# Guess: generate_jobs, which a submission calls to group its tasks into jobs, keeps their order and leaves the caller's random numbers alone.
# Seen: it seeds Python's own generator with 42 and shuffles the tasks. After it random.random() is 0.736..., whatever the seed was before, and so it is after each submission. Of tasks 0 to 7 in groups of three, the first job has 3, 4 and 6, and 0 is in the last.
# Why it matters: a search that draws its next candidates at random and submits them draws the same ones in each round, and with any seed. Tasks that were sorted by their urgency are not.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dpdispatcher==1.1.0
mkdir rounds
venv/bin/python - > seen.txt <<'PY'
import random

from dpdispatcher import Machine, Resources, Submission, Task

where = {"batch_type": "Shell", "context_type": "LazyLocalContext", "local_root": ".", "remote_root": "."}
for seed in (1, 2):
    random.seed(seed)
    for _ in range(2):
        drawn = [random.randrange(1000) for _ in range(3)]
        tasks = [Task(command=str(number), task_work_path=".") for number in range(8)]
        resources = Resources(number_node=1, cpu_per_node=1, gpu_per_node=0, queue_name="main", group_size=3)
        submission = Submission("rounds", machine=Machine.load_from_dict(where), resources=resources, task_list=tasks)
        submission.generate_jobs()
        jobs = [[int(task.command) for task in job.job_task_list] for job in submission.belonging_jobs]
        print("seed", seed, "drawn before:", drawn, "after:", round(random.random(), 6), "jobs:", jobs)
PY
cat seen.txt
diff seen.txt - <<'END'
seed 1 drawn before: [137, 582, 867] after: 0.736471 jobs: [[3, 4, 6], [7, 2, 5], [0, 1]]
seed 1 drawn before: [692, 758, 913] after: 0.736471 jobs: [[3, 4, 6], [7, 2, 5], [0, 1]]
seed 2 drawn before: [978, 883, 970] after: 0.736471 jobs: [[3, 4, 6], [7, 2, 5], [0, 1]]
seed 2 drawn before: [692, 758, 913] after: 0.736471 jobs: [[3, 4, 6], [7, 2, 5], [0, 1]]
END
