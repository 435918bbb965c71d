#!/usr/bin/env bash
# Packages: qtoolkit 0.1.7 (PyPI).
# Guess: QJobInfo has two fields of memory, that of the job and that of a CPU, and what a job was sent with comes back in them, whatever the queue.
# Seen: a job with 4 CPUs of 2,048 MB each is sent to PBS as mem=8192mb and to Slurm as --mem-per-cpu=2048. Read back, the 8 GiB of the job in PBS are in memory_per_cpu, and the 2 GiB of a CPU in Slurm, from scontrol, are in memory. squeue's column has the memory of a node for a job that was sent with --mem; it is in memory_per_cpu, too.
# Why it matters: memory_per_cpu times cpus makes 32 GiB of 8 in PBS, and memory alone makes 2 of 8 in Slurm. A scheduler above both, which jobflow-remote is, counts a cluster as full or as empty by the kind of its queue.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check qtoolkit==0.1.7
cd "$work"
"$work/venv/bin/python" - > seen.txt <<'PY'
from qtoolkit.core.data_objects import ProcessPlacement, QResources
from qtoolkit.io.pbs import PBSIO
from qtoolkit.io.slurm import SlurmIO

asked = QResources(processes=4, memory_per_thread=2048, process_placement=ProcessPlacement.SAME_NODE)
for queue in (PBSIO(), SlurmIO()):
    print(*(line for line in queue.get_submission_script("true", asked).splitlines() if "mem" in line))

qstat = """Job Id: 14.head
    Job_Name = night
    Job_Owner = ada@head
    job_state = R
    queue = day
    Resource_List.mem = 8192mb
    Resource_List.ncpus = 4
    Resource_List.nodect = 1
    Resource_List.walltime = 36:00:00
"""
scontrol = """JobId=14 JobName=night
   UserId=ada(1000) GroupId=ada(1000) MCS_label=N/A
   JobState=RUNNING Reason=None Dependency=(null)
   RunTime=00:10:00 TimeLimit=1-12:00:00 TimeMin=N/A
   Partition=day AllocNode:Sid=head:1
   NumNodes=1 NumCPUs=4 NumTasks=4 CPUs/Task=1 ReqB:S:C:T=0:0:*:*
   MinCPUsNode=4 MinMemoryCPU=2G MinTmpDiskNode=0
"""
squeue = "<><>".join(("14", "R", "None", "night", "ada", "day", "1-12:00:00", "1", "4", "10:00", "8G"))
jobs = {
    "qstat": PBSIO().parse_jobs_list_output(0, qstat, "")[0],
    "scontrol": SlurmIO().parse_job_output(0, scontrol, ""),
    "squeue of --mem=8G": SlurmIO().parse_jobs_list_output(0, squeue, "")[0],
}
for name, job in jobs.items():
    print(f"{name}: memory {job.info.memory}, memory_per_cpu {job.info.memory_per_cpu}, cpus {job.info.cpus}")
PY
cat seen.txt
diff seen.txt - <<'END'
#PBS -l select=1:ncpus=4:mpiprocs=4:mem=8192mb
#SBATCH --mem-per-cpu=2048
qstat: memory None, memory_per_cpu 8388608, cpus 4
scontrol: memory 2097152, memory_per_cpu None, cpus 4
squeue of --mem=8G: memory None, memory_per_cpu 8388608, cpus 4
END
