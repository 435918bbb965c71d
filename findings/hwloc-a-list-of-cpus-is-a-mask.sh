#!/usr/bin/env bash
# Packages: hwloc 2.9.0-1, libhwloc15 2.9.0-1 (Debian 12).
# Guess: hwloc-calc reads 0,2 as the list of CPUs that taskset -c, numactl -C and a cpuset write so, or refuses it as it does 0-3.
# Seen: 0,2 is CPU 1. On a machine of 16 CPUs, 4,5 are CPUs 0 and 2, and 10,12 are 1 and 4. Each number between commas is a word of 32 bits of a mask, in hexadecimal, and the last comes first. What is no mask, as 3 and 0-3, is left out with a line on the standard error and exit status 0, and the set is empty.
# Why it matters: hwloc-bind takes the same texts. The CPUs that a kubelet or a cgroup has given to a job, handed on to it, bind the job to those of another, and only if the list has commas and no range.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq hwloc=2.9.0-1 libhwloc15=2.9.0-1 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
LD_LIBRARY_PATH=$(echo "$work"/unpacked/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH

# A machine of eight cores with two CPUs each.
calc() { unpacked/usr/bin/hwloc-calc "$@" 2> /dev/null < /dev/null; }
for text in 0,2 4,5 10,12 3 0-3 pu:2; do
    mask=$(calc --input 'numa:1 core:8 pu:2' "$text")
    cpus=$(calc --input 'numa:1 core:8 pu:2' --physical-output --intersect pu "$text")
    echo "$text | $mask | CPUs: ${cpus:-none}"
done > seen.txt
cat seen.txt
diff seen.txt - <<'END'
0,2 | 0x00000002 | CPUs: 1
4,5 | 0x00000004,0x00000005 | CPUs: 0,2
10,12 | 0x00000010,0x00000012 | CPUs: 1,4
3 | 0x0 | CPUs: none
0-3 | 0x0 | CPUs: none
pu:2 | 0x00000004 | CPUs: 2
END
