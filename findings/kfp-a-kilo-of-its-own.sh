#!/usr/bin/env bash
# Packages: kfp 2.17.3, lightkube 1.0.1 (PyPI).
# Guess: set_memory_limit of a pipeline's task takes what Kubernetes takes as a quantity, and nothing else, as its text goes into the pod.
# Seen: the grammar of Kubernetes has k for 1,000 and no K; kfp takes `100K`, writes it into the pipeline as it stands, and refuses `100k`. It refuses `1.5Gi` and `1e9`, too, which are quantities. lightkube, which reads quantities by the grammar, takes `100k`, `1.5Gi` and `1e9`, and refuses `100K`.
# Why it matters: a pipeline compiles and its pod is refused by the API server, when the step is due; and requests that were taken from a pod's manifest do not compile.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check kfp==2.17.3 lightkube==1.0.1
cd "$work"
"$work/venv/bin/python" -W ignore - > seen.txt <<'PY'
from pathlib import Path

import yaml
from kfp import compiler, dsl
from lightkube.utils.quantity import parse_quantity


def by_kfp(amount):
    @dsl.container_component
    def step():
        return dsl.ContainerSpec(image="debian:12")

    def night():
        step().set_memory_limit(amount)

    try:
        compiler.Compiler().compile(dsl.pipeline(name="night")(night), "night.yaml")
    except ValueError:
        return "refused"
    (executor,) = next(yaml.safe_load_all(Path("night.yaml").read_text()))["deploymentSpec"]["executors"].values()
    return executor["container"]["resources"]["resourceMemoryLimit"]


def by_lightkube(amount):
    try:
        return str(int(parse_quantity(amount)))
    except ValueError:
        return "refused"


for amount in ("1Gi", "100K", "100k", "1.5Gi", "1e9"):
    print(amount, by_kfp(amount), by_lightkube(amount), sep="\t")
PY
cat seen.txt
diff seen.txt - <<'END'
1Gi	1Gi	1073741824
100K	100K	refused
100k	refused	100000
1.5Gi	refused	1610612736
1e9	refused	1000000000
END
