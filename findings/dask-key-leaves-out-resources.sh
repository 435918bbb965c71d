#!/usr/bin/env bash
# Packages: distributed 2026.8.0 (PyPI).
# Guess: submit(f, 1, resources={"GPU": 1}) and submit(f, 1) are two tasks; the second runs anywhere.
# Seen: they have one key, made of the function and its arguments only, so the second call gives the first one's future. After a submission that no worker can serve (a misspelt "gpu"), the corrected one waits with it for ever. With pure=False they are two.
# Why it matters: a demand that is corrected and sent again has no effect, and nothing says that the new one was not looked at.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check distributed==2026.8.0 dask==2026.8.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import time

from distributed import Client, LocalCluster


def work(number):
    return number


if __name__ == "__main__":
    with LocalCluster(n_workers=1, processes=False, resources={"GPU": 1}, dashboard_address=None) as cluster, Client(cluster) as client:
        misspelt = client.submit(work, 1, resources={"gpu": 1})
        corrected = client.submit(work, 1, resources={"GPU": 1})
        plain = client.submit(work, 1)
        apart = client.submit(work, 1, resources={"GPU": 1}, pure=False)
        answer = apart.result(timeout=30)
        time.sleep(1)
        seen = misspelt.key == corrected.key == plain.key, corrected.status, plain.status
        print("one key, corrected, plain:", seen, "| pure=False:", answer)
        misspelt.cancel()
    assert seen == (True, "pending", "pending")
    assert answer == 1
PY
