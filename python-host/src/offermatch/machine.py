"""What this process may use of its machine: processors and memory, as affinity and control groups leave them.

A job of Slurm, a container or a service of systemd often has a part of its machine only, of which ``os.cpu_count`` and the
amount of memory say nothing.

Source: sched_getaffinity(2); the kernel's documentation of control groups, versions 2 (``cpu.max``, ``memory.max``) and 1
(``cpu.cfs_quota_us``, ``cpu.cfs_period_us``, ``memory.limit_in_bytes``).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ["memory", "millicores", "threads"]

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def millicores(cgroups: Path = _CGROUPS, own: Path = _OWN) -> int:
    """Return how much of its processors this process may use, in thousandths of one, at least 1.

    Args:
        cgroups: Where control groups are mounted.
        own: The file that says in which of them this process is.
    """
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        count = os.cpu_count() or 1
    found = [1000 * count]
    for group in _groups("cpu", cgroups, own):
        for written in (_read(group, "cpu.max"), _read(group, "cpu.cfs_quota_us", "cpu.cfs_period_us")):
            quota, period = written if len(written) == 2 else (0, 0)
            if quota > 0 and period > 0:
                found.append(1000 * quota // period)
    return max(1, min(found))


def threads() -> int:
    """Return how many threads this process can run at once, at least 1."""
    return max(1, millicores() // 1000)


def memory(cgroups: Path = _CGROUPS, own: Path = _OWN) -> int:
    """Return how many bytes of memory this process may use, 0 where the system does not say. See ``millicores``."""
    found = []
    with suppress(ValueError, OSError, AttributeError):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for group in _groups("memory", cgroups, own):
        found += [limit for limit in _read(group, "memory.max", "memory.limit_in_bytes") if limit > 0]
    return min(found, default=0)


def _groups(controller: str, cgroups: Path, own: Path) -> Iterator[Path]:
    """Yield the control groups that limit this process."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = (*line.split(":", 2), "", "")[:3]
        if number == "0":
            group = cgroups
        elif controller in controllers.split(","):
            group = cgroups / controller
        else:
            continue
        yield group
        # Seen from inside a container these may be names outside of it; its own group is then the root.
        for part in path.strip("/").split("/"):
            group /= part
            if part == "..":
                break
            yield group


def _read(group: Path, *files: str) -> list[int]:
    """Return the numbers in some files of a group; -1 for what is no limit."""
    found: list[int] = []
    for file in files:
        with suppress(OSError):
            found += [int(word) if word.isdigit() else -1 for word in (group / file).read_text().split()]
    return found
