"""Podman engines for the tests: each a service of its own, with a storage of its own and one small image."""

import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

IMAGE = "localhost/offermatch-test:latest"

_SETTINGS = """
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


class Podman:
    """One engine.

    Attributes:
        address: Where it listens.
    """

    def __init__(self, folder):
        self.folder = folder
        self.address = f"unix://{folder}/podman.sock"
        places = [f"--{name}={folder}/{name}" for name in ("root", "runroot", "tmpdir")]
        self._command = ["podman", *places, "--storage-driver=vfs"]
        (folder / "containers.conf").write_text(_SETTINGS)
        self._environment = {**os.environ, "CONTAINERS_CONF": str(folder / "containers.conf")}
        self._service = None

    def run(self, *arguments):
        """Return what a command of podman prints."""
        ran = subprocess.run([*self._command, *arguments], env=self._environment, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout.decode()

    def start(self):
        """Let it listen."""
        command = [*self._command, "system", "service", "--time=0", self.address]
        # A container that ran out of memory leaves a file where its engine was started.
        self._service = subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL, cwd=self.folder)
        deadline = time.monotonic() + 60
        while not (self.folder / "podman.sock").exists():
            assert self._service.poll() is None, "podman does not start"
            assert time.monotonic() < deadline, "podman does not listen"
            time.sleep(0.02)

    def stop(self):
        """Let it listen no more; containers go on."""
        self._service.terminate()
        self._service.wait()
        (self.folder / "podman.sock").unlink(missing_ok=True)

    def clear(self):
        """Remove all containers and volumes."""
        self.run("rm", "--all", "--force", "--time=0")
        self.run("volume", "prune", "--force")


def missing():
    """Return why there is no engine here; empty where there is one."""
    absent = [name for name in ("podman", "runc", "busybox") if shutil.which(name) is None]
    if absent:
        return f"{', '.join(absent)} missing; python-host/podman.sh installs Debian's"
    if os.geteuid() != 0:
        return "Podman without root needs user namespaces, which these tests do not set up"
    return ""


@contextmanager
def podmans(count):
    """Run engines, and remove all of theirs after."""
    # A path of a socket has about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="pm-") as folder:
        engines = []
        try:
            for number in range(count):
                place = Path(folder, str(number))
                place.mkdir()
                engine = Podman(place)
                subprocess.run(
                    [*engine._command, "import", _image(Path(folder)), IMAGE], env=engine._environment, check=True
                )
                engine.start()
                engines.append(engine)
            yield engines
        finally:
            for engine in engines:
                engine.clear()
                engine.stop()


def _image(folder):
    """Return a tar file with busybox and nothing else."""
    found = folder / "image.tar"
    if not found.exists():
        with tarfile.open(found, "w") as image:
            image.add(shutil.which("busybox"), "bin/busybox")
            for name in ("sh", "sleep", "true", "cat", "env", "head", "tail", "dd"):
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                image.addfile(link)
    return str(found)
