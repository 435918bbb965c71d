#!/usr/bin/env bash
# Packages: ray 2.60.0, duckdb 2.0.1, pyarrow 26.0.1, polars 2.1.0, joblib 1.5.3, dask 2026.8.0 (PyPI). Needs a machine with two CPUs or more.
# Guess: in a process that is bound to one CPU, as Slurm's task/affinity and taskset do it, all count one.
# Seen: pyarrow, polars, joblib and dask count one. Ray's node has all CPUs of the machine, with nothing in its log, and duckdb starts a thread for each of them.
# Why it matters: a node of Ray that is started inside a job of Slurm with 4 of 128 CPUs takes 128 tasks at a time, and queries beside them start 128 threads each, all of them on 4 CPUs. Both need the number from the caller.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check ray==2.60.0 duckdb==2.0.1 pyarrow==26.0.1 polars==2.1.0 joblib==1.5.3 dask==2026.8.0
cat > count.py <<'PY'
import os

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
if os.cpu_count() == 1:
    raise SystemExit("this machine has one CPU")

import dask.system  # noqa: E402
import duckdb  # noqa: E402
import joblib  # noqa: E402
import polars  # noqa: E402
import pyarrow  # noqa: E402
import ray  # noqa: E402

ray.init(include_dashboard=False, log_to_driver=False, object_store_memory=80 * 2**20, _temp_dir=os.path.join(os.getcwd(), "ray"))
counts = {
    "pyarrow": pyarrow.cpu_count(),
    "polars": polars.thread_pool_size(),
    "joblib": joblib.cpu_count(),
    "dask": dask.system.CPU_COUNT,
    "duckdb": duckdb.sql("SELECT current_setting('threads')").fetchall()[0][0],
    "ray": int(ray.cluster_resources()["CPU"]),
}
ray.shutdown()
print("may use:", len(os.sched_getaffinity(0)))
for name, count in counts.items():
    print(name, "all of the machine" if count == os.cpu_count() else count)
PY
venv/bin/python count.py > seen.txt 2> log.txt
cat seen.txt
diff seen.txt - <<'END'
may use: 1
pyarrow 1
polars 1
joblib 1
dask 1
duckdb all of the machine
ray all of the machine
END
