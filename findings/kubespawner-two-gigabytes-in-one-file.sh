#!/usr/bin/env bash
# Packages: jupyterhub-kubespawner 7.1.0, dask-gateway-server 2026.3.0, dask 2026.8.0 (PyPI).
# Guess: amounts in the settings of two programs that run on Kubernetes and hand theirs to it are quantities of Kubernetes: 4G is 4,000,000,000 bytes, 4Gi is 4,294,967,296.
# Seen: KubeSpawner's mem_limit and dask-gateway's worker_memory read 4G as 4,294,967,296 and refuse 4Gi. In the same file, KubeSpawner's storage_capacity goes to Kubernetes as it is written, so that 4G there is 4,000,000,000, and 4Gi is taken. dask itself reads 4G as 4,000,000,000, too, in the client that starts the gateway's cluster.
# Why it matters: quotas are counted by Kubernetes. Eight notebooks of 4G do not fit in a quota of 32G, and a user who writes Gi to be exact is refused for memory and understood for disks.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check jupyterhub-kubespawner==7.1.0 dask-gateway-server==2026.3.0 dask==2026.8.0
cd "$work"
# No cluster is asked for anything, but KubeSpawner wants the name of one.
cat > settings.yaml <<'YAML'
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
users: [{name: none, user: {}}]
current-context: none
YAML
KUBECONFIG=$work/settings.yaml "$work/venv/bin/python" -W ignore - > seen.txt <<'PY'
import asyncio

from dask.utils import parse_bytes
from dask_gateway_server.backends.base import ClusterConfig
from kubespawner import KubeSpawner
from traitlets import TraitError


def outcome(read):
    try:
        return read()
    except TraitError:
        return "refused"


async def main():
    for text in ("4G", "1.5G", "4Gi"):
        memory = outcome(lambda: KubeSpawner(mem_limit=text, _mock=True).mem_limit)
        storage = outcome(lambda: KubeSpawner(storage_capacity=text, _mock=True).storage_capacity)
        gateway = outcome(lambda: ClusterConfig(worker_memory=text).worker_memory)
        print(text, "mem_limit:", memory, "storage_capacity:", storage, "worker_memory:", gateway, "dask:", parse_bytes(text))


asyncio.run(main())
PY
cat seen.txt
diff seen.txt - <<'END'
4G mem_limit: 4294967296 storage_capacity: 4G worker_memory: 4294967296 dask: 4000000000
1.5G mem_limit: 1610612736 storage_capacity: 1.5G worker_memory: 1610612736 dask: 1500000000
4Gi mem_limit: refused storage_capacity: 4Gi worker_memory: refused dask: 4294967296
END
