#!/usr/bin/env bash
# Packages: slurm-client, slurmctld, slurm-wlm-basic-plugins 22.05.8-4+deb12u3 (Debian 12), started on loopback without a node daemon.
# Guess: memory_per_node null in squeue --json means that the job asked for none, so that others fit beside it.
# Seen: it means all the memory of a node. A job without --mem and one with --mem=0 have null there and 0 in the text, and tres_req_str says mem=1000000M, that of the node whose name sorts first, though the job can run on one of 16000.
# Why it matters: read as zero, the demand packs beside others on a node that Slurm would give to this job alone; read from tres_req_str, it fits on one node of five.
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

sbatch --hold --wrap true > /dev/null
sbatch --hold --mem=0 --wrap true > /dev/null
text=$(squeue -h -o %m | xargs)
fields=$(squeue --json | python3 -c 'import json, sys; print([(job["memory_per_node"], job["tres_req_str"].split(",")[1]) for job in json.load(sys.stdin)["jobs"]])')
echo "text: $text | json: $fields"
[ "$text" = "0 0" ]
[ "$fields" = "[(None, 'mem=1000000M'), (None, 'mem=1000000M')]" ]
