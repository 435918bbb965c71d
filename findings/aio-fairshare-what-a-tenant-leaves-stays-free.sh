#!/usr/bin/env bash
# Packages: aio-fairshare 0.2.1 (PyPI).
# Guess: of 10 slots, two tenants have five each, and when one of them has finished, the other "can now use all 10 tabs again", as the documentation has it.
# Seen: the one that stays has 7 from then on, with 100 tasks that wait, for as long as it has any. Each slot that is given back wakes one task that waits, and so does a tenant that leaves, however many slots it frees for the other: one task for the slot and one for the leaving. Of three tenants, from 3 slots, it is 7, too, when two have left. One that begins alone has 10.
# Why it matters: the pool is never full again until the queue is empty, and a count of slots shows free ones beside tasks that wait.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aio-fairshare==0.2.1
venv/bin/python - > seen.txt <<'PY'
import asyncio

from aio_fairshare import FairShareSemaphore


async def settle():
    for _ in range(200):
        await asyncio.sleep(0)


async def shares(others):
    semaphore = FairShareSemaphore(max_slots=10)
    leave = asyncio.Event()
    ends = []

    async def other(name):
        async with semaphore.tenant(name), semaphore.acquire():
            await leave.wait()

    async def task():
        end = asyncio.Event()
        async with semaphore.acquire("stays"):
            ends.append(end)
            await end.wait()
            ends.remove(end)

    await semaphore.register_tenant("stays")
    leaving = [asyncio.create_task(other(f"leaves {number}")) for number in range(others)]
    await settle()
    tasks = [asyncio.create_task(task()) for _ in range(100)]
    await settle()
    seen = [len(ends)]
    leave.set()
    await asyncio.gather(*leaving)
    for _ in range(5):
        await settle()
        seen.append(len(ends))
        for end in list(ends):
            end.set()
    for one in tasks:
        one.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seen


for others in (0, 1, 2):
    seen = asyncio.run(shares(others))
    print(f"with {others} others {seen[0]}, after they left {seen[1:]}")
PY
cat seen.txt
diff seen.txt - <<'END'
with 0 others 10, after they left [10, 10, 10, 10, 10]
with 1 others 5, after they left [7, 7, 7, 7, 7]
with 2 others 3, after they left [7, 7, 7, 7, 7]
END
