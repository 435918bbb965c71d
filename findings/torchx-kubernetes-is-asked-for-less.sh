#!/usr/bin/env bash
# Packages: torchx 0.7.0, kubernetes 36.0.3, docker 7.2.0 (PyPI).
# Guess: Resource(cpu=1, memMB=1000) asks Kubernetes for a core and 1,000 MB, and one figure of memMB is one amount for every scheduler.
# Seen: the pod's request is 900m and 0M, as 100 millicores and 1,024 MB are taken off every role for what a node keeps for itself; the limit is 1000M. A role of 2,048 MB asks for 1,024. The same figure is decimal megabytes for Kubernetes and MiB for Docker, as `1000m`, and for Slurm, as `--mem=1000`.
# Why it matters: any number of roles of up to a GiB fit on one node by their requests, and are then ended one after the other for want of memory. An app that runs on Docker with just its memory has 5 % less as a pod.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check torchx==0.7.0 kubernetes==36.0.3 docker==7.2.0
cd "$work"
"$work/venv/bin/python" -W ignore - > seen.txt <<'PY'
from docker.utils import parse_bytes
from torchx.schedulers.docker_scheduler import DockerScheduler
from torchx.schedulers.kubernetes_scheduler import role_to_pod
from torchx.schedulers.slurm_scheduler import SlurmReplicaRequest
from torchx.specs import AppDef, Resource, Role

for memory in (1000, 1024, 2048):
    role = Role("worker", image="debian:12", entrypoint="true", resource=Resource(cpu=1, gpu=0, memMB=memory))
    pod = role_to_pod("worker", role, service_account=None).spec.containers[0].resources
    docker = DockerScheduler("s").submit_dryrun(AppDef("app", [role]), {}).request.containers[0].kwargs["mem_limit"]
    slurm = SlurmReplicaRequest.from_role("worker", role, {}, nomem=False).sbatch_opts["mem"]
    print(memory, "requests:", pod.requests, "limits:", pod.limits)
    print(memory, "Docker:", docker, parse_bytes(docker), "Slurm:", slurm)
PY
cat seen.txt
diff seen.txt - <<'END'
1000 requests: {'cpu': '900m', 'memory': '0M'} limits: {'cpu': '1000m', 'memory': '1000M'}
1000 Docker: 1000m 1048576000 Slurm: 1000
1024 requests: {'cpu': '900m', 'memory': '0M'} limits: {'cpu': '1000m', 'memory': '1024M'}
1024 Docker: 1024m 1073741824 Slurm: 1024
2048 requests: {'cpu': '900m', 'memory': '1024M'} limits: {'cpu': '1000m', 'memory': '2048M'}
2048 Docker: 2048m 2147483648 Slurm: 2048
END
