#!/usr/bin/env bash
# Packages: dask-jobqueue 0.9.0, dask 2026.8.0, PyYAML 6.0.4 (PyPI).
# Guess: `walltime: 10:00:00` in the YAML file of dask's configuration is the text of dask-jobqueue's own examples, and comes to Slurm as ten hours.
# Seen: PyYAML reads YAML 1.1, in which 10:00:00 is a whole number to base 60: 36000. The job asks for `-t 36000`, which Slurm reads as minutes: 25 days. 09:30:00 and 01:30:00 stay text, since a number does not begin with 0, so that only walltimes from ten hours on are changed, and `1:30:00` (5400: three days and 18 hours). 30:00, half an hour, is 1800, 30 hours. PBS reads the same numbers as seconds, rightly.
# Why it matters: a file that worked with 09:30:00 is refused by the partition's limit, or waits for a gap of weeks, when its walltime becomes 10:00:00.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dask-jobqueue==0.9.0 dask==2026.8.0 distributed==2026.8.0 PyYAML==6.0.4
cd "$work"
mkdir settings
export DASK_CONFIG=$work/settings
for walltime in 09:30:00 10:00:00 01:30:00 1:30:00 30:00 '"10:00:00"'; do
    printf 'jobqueue:\n  slurm:\n    walltime: %s\n' "$walltime" > settings/jobqueue.yaml
    "$work/venv/bin/python" - "$walltime" <<'PY'
import sys

from dask_jobqueue import SLURMCluster

cluster = SLURMCluster(cores=1, memory="1 GiB", interface="lo", scheduler_options={"dashboard": False})
(asked,) = [line for line in cluster.job_script().splitlines() if line.startswith("#SBATCH -t ")]
cluster.close()
print(sys.argv[1], asked, sep="\t")
PY
done > seen.txt
cat seen.txt
diff seen.txt - <<'END'
09:30:00	#SBATCH -t 09:30:00
10:00:00	#SBATCH -t 36000
01:30:00	#SBATCH -t 01:30:00
1:30:00	#SBATCH -t 5400
30:00	#SBATCH -t 1800
"10:00:00"	#SBATCH -t 10:00:00
END
