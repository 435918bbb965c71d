#!/usr/bin/env python3
"""offermatch where nothing is installed: the README's commands, by copy and paste, on Debian fresh from debootstrap.

    debootstrap ──> folder ──> chroot ──┬─ wheel: its blocks of installing, Python and the scheduler; no compiler is there
                                        └─ checkout: `make run`, with this machine's rustup beside it
    other Pythons ──> virtual environment ──> the same blocks

Each run makes its systems anew, in a folder outside of the repository, and prints what a newcomer would see. What is
mounted in them is mounted for their processes only. It takes root, and `make wheel` before.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MIRROR = "http://deb.debian.org/debian"
SYSTEMS = {"bookworm": "3.11", "trixie": "3.13", "forky": "3.14"}
"""Debian's releases, each with the Python that is tried on it."""
CHECKOUTS = ("bookworm", "trixie")
"""Those on which a checkout is built."""

HOME = "/srv"
"""The newcomer's."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HANDED_ON = ("http_proxy", "https_proxy", "no_proxy", "PIP_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "CARGO_HTTP_CAINFO")


THREADS = """\
import sys
from concurrent.futures import ThreadPoolExecutor

import offermatch.scheduler
from offermatch import Matcher, Offer, ReferenceMatcher, Task

tasks = [Task(f"task-{at}", {"cpu": 1 + at % 7, "memory": 1 + at % 5}) for at in range(60)]
offers = [Offer(f"offer-{at}", {"cpu": 4 + at % 5, "memory": 4 + at % 3}) for at in range(50)]
right, matcher = ReferenceMatcher().match(tasks, offers).assignments, Matcher.load()
with ThreadPoolExecutor(8) as threads:
    answers = list(threads.map(lambda _: matcher.match(tasks, offers).assignments, range(400)))
assert all(answer == right for answer in answers)
assert not sys._is_gil_enabled(), "something has turned the global lock on"
print(f"{len(answers)} calls of eight threads without a global lock were answered as the reference answers")
"""
"""Matches on several threads at once, where no lock keeps them apart."""


class FailedError(Exception):
    """A newcomer would stand there."""


def blocks(language: str) -> list[str]:
    """Return the README's code blocks in a language; of a console, what is typed."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return [typed(block) for block in found] if language == "console" else found


def typed(block: str) -> str:
    """Return the commands of a console block, each with the document that is typed into it."""
    lines, inside = [], ""
    for line in block.splitlines():
        if inside or line.startswith("$ "):
            lines.append(line.removeprefix("$ "))
            begins = re.search(r"<<'(\w+)'$", line)
            inside = begins[1] if begins else "" if line == inside else inside
    return "\n".join(lines) + "\n"


def named(wanted: str) -> str:
    """Return the console block that has a command."""
    return next(block for block in blocks("console") if wanted in block)


def newcomer(python: str) -> str:
    """Return what a newcomer with a wheel types: three blocks of the README, one after the other."""
    installing = named("pip install offermatch\n").replace("python3 ", f"{python} ", 1)
    example = f"cat > example.py <<'END'\n{blocks('python')[0]}END\npython example.py | tee example.txt\n"
    scheduling = named("offermatch submit tasks.json") + "offermatch tasks list > tasks.txt\n"
    seen = "grep -q \"task='render-1', offer='server-2'\" example.txt\ngrep -q ' 2 done  0 failed' tasks.txt\n"
    return (
        installing
        + "python --version\n"
        + example
        + scheduling
        + "if command -v cargo rustc cc gcc; then exit 1; fi\n"
        + seen
    )


def spoken(script: str) -> str:
    """Return a script that ends where one of its commands fails, and prints each before it is run."""
    said, command, inside = "set -e\n", "", ""
    for line in script.splitlines(keepends=True):
        command += line
        begins = re.search(r"<<'(\w+)'$", line)
        inside = begins[1] if begins else "" if line.strip() == inside else inside
        if not inside:
            said += f"cat <<'SHOWN'\n$ {command}SHOWN\n{command}"
            command = ""
    return said


