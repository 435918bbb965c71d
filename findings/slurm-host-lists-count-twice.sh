#!/usr/bin/env bash
# Packages: slurm-client 22.05.8-4+deb12u3 (Debian 12), python-hostlist 2.3.0, ClusterShell 1.10.1 (PyPI).
# Guess: the three readers of Slurm's host lists give the same nodes for the same text.
# Seen: n[1-2,2] is three names for Slurm (n1 n2 n2) and two for the others; Slurm's own folding keeps the double as n[1-2,2]. n[1-03] is n1 n2 n3 for Slurm and python-hostlist, and an error in ClusterShell. n[1-10/3] is four nodes for ClusterShell and an error for the others.
# Why it matters: a node that is named twice is two offers of the same machine, and its capacity is counted double.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq slurm-client=22.05.8-4+deb12u3 slurm-wlm-basic-plugins=22.05.8-4+deb12u3 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check python-hostlist==2.3.0 ClusterShell==1.10.1
libraries=$(echo "$work"/unpacked/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=$libraries:$libraries/slurm-wlm SLURM_CONF=$work/slurm.conf
printf 'ClusterName=c\nSlurmctldHost=localhost\nPluginDir=%s/slurm-wlm\n' "$libraries" > slurm.conf

slurm() { unpacked/usr/bin/scontrol show hostnames "$1" 2> /dev/null | xargs; }
for text in 'n[1-2,2]' 'n[1-03]' 'n[1-10/3]'; do
    echo "$text | Slurm: $(slurm "$text" || echo error)"
done
[ "$(slurm 'n[1-2,2]')" = "n1 n2 n2" ]
[ "$(unpacked/usr/bin/scontrol show hostlistsorted n2,n1,n2)" = "n[1-2,2]" ]
[ "$(slurm 'n[1-03]')" = "n1 n2 n3" ]
[ -z "$(slurm 'n[1-10/3]')" ]
venv/bin/python - <<'PY'
import hostlist
from ClusterShell.NodeSet import NodeSet


def outcome(reader, text):
    try:
        return list(reader(text))
    except Exception as error:
        return type(error).__name__


seen = {text: [outcome(hostlist.expand_hostlist, text), outcome(NodeSet, text)] for text in ("n[1-2,2]", "n[1-03]", "n[1-10/3]")}
for text, answers in seen.items():
    print(text, "| python-hostlist:", answers[0], "| ClusterShell:", answers[1])
assert seen["n[1-2,2]"] == [["n1", "n2"], ["n1", "n2"]]
assert seen["n[1-03]"] == [["n1", "n2", "n3"], "NodeSetParseRangeError"]
assert seen["n[1-10/3]"] == ["BadHostlist", ["n1", "n4", "n7", "n10"]]
PY
