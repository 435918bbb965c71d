#!/usr/bin/env bash
# Packages: dask and distributed 2026.8.0 with numpy 2.4.6, pandas 3.1.1, pyarrow 26.0.1 (PyPI).
# Guess: collections that are made under dask.annotate(resources={"GPU": 1}) ask for a GPU, or with optimize_graph=False do so at the latest, as the documentation of worker resources shows it for a data frame.
# Seen: delayed calls ask for it either way. Arrays and bags ask for nothing, and ask for a GPU with optimize_graph=False. Data frames ask for nothing either way. compute(..., resources={"GPU": 1}) asks for all of them.
# Why it matters: the tasks run on workers without a GPU, and any number of them at a time on a worker that has one. There is no message.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check dask==2026.8.0 distributed==2026.8.0 numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1
cat > ask.py <<'PY'
import logging

import dask
import dask.array
import dask.bag
import dask.dataframe
import pandas
from distributed import Client, LocalCluster, futures_of, wait

logging.disable(logging.CRITICAL)


def raised(value):
    return value + 1


def delayed():
    return dask.delayed(raised)(1)


def array():
    return dask.array.ones(4, chunks=2).map_blocks(raised)


def bag():
    return dask.bag.from_sequence([1, 2]).map(raised)


def frame():
    return dask.dataframe.from_pandas(pandas.DataFrame({"a": [1, 2]}), npartitions=2).map_partitions(raised)


def asked(collection, **options):
    """The resources that a scheduler of its own was asked for, over all tasks of a collection."""
    with LocalCluster(n_workers=1, processes=False, dashboard_address=None, resources={"GPU": 1}) as cluster, Client(cluster) as client:
        futures = client.compute(collection, **options)
        wait(futures_of(futures), timeout=60)
        return {name: amount for task in cluster.scheduler.tasks.values() for name, amount in (task.resource_restrictions or {}).items()}


if __name__ == "__main__":
    for make in (delayed, array, bag, frame):
        with dask.annotate(resources={"GPU": 1}):
            collection = make()
        plain, whole, named = asked(collection), asked(collection, optimize_graph=False), asked(make(), resources={"GPU": 1})
        print(make.__name__, plain, "| optimize_graph=False:", whole, "| resources=:", named)
PY
venv/bin/python ask.py 2> log.txt > seen.txt || { cat log.txt; exit 1; }
cat seen.txt
diff seen.txt - <<'END'
delayed {'GPU': 1} | optimize_graph=False: {'GPU': 1} | resources=: {'GPU': 1}
array {} | optimize_graph=False: {'GPU': 1} | resources=: {'GPU': 1}
bag {} | optimize_graph=False: {'GPU': 1} | resources=: {'GPU': 1}
frame {} | optimize_graph=False: {} | resources=: {'GPU': 1}
END
