#!/usr/bin/env bash
# Packages: snakemake-executor-plugin-slurm 2.8.0 (PyPI), slurm-client, slurmctld, slurm-wlm-basic-plugins 22.05.8-4+deb12u3 (Debian 12), started on loopback without a node daemon.
# Guess: the file of partitions that the plugin writes from a cluster has the limits of its partitions, and a rule that asks for no GPU goes to a partition that has none, if one can run it.
# Seen: DefMemPerCPU, what a job gets that says nothing, is written as the most that one may ask for; the threads of a partition are its CPUs by its nodes, so that 64 fit on none of 16, 16, 16 and 128. A partition is chosen by the sum of what is asked for by what is there, one less for GPUs that are not asked for, with threads counted twice; a limit that is not given counts nothing. So 16 threads for a day, and 4 with 4,000 MB each, go to the only node with GPUs.
# Why it matters: the larger the job without GPUs, the more it is drawn to the GPU nodes, while those for it stand idle. 64 threads are sent to the default partition with a warning.
set -euo pipefail

work=$(mktemp -d)
controller=
trap '[ -z "$controller" ] || kill "$controller" || true; wait; rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check snakemake-executor-plugin-slurm==2.8.0
slurm=22.05.8-4+deb12u3
apt-get download -qq slurm-client=$slurm slurmctld=$slurm slurm-wlm-basic-plugins=$slurm \
    libmunge2 libjson-c5 libyaml-0-2 libhttp-parser2.9 libhwloc15 liblua5.1-0 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
libraries=$(echo "$work"/unpacked/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=$libraries:$libraries/slurm-wlm PATH=$work/unpacked/usr/bin:$work/unpacked/usr/sbin:$PATH SLURM_CONF=$work/slurm.conf
mkdir state
cat > slurm.conf <<CONF
ClusterName=finding
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
CommunicationParameters=NoCtldInAddrAny
AuthType=auth/none
CredType=cred/none
SlurmUser=$(id -un)
PluginDir=$libraries/slurm-wlm
StateSaveLocation=$work/state
SlurmctldPidFile=$work/pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=3600
NodeName=n[1-3] CPUs=16 RealMemory=128000 State=CLOUD
NodeName=big CPUs=128 RealMemory=1000000 State=CLOUD
NodeName=g1 CPUs=16 RealMemory=128000 Gres=gpu:4 State=CLOUD
PartitionName=cpu Nodes=n[1-3],big DefMemPerCPU=2000 Default=YES State=UP
PartitionName=gpu Nodes=g1 MaxTime=1-00:00:00 State=UP
CONF
slurmctld-wlm -D > controller.log 2>&1 &
controller=$!
for _ in $(seq 100); do scontrol ping 2> /dev/null | grep -q UP && break; sleep 0.1; done

venv/bin/generate-slurm-partition-config -o partitions.yaml 2> /dev/null
# Slurm shows the GPUs of a partition only where it has a database. Those of the last one are added by hand.
sed -i '/^$/d' partitions.yaml
echo '    max_gpu: 4' >> partitions.yaml
cat > choose.py <<'PY'
import logging
from types import SimpleNamespace

from snakemake_executor_plugin_slurm.partitions import get_best_partition, read_partition_file

partitions = read_partition_file("partitions.yaml")
for threads, resources in (
    (8, {"runtime": 120}),
    (16, {"runtime": 1440}),
    (4, {"runtime": 120, "mem_mb_per_cpu": 2000}),
    (4, {"runtime": 120, "mem_mb_per_cpu": 4000}),
    (64, {"runtime": 120}),
):
    job = SimpleNamespace(name="rule", threads=threads, resources=resources)
    print(threads, "threads", resources, get_best_partition(partitions, job, logging.getLogger()))
PY
{
    cat partitions.yaml
    venv/bin/python choose.py 2> /dev/null
} > seen.txt
cat seen.txt
diff seen.txt - <<'END'
partitions:
  cpu:
    max_mem_mb_per_cpu: 2000
    max_threads: 44
  gpu:
    max_runtime: 1-00:00:00
    max_threads: 16
    max_gpu: 4
8 threads {'runtime': 120} cpu
16 threads {'runtime': 1440} gpu
4 threads {'runtime': 120, 'mem_mb_per_cpu': 2000} cpu
4 threads {'runtime': 120, 'mem_mb_per_cpu': 4000} gpu
64 threads {'runtime': 120} None
END