def shown(command: list[str], script: str, place: Path, environment: dict[str, str]) -> None:
    """Run a script; raise where it fails."""
    sys.stdout.flush()
    done = subprocess.run(
        command, check=False, input=script, cwd=place, env=environment, text=True, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise FailedError(f"exit code {done.returncode}")


class System:
    """A Debian of its own.

    Attributes:
        root: The folder that it lies in.
    """

    def __init__(self, release: str, folder: Path) -> None:
        """Make it, with nothing in it but what every Debian has, and the trust in certificates that this machine has."""
        self.root = folder / release
        self._release = release
        shutil.rmtree(self.root, ignore_errors=True)
        print(f"\n======== Debian {release}: debootstrap into {self.root}", flush=True)
        make = [
            "debootstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            release,
            str(self.root),
            MIRROR,
            self._script(),
        ]
        log = folder / f"{release}.log"
        with log.open("w") as said:
            if subprocess.run(make, check=False, stdout=said, stderr=said).returncode:
                raise FailedError(f"debootstrap failed: {log}")
        for file in ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt"):
            shutil.copy(file, f"{self.root}{file}")
        if release in {"bookworm", "trixie"}:
            with (self.root / "etc/apt/sources.list").open("a") as sources:
                sources.write(f"deb {MIRROR}-security {release}-security main\n")
        # A mirror of testing that lags behind has an index beyond its date.
        settings = 'APT::Install-Recommends "false";\nDpkg::Use-Pty "0";\nAcquire::Check-Valid-Until "false";\n'
        (self.root / "etc/apt/apt.conf.d/99bare").write_text(settings)

    def _script(self) -> str:
        """Return how debootstrap makes the release: as it makes the unstable one, where it is older than the release."""
        known = Path("/usr/share/debootstrap/scripts", self._release)
        return str(known if known.exists() else known.with_name("sid"))

    def install(self, *packages: str) -> None:
        """Install Debian packages, without a word."""
        quiet = f"apt-get update -qq && apt-get install -qq -y {' '.join(packages)}"
        self.run(f"({quiet}) > /var/log/install.log 2>&1 || (cat /var/log/install.log; exit 1)\n")

    def run(self, script: str, folder: str = HOME, **more: str) -> None:
        """Run commands in it, in a namespace of mounts that ends with it."""
        mounts = [f"mount --rbind /dev {self.root}/dev", f"mount -t proc proc {self.root}/proc"]
        for name in (".cargo", ".rustup") if more.get("CARGO_HOME") else ():
            (self.root / HOME[1:] / name).mkdir(exist_ok=True)
            mounts.append(f"mount --bind {Path.home() / name} {self.root}{HOME}/{name}")
        inside = f"exec chroot {self.root} /bin/bash -c 'mkdir -p {folder} && cd {folder} && exec bash -s'"
        namespace = ["unshare", "--mount", "--propagation", "private", "bash", "-ec", "\n".join([*mounts, inside])]
        handed = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        environment = {
            "PATH": PATH,
            "HOME": HOME,
            "LANG": "C.UTF-8",
            "DEBIAN_FRONTEND": "noninteractive",
            **handed,
            **more,
        }
        shown(namespace, spoken(script), self.root, environment)


def from_the_wheel(system: System, version: str) -> None:
    """Try the wheel on a Debian, with the one package that its Python lacks for virtual environments."""
    python = f"python{version}"
    system.install(python, f"{python}-venv")
    wheels(system.root)
    system.run(newcomer(python), PIP_FIND_LINKS="/wheels", PIP_ROOT_USER_ACTION="ignore")


def free_threaded(system: System) -> None:
    """Try the wheel on a Python without the global lock, which is built from Debian's sources."""
    release = system.root.name
    version = SYSTEMS[release]
    print(f"\n======== Python {version}, free-threaded, built from Debian's sources (some minutes)", flush=True)
    (system.root / "etc/apt/sources.list.d/source.list").write_text(f"deb-src {MIRROR} {release} main\n")
    system.install(
        "gcc",
        "libc6-dev",
        "make",
        "dpkg-dev",
        "zlib1g-dev",
        "libssl-dev",
        "libffi-dev",
        "libsqlite3-dev",
        "liblzma-dev",
        "libbz2-dev",
    )
    system.run(
        f"(cd /usr/src && apt-get source -qq --download-only python{version}) > /var/log/source.log 2>&1 "
        "|| (cat /var/log/source.log; exit 1)\n"
        f"(cd /usr/src && tar --extract --file python{version}_*.orig.tar.xz)\n"
        "(cd /usr/src/Python-*/ && ./configure --disable-gil --prefix=/opt/python) > /var/log/configure.log\n"
        'make -C /usr/src/Python-*/ -j"$(nproc)" install > /var/log/python.log 2>&1 || (tail /var/log/python.log; exit 1)\n'
        "(apt-get purge -qq -y gcc make dpkg-dev && apt-get autoremove -qq -y) > /dev/null 2>&1\n"
    )
    threads = f"cat > threads.py <<'END'\n{THREADS}END\npython threads.py\n"
    script = newcomer("/opt/python/bin/python3") + threads
    system.run(script, f"{HOME}/free-threaded", PIP_FIND_LINKS="/wheels", PIP_ROOT_USER_ACTION="ignore")


def from_a_checkout(system: System) -> None:
    """Try README's first command on a Debian with git, make, a C compiler, Python, and this machine's rustup."""
    print(f"\n======== Debian {system.root.name}: make run in a checkout, with this machine's rustup", flush=True)
    system.install("build-essential", "git", "python3")
    clone = system.root / HOME[1:] / "offermatch"
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
    system.run(
        "make run\n",
        f"{HOME}/offermatch",
        CARGO_HOME=f"{HOME}/.cargo",
        RUSTUP_HOME=f"{HOME}/.rustup",
        PATH=f"{HOME}/.cargo/bin:{PATH}",
    )


def wheels(root: Path) -> None:
    """Put the wheel where pip looks for one, in the place of a registry."""
    (root / "wheels").mkdir(exist_ok=True)
    built = sorted((ROOT / "target" / "wheel").glob("*.whl"))
    if len(built) != 1:
        raise FailedError("there is no wheel: run `make wheel`")
    shutil.copy(built[0], root / "wheels")


def elsewhere(python: str, folder: Path) -> None:
    """Try the wheel on a Python of this machine, with nothing else of it on the path."""
    print(f"\n======== {python}, in a virtual environment", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        wheels(Path(place))
        tools = Path(place, "bin")
        tools.mkdir()
        for tool in ("bash", "cat", "grep", "tee", "uname"):
            (tools / tool).symlink_to(shutil.which(tool) or tool)
        handed = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        environment = {"PATH": str(tools), "HOME": place, "LANG": "C.UTF-8", "PIP_FIND_LINKS": f"{place}/wheels", **handed}
        shown(["/bin/bash", "-s"], spoken(newcomer(python)), Path(place), environment)


def main() -> int:
    """Try what is asked for, and say of each whether it works."""
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("systems", nargs="*", metavar="RELEASE", help=f"of {', '.join(SYSTEMS)}; otherwise all")
    reader.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir(), "offermatch-bare"), help="where they are made"
    )
    reader.add_argument("--python", action="append", default=[], metavar="PATH", help="a Python of this machine, too")
    reader.add_argument("--wheel-only", action="store_true", help="no checkout is built")
    reader.add_argument(
        "--free-threaded", metavar="RELEASE", help="of whose Python a free-threaded one is built, too: Debian has none"
    )
    options = reader.parse_args()
    if os.geteuid() != 0:
        reader.error("a system is made and entered by root only")
    if shutil.which("debootstrap") is None:
        apt = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-qq"]
        subprocess.run([*apt, "update"], check=True)
        subprocess.run([*apt, "install", "-y", "--no-install-recommends", "debootstrap"], check=True)
    options.folder.mkdir(parents=True, exist_ok=True)
    seen: dict[str, str] = {}

    def tried(name: str, attempt: object, *arguments: object) -> None:
        try:
            attempt(*arguments)  # type: ignore[operator]
        except FailedError as error:
            seen[name] = f"FAILS: {error}"
        else:
            seen[name] = "works"

    for release in options.systems or ([] if options.python else SYSTEMS):
        version = SYSTEMS[release]
        system = System(release, options.folder)
        tried(f"Debian {release}, Python {version}: the wheel", from_the_wheel, system, version)
        if options.free_threaded == release:
            tried(f"Python {version}, free-threaded: the wheel", free_threaded, system)
        if not options.wheel_only and release in CHECKOUTS:
            tried(f"Debian {release}: make run", from_a_checkout, system)
        shutil.rmtree(system.root)
    for python in options.python:
        tried(f"{python}: the wheel", elsewhere, python, options.folder)
    print("\n======== what was seen")
    for name, outcome in seen.items():
        print(f"{outcome:6} {name}")
    return int(any(outcome != "works" for outcome in seen.values()))


if __name__ == "__main__":
    sys.exit(main())
