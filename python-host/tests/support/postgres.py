"""A PostgreSQL server of the tests' own: in a folder of its own, behind a socket in it, and gone afterwards."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest


class PostgreSQL:
    """A server that can be stopped and started."""

    def __init__(self):
        self._bin = _binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="offermatch-pg-"))
        # PostgreSQL does not run as root.
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._as:
            shutil.chown(self.folder, "postgres")
        self._run(
            "initdb", "--pgdata", self.folder / "data", "--auth=trust", "--username=tests", "--no-sync", "--encoding=UTF8"
        )
        self.start()
        self.sql("CREATE DATABASE store", "postgres")

    def _run(self, program, *arguments):
        command = [*self._as, str(self._bin / program), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self):
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=60"
        log = self.folder / "log"
        self._run("pg_ctl", "start", "--wait", "--pgdata", self.folder / "data", "--options", options, "--log", log)

    def stop(self):
        self._run("pg_ctl", "stop", "--wait", "--pgdata", self.folder / "data", "--mode", "immediate")

    def sql(self, text, database="store"):
        arguments = ("--host", self.folder, "--username=tests", f"--dbname={database}", "--quiet", "--command", text)
        return self._run("psql", *arguments)

    def database(self):
        """Return the address of the one database, emptied: making and removing one for each test takes far longer."""
        self.cut_off()
        self.sql("SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        return f"postgresql://tests@/store?host={self.folder}"

    def cut_off(self):
        """End every connection to the store."""
        self.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'store'", "postgres")

    def close(self):
        self.stop()
        shutil.rmtree(self.folder)


def _binaries():
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    if initdb is None:
        pytest.fail("there is no PostgreSQL: run 'make postgresql'")
    return Path(initdb).resolve().parent
