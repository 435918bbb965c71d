"""What a process may use of its machine."""

import os
import subprocess
import sys

import pytest

from offermatch import machine

PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.fixture
def groups(tmp_path):
    """Return what makes control groups from the paths and the contents of files, and gives them as arguments."""

    def make(own, **files):
        for path, content in files.items():
            file = tmp_path / "cgroup" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        (tmp_path / "own").write_text(own)
        return tmp_path / "cgroup", tmp_path / "own"

    return make


CASES = {
    "version 2, a container": ("0::/\n", {"cpu.max": "50000 100000\n", "memory.max": "1048576\n"}, 500, 2**20),
    "version 2, no limit": ("0::/job\n", {"job/cpu.max": "max 100000\n", "job/memory.max": "max\n"}, None, None),
    "version 2, the limit of a group above": (
        "0::/slurm/job/step\n",
        {"slurm/job/cpu.max": "25000 100000", "slurm/job/step/cpu.max": "max 100000", "slurm/memory.max": "4096"},
        250,
        4096,
    ),
    "version 1, a container": (
        "4:memory:/docker/1\n3:cpu,cpuacct:/docker/1\n0::/\n",
        {
            "cpu/cpu.cfs_quota_us": "10000",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "8192",
        },
        100,
        8192,
    ),
    "version 1, no limit": (
        "4:memory:/\n3:cpu:/\n",
        {
            "cpu/cpu.cfs_quota_us": "-1",
            "cpu/cpu.cfs_period_us": "100000",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
        None,
        None,
    ),
    "a group that cannot be seen": ("0::/../../other\n", {"cpu.max": "5 100000"}, 1, None),
    "a quota above what there is": ("0::/\n", {"cpu.max": "100000000 100000", "memory.max": "9" * 18}, None, None),
    "another controller": ("9:pids:/\n\n", {"pids/cpu.max": "5 100000"}, None, None),
}


@pytest.mark.parametrize(("own", "files", "millicores", "memory"), CASES.values(), ids=CASES)
def test_a_process_may_use_what_its_groups_leave(groups, own, files, millicores, memory):
    there = groups(own, **files)
    assert machine.millicores(*there) == (millicores or 1000 * len(os.sched_getaffinity(0)))
    assert machine.memory(*there) == (memory or PHYSICAL)


def test_no_groups_are_no_limit(tmp_path):
    assert machine.millicores(tmp_path, tmp_path / "none") == 1000 * len(os.sched_getaffinity(0))
    assert machine.memory(tmp_path, tmp_path / "none") == PHYSICAL


def test_a_process_that_is_bound_to_one_processor_has_one():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from offermatch import machine; "
        "print(machine.millicores() <= 1000, machine.threads())"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "1"]
