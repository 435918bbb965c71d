#!/usr/bin/env bash
# Packages: parallel 20221122+ds-2 (Debian 12), with Perl from the machine.
# Guess: --memfree 900TB starts no job on a machine with less, as --memfree 900T does, or is refused, as --timeout 1:30 is; --memfree 1e6 waits for a megabyte.
# Seen: with a B at its end, any amount is no limit: the jobs run, with exit status 0 and a line of Perl's on the standard error. 1e6 is no megabyte but more than 10^19 bytes, as the e is read as exa and the 6 is put behind it; no job is ever started.
# Why it matters: the option is there so that jobs do not run a machine out of memory. Written as Slurm, Docker and most file sizes have it, with GB, it is off; written as a number in a script of Python or awk would print it, nothing runs.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq parallel=20221122+ds-2 2> /dev/null
dpkg -x parallel_*.deb unpacked
mkdir home
touch home/will-cite
export PARALLEL_HOME=$work/home HOME=$work

run() {
    status=0
    out=$(timeout 6 unpacked/usr/bin/parallel "$@" 2> errors) || status=$?
    echo "$1 $2: ${out:-nothing in six seconds}, exit status $status, $(grep -m 1 -o '^Bareword found' errors || echo no message)"
}
for amount in 900T 900Ti 900TB 900TiB 1M 1000000 1e6; do run --memfree "$amount" echo ran ::: 1; done > seen.txt
cat seen.txt
diff seen.txt - <<'END'
--memfree 900T: nothing in six seconds, exit status 124, no message
--memfree 900Ti: nothing in six seconds, exit status 124, no message
--memfree 900TB: ran 1, exit status 0, Bareword found
--memfree 900TiB: ran 1, exit status 0, Bareword found
--memfree 1M: ran 1, exit status 0, no message
--memfree 1000000: ran 1, exit status 0, no message
--memfree 1e6: nothing in six seconds, exit status 124, no message
END
