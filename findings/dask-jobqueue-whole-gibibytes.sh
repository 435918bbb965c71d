#!/usr/bin/env bash
# Packages: dask-jobqueue 0.9.0 (PyPI).
# Guess: a cluster with memory="1.5 GiB" asks Slurm for 1,536 MiB, as it asks PBS.
# Seen: SLURMCluster asks for --mem=2G, a third more: from 1 GiB on it rounds up to whole GiB, though Slurm counts in MiB. PBSCluster asks for 1536MB, and LSF's figure is in decimal megabytes: three schedulers are asked for three different amounts.
# Why it matters: nodes of 4 GiB take two of these workers where they have room for two and a half, and a comparison of schedulers on one workload compares different demands.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dask-jobqueue==0.9.0 dask==2026.8.0 distributed==2026.8.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
from dask_jobqueue import PBSCluster, SLURMCluster
from dask_jobqueue.lsf import lsf_format_bytes_ceil
from dask_jobqueue.pbs import pbs_format_bytes_ceil
from dask_jobqueue.slurm import slurm_format_bytes_ceil

amount = 3 * 2**29
seen = (slurm_format_bytes_ceil(amount), pbs_format_bytes_ceil(amount), lsf_format_bytes_ceil(amount, "mb"))
print("1.5 GiB: Slurm, PBS, LSF:", seen)
assert seen == ("2G", "1536MB", "1611")
assert slurm_format_bytes_ceil(2**30 + 1) == "2G"
assert slurm_format_bytes_ceil(2**30 - 2**20) == "1023M"
cluster = SLURMCluster(cores=1, memory="1.5 GiB", interface="lo", scheduler_options={"dashboard": False})
script = cluster.job_script()
cluster.close()
print([line for line in script.splitlines() if "--mem" in line])
assert "#SBATCH --mem=2G" in script
PY
