#!/usr/bin/env bash
# Packages: clusterscope 0.0.32 (PyPI).
# Guess: of what sinfo prints in its column of generic resources, the last number is the count, whatever the type is called; the two readers in one package agree.
# Seen: the check of a request takes the first digits after "gpu:" or after a type without dot or dash. gpu:1g.5gb:7, seven slices of a GPU by their MIG profile, are one; gpu:7g.80gb:1, one slice, is seven; gpu:a100-sxm4:8 and gpu:nvidia_a100_3g.20gb:2 are none. The other reader has 7, 1, 8 and 2, but does not see gpu:4, which has no type: it takes 8 for granted there.
# Why it matters: with the names that Slurm finds by itself a job is refused as larger than any node, or taken where it never fits; on nodes of four GPUs without a type a job with one of them gets the cores and the memory of an eighth.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check clusterscope==0.0.32
# What sinfo prints on a partition of one node with 64 cores: the generic resources of $GRES and the column that is asked for.
mkdir bin
cat > bin/sinfo <<'SINFO'
#!/bin/sh
case "$2" in
    %G,%c) echo "$GRES,64" ;;
    %G,%P) echo "GRES,PARTITION"; echo "$GRES,main*" ;;
esac
SINFO
chmod +x bin/sinfo
export PATH=$work/bin:$PATH
cat > gpus.py <<'PY'
import os

from clusterscope.cluster_info import UnifiedInfo
from clusterscope.slurm.partition import get_partition_resources

print(os.environ["GRES"], get_partition_resources("main")["max_gpus"], UnifiedInfo("main").get_total_gpus_per_node())
PY
for gres in gpu:4 gpu:a100:4 gpu:a100:4'(S:0-1)' gpu:a100-sxm4:8 gpu:1g.5gb:7 gpu:7g.80gb:1 gpu:nvidia_a100_3g.20gb:2; do
    GRES=$gres venv/bin/python gpus.py
done > seen.txt
cat seen.txt
diff seen.txt - <<'END'
gpu:4 4 8
gpu:a100:4 4 4
gpu:a100:4(S:0-1) 4 4
gpu:a100-sxm4:8 0 8
gpu:1g.5gb:7 1 7
gpu:7g.80gb:1 7 1
gpu:nvidia_a100_3g.20gb:2 0 2
END
