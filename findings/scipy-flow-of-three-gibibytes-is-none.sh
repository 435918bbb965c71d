#!/usr/bin/env bash
# Packages: scipy 1.17.1, numpy 2.4.6 (PyPI).
# Guess: maximum_flow takes capacities of 64-bit integers, or refuses them as it refuses floats.
# Seen: they are cut to 32 bits without a word, even with warnings as errors. A link of 3 GiB or 1 TiB carries 0; one of 2**32 + 5 bytes carries 5. Two links of 2**31 - 1 together carry 4,294,967,294: the total has 64 bits.
# Why it matters: memory in bytes is what integers are used for instead of the floats that it refuses. The larger the nodes the less flows, and "nothing can be placed" is an answer like any other.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6
venv/bin/python -W error - > seen.txt <<'PY'
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

for bytes_ in (2**30, 2**31 - 1, 3 * 2**30, 2**40, 2**32 + 5):
    link = csr_array(np.array([[0, bytes_], [0, 0]], dtype=np.int64))
    print(bytes_, [int(maximum_flow(link, 0, 1, method=method).flow_value) for method in ("dinic", "edmonds_karp")])
most = 2**31 - 1
two = csr_array(np.array([[0, most, most, 0], [0, 0, 0, most], [0, 0, 0, most], [0, 0, 0, 0]]))
print("two links:", int(maximum_flow(two, 0, 3).flow_value))
try:
    maximum_flow(csr_array(np.array([[0, 1.5], [0, 0]])), 0, 1)
except ValueError as error:
    print("floats:", error)
PY
cat seen.txt
diff seen.txt - <<'END'
1073741824 [1073741824, 1073741824]
2147483647 [2147483647, 2147483647]
3221225472 [0, 0]
1099511627776 [0, 0]
4294967301 [5, 5]
two links: 4294967294
floats: graph capacities must be integers
END
