#!/usr/bin/env bash
# Packages: slurm-client, slurmctld, slurm-wlm-basic-plugins 22.05.8-4+deb12u3 (Debian 12), started on loopback without a node daemon.
# Guess: a pending job that asks for 2 to 4 nodes shows both numbers for as long as it waits.
# Seen: it does while it is held (NumNodes=2-4). Once the scheduler has looked at it, it shows NumNodes=4-4, and %D and node_count in JSON say 4, though it still starts on 2. The lower bound is then only inside the text of tres_req_str (node=2).
# Why it matters: a mirror of the queue waits for four nodes where two would do, and sees the demand change without the user having changed it.
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

shown() {
    scontrol -o show job "$1" | grep -oE "(NumNodes|ReqTRES|TRES)=[^ ]*" | xargs
    squeue --json | python3 -c 'import json, sys; job = next(job for job in json.load(sys.stdin)["jobs"] if job["job_id"] == int(sys.argv[1])); print(job["node_count"], job["max_nodes"], job["tres_req_str"])' "$1"
}
held=$(shown "$(sbatch --parsable --hold -N 2-4 --wrap true)")
pending=$(shown "$(sbatch --parsable -N 2-4 --wrap true)")
printf 'held:\n%s\npending:\n%s\n' "$held" "$pending"
[[ $held == NumNodes=2-4*node=2*$'\n'"2 4 "*node=2* ]]
[[ $pending == NumNodes=4-4*node=2*$'\n'"4 4 "*node=2* ]]
