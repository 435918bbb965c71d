"""guest/debian.sh beside another package manager, which a fresh machine starts by itself."""

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[1] / "guest" / "debian.sh"
LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)"
PACKAGE_MANAGER = """#!/bin/sh
echo "$*" >> "{calls}"
number=$(wc -l < "{calls}")
if [ "$number" -le {failing} ]; then
    echo "{said}" >&2
    exit 100
fi
"""


def installed(folder, failing, said):
    """Return what became of an installation where the first calls of apt-get fail, and these calls."""
    calls = folder / "calls"
    for name, text in {
        "apt-get": PACKAGE_MANAGER.format(calls=calls, failing=failing, said=said),
        "sudo": '#!/bin/sh\nexec "$@"\n',
        "sleep": "#!/bin/sh\n",
    }.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    path = f"{folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    done = subprocess.run(
        [SCRIPT, "one", "two"], env={"PATH": path}, capture_output=True, text=True, check=False, timeout=60
    )
    return done, [line.split("-qq ")[1] for line in calls.read_text().splitlines()]


def test_it_waits_for_another_package_manager(tmp_path):
    done, calls = installed(tmp_path, 3, LOCKED)
    assert done.returncode == 0, done.stderr
    assert calls == ["update"] * 4 + ["install -y --no-install-recommends one two"]
    assert done.stderr == "debian.sh: waiting for another package manager\n"
    assert done.stdout == ""


def test_it_tries_nothing_else_again_and_shows_why(tmp_path):
    done, calls = installed(tmp_path, 1, "E: The repository is not signed.")
    assert done.returncode == 100
    assert calls == ["update"]
    assert done.stderr == "E: The repository is not signed.\n"
