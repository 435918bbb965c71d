#!/usr/bin/env bash
# Packages: pandas 3.1.1, polars 2.1.0, duckdb 2.0.1, pyarrow 26.0.1 (PyPI).
# Guess: text in JSON stays text. JSON has types, and CSV has none.
# Seen: pandas.read_json makes numbers of a column of text if all of it can be read as numbers by Python's int or float: the array tasks "1234_5" and "1234_10" are 12345 and 123410, which are ids of other jobs, the steps "1234.1" and "1234.10" are one number, and the nodes "1e5" and "007" are 100000.0 and 7.0. One value that is no number keeps the whole column as it was. polars, DuckDB and pyarrow keep the text in each case; so does pandas with dtype=False.
# Why it matters: Slurm's --json and REST APIs give ids as text so that they are kept. Whether they are depends on the other rows: a pending task, "1234_[6-9]", saves all of them until it starts.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1
cd "$work"
"$work/venv/bin/python" - > seen.txt <<'PY'
import json
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.json

texts = {
    "tasks": ["1234_5", "1234_10"],
    "tasks and one that waits": ["1234_5", "1234_[6-9]"],
    "steps": ["1234.1", "1234.10"],
    "nodes": ["1e5", "007"],
}
for what, ids in texts.items():
    Path("rows.json").write_text("".join(json.dumps({"id": text}) + "\n" for text in ids))
    print(what, pandas.read_json("rows.json", lines=True)["id"].tolist())
    others = (
        pandas.read_json("rows.json", lines=True, dtype=False)["id"].tolist(),
        polars.read_ndjson("rows.json")["id"].to_list(),
        [row[0] for row in duckdb.sql("select id from read_json('rows.json')").fetchall()],
        pyarrow.json.read_json("rows.json")["id"].to_pylist(),
    )
    assert all(other == ids for other in others)
PY
cat seen.txt
diff seen.txt - <<'END'
tasks [12345, 123410]
tasks and one that waits ['1234_5', '1234_[6-9]']
steps [1234.1, 1234.1]
nodes [100000.0, 7.0]
END
