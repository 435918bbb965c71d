#!/usr/bin/env bash
# Packages: slurm-client, slurmctld, slurm-wlm-basic-plugins 22.05.8-4+deb12u3 (Debian 12), started on loopback without a node daemon.
# Guess: squeue --json has the jobs that squeue prints.
# Seen: squeue prints pending and running jobs; squeue --json has those that ended or were cancelled in the last minutes as well, and the option --states, which selects by state in the text, changes nothing in the JSON.
# Why it matters: a queue read from JSON without a look at job_state holds tasks that are over, and would start them again.
set -euo pipefail

work=$(mktemp -d)
controller=
trap '[ -z "$controller" ] || kill "$controller"; wait; rm -rf "$work"' EXIT
cd "$work"
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
SuspendProgram=/bin/true
ResumeProgram=/bin/true
SuspendTime=3600
PrivateData=cloud
NodeName=n[1-4] CPUs=8 RealMemory=16000 State=CLOUD
NodeName=big CPUs=64 RealMemory=1000000 State=CLOUD
PartitionName=main Nodes=ALL Default=YES State=UP
CONF
slurmctld-wlm -D > controller.log 2>&1 &
controller=$!
for _ in $(seq 100); do scontrol ping 2> /dev/null | grep -q UP && break; sleep 0.1; done

first=$(sbatch --parsable --wrap true)
second=$(sbatch --parsable --wrap true)
scancel "$first"
text=$(squeue -h -o %i | xargs)
json=$(squeue --json | python3 -c 'import json, sys; print(*sorted("%s:%s" % (job["job_id"], job["job_state"]) for job in json.load(sys.stdin)["jobs"]))')
chosen=$(squeue --states=PENDING --json | python3 -c 'import json, sys; print(*sorted("%s:%s" % (job["job_id"], job["job_state"]) for job in json.load(sys.stdin)["jobs"]))')
echo "text: $text | json: $json | json with --states=PENDING: $chosen"
[ "$text" = "$second" ]
[ "$json" = "$first:CANCELLED $second:PENDING" ]
[ "$chosen" = "$json" ]
