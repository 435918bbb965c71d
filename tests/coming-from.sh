#!/usr/bin/env bash
# What numbers mean in other systems, by their own readers: the lines of the table in docs/formats.md that name a version.
# Needs pip, and for Slurm apt-get; installs everything in a folder that is removed. Not part of the tests.
set -euo pipefail

work=$(mktemp -d)
controller=
trap '[ -z "$controller" ] || kill "$controller"; wait; rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install -q kubernetes==37.0.2 docker==7.2.0 dask==2026.8.0 snakemake==9.27.1
venv/bin/python - <<'PY'
from decimal import Decimal
from math import ceil

from dask.utils import parse_bytes as dask
from docker.utils import parse_bytes as docker
from kubernetes.utils.quantity import parse_quantity as kubernetes
from snakemake.resources import parse_size

GIB, MIB = 2**30, 2**20
seen = {
    "Kubernetes 2": (kubernetes("2"), 2),
    "Kubernetes 500m": (kubernetes("500m"), Decimal("0.5")),
    "Kubernetes 4Gi": (kubernetes("4Gi"), 4 * GIB),
    "Kubernetes 4G": (kubernetes("4G"), 4 * 10**9),
    "Kubernetes 512m": (kubernetes("512m"), Decimal("0.512")),
    "Docker 512m": (docker("512m"), 512 * MIB),
    "Docker 4g": (docker("4g"), 4 * GIB),
    "Docker 4GB": (docker("4GB"), 4 * GIB),
    "Dask 4GB": (dask("4GB"), 4 * 10**9),
    "Dask 4GiB": (dask("4GiB"), 4 * GIB),
    "Dask 4Gi": (dask("4Gi"), 4 * GIB),
    "Dask 512m": (dask("512m"), 512 * 10**6),
    "Dask 1.1Gi": (dask("1.1Gi"), 1181116006),
    # As snakemake.resources turns a size into megabytes.
    "Snakemake 4Gi": (max(ceil(parse_size("4Gi") / 1e6), 1), 4000),
}
for what, (found, expected) in seen.items():
    print(what, found)
    assert found == expected, f"{what} is {found}, and not {expected}"
PY

slurm=22.05.8-4+deb12u3
apt-get download -qq slurm-client=$slurm slurmctld=$slurm slurm-wlm-basic-plugins=$slurm \
    libmunge2 libjson-c5 libyaml-0-2 libhttp-parser2.9 libhwloc15 liblua5.1-0 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
libraries=$(echo "$work"/unpacked/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=$libraries:$libraries/slurm-wlm PATH=$work/unpacked/usr/bin:$work/unpacked/usr/sbin:$PATH
export SLURM_CONF=$work/slurm.conf
mkdir state
cat > slurm.conf <<CONF
ClusterName=units
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
NodeName=n1 CPUs=8 RealMemory=16000 State=CLOUD
PartitionName=main Nodes=ALL Default=YES State=UP
CONF
slurmctld-wlm -D > controller.log 2>&1 &
controller=$!
for _ in $(seq 100); do scontrol ping 2> /dev/null | grep -q UP && break; sleep 0.1; done
for memory in 512=512M 1025K=2M 1G=1G 4GB=4G 900m=900M; do
    job=$(sbatch --parsable --begin=now+1hour --mem="${memory%=*}" --wrap true)
    found=$(squeue -h -j "$job" -o %m)
    echo "Slurm ${memory%=*} $found"
    [ "$found" = "${memory#*=}" ]
done
for memory in 1.5G 4Gi; do
    if sbatch --begin=now+1hour --mem="$memory" --wrap true 2> /dev/null; then
        echo "Slurm took $memory" >&2
        exit 1
    fi
    echo "Slurm $memory refused"
done
