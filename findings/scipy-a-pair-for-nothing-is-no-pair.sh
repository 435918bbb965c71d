#!/usr/bin/env bash
# Packages: scipy 1.17.1, numpy 2.4.6, networkx 3.6.1 (PyPI).
# Guess: min_weight_full_bipartite_matching and linear_sum_assignment of scipy find matchings of the same total for the same costs.
# Seen: to the first a pair that costs 0 is a pair that may not be. It takes pairs of 1 and 2 where two of 0 are there, and has no full matching if one row has a single choice that costs nothing. No warning is given if the zeros were left out as the sparse array was made from a dense one. networkx keeps them.
# Why it matters: a node that has the data, or just the size, costs nothing. The best place for a task is the only one that it does not get.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check scipy==1.17.1 numpy==2.4.6 networkx==3.6.1
venv/bin/python -W error - > seen.txt <<'PY'
import networkx as nx
import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching


def by_networkx(costs):
    graph = nx.Graph()
    graph.add_weighted_edges_from((f"task{row}", f"node{column}", cost) for (row, column), cost in np.ndenumerate(costs))
    pairs = nx.bipartite.minimum_weight_full_matching(graph, [f"task{row}" for row in range(len(costs))])
    return sum(int(graph[task][node]["weight"]) for task, node in pairs.items() if task.startswith("task"))


for costs in (np.array([[0, 1], [2, 0]]), np.array([[0, 1], [0, 3]])):
    try:
        sparse = int(costs[min_weight_full_bipartite_matching(csr_array(costs))].sum())
    except ValueError as error:
        sparse = str(error)
    dense = int(costs[linear_sum_assignment(costs)].sum())
    print(costs.tolist(), "sparse:", sparse, "| dense:", dense, "| networkx:", by_networkx(costs))
PY
cat seen.txt
diff seen.txt - <<'END'
[[0, 1], [2, 0]] sparse: 3 | dense: 0 | networkx: 0
[[0, 1], [0, 3]] sparse: no full matching exists | dense: 1 | networkx: 1
END
