#!/usr/bin/env bash
# Packages: slurm-client, slurmctld, slurm-wlm-basic-plugins 22.05.8-4+deb12u3 (Debian 12), started on loopback without a node daemon.
# Guess: sinfo --json writes a number that is not known as null.
# Seen: in one object, three ways: null (tres_used), 4294967294 (cpu_load) and -2 (free_memory). There is no field that says so, and the text output shows N/A for the last two.
# Why it matters: a reader of load and free memory takes a node that has never reported for one with a load of 43 million and less than no memory.
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

sinfo --json > nodes.json
sinfo -h -n n1 -o "load %O free %e"
python3 - <<'PY'
import json

node = next(node for node in json.load(open("nodes.json"))["nodes"] if node["name"] == "n1")
seen = {name: node[name] for name in ("tres_used", "cpu_load", "free_memory")}
print(seen)
assert seen == {"tres_used": None, "cpu_load": 4294967294, "free_memory": -2}
PY
[ "$(sinfo -h -n n1 -o '%O %e')" = "N/A N/A" ]
