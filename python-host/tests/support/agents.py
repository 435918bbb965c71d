"""Agents as processes of their own, as ``offermatch agent`` starts them."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

from offermatch.scheduler.cluster.process.supervised import LOCK


def started(*arguments, **environment):
    """Start an agent on a free port unless told; return its process and its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "offermatch", "agent", "--listen", "127.0.0.1:0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    line = process.stderr.readline()
    found = re.search(r"listens on (\S+)", line)
    assert found, line + process.stderr.read()
    return process, found[1]


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    process.stderr.close()


@contextmanager
def agent(directory, cpu, *arguments, **environment):
    """Run an agent that is named as its directory; give its process and its URL."""
    process, url = started("--directory", str(directory), "--name", directory.name, "--cpu", cpu, *arguments, **environment)
    try:
        yield process, url
    finally:
        if process.poll() is None:
            stop(process)
        process.stderr.close()


def kill_server(process, directory):
    """Kill an agent and the commands that run there, as a server does that goes away."""
    process.kill()
    process.wait(60)
    for lock in directory.glob(f"runs/*/{LOCK}"):
        if not lock.with_name("outcome.json").exists():
            number = int(lock.read_text())
            assert number > 0, "its supervisor has not begun"
            # Its command dies with it.
            os.kill(number, signal.SIGKILL)
