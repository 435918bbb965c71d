#!/usr/bin/env bash
# Packages: slurm-client, slurmctld 22.05.8-4+deb12u3 (Debian 12), started on loopback without a node daemon.
# Guess: sinfo lists every node on which a job could be placed.
# Seen: nodes of State=CLOUD that are powered down are left out of sinfo, of its JSON and of scontrol ("Node n1 not found"), while sbatch takes jobs for them, and only for what fits them. PrivateData=cloud, an option that reads as if it hid more, shows them.
# Why it matters: offers made from sinfo say that the cluster has no node, and the jobs of the queue look as if they fitted nowhere.
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

NodeName=n[1-4] CPUs=8 RealMemory=16000 State=CLOUD
NodeName=big CPUs=64 RealMemory=1000000 State=CLOUD
PartitionName=main Nodes=ALL Default=YES State=UP
CONF
slurmctld-wlm -D > controller.log 2>&1 &
controller=$!
for _ in $(seq 100); do scontrol ping 2> /dev/null | grep -q UP && break; sleep 0.1; done

count=$(sinfo -h -o "%P %D %T" | xargs)
found=$(scontrol show node n1 2>&1 || true)
taken=$(sbatch --parsable -c 64 --wrap true)
refused=$(sbatch -c 65 --wrap true 2>&1 || true)
echo "sinfo: $count | scontrol: $found | a job of 64 cpus: $taken | of 65: $refused"
[ "$count" = "main* 0 n/a" ]
[ "$found" = "Node n1 not found" ]
[ -n "$taken" ]
[[ $refused == *"node configuration is not available"* ]]
