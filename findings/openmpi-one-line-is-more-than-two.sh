#!/usr/bin/env bash
# Packages: openmpi-bin 4.1.4-3+b1 and mpich 4.0.2-3+b1 (Debian 12).
# Guess: a host that a host file names once has one slot, as one that it names twice has two, and as --host on the command line has it.
# Seen: for Open MPI a host that the file names once has as many slots as it has cores: on a machine of eight cores, one line is eight processes, two lines are two, three are three. On the command line one name is one. MPICH starts one process for each line.
# Why it matters: the node file of PBS names each node once for each process. A job with one process on a node starts as many as there are cores, a job with two starts two.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -qq openmpi-bin=4.1.4-3+b1 libopenmpi3=4.1.4-3+b1 openmpi-common mpich=4.0.2-3+b1 \
    libpmix2 libhwloc15 libevent-core-2.1-7 libevent-pthreads-2.1-7 libmunge2 libslurm38 2> /dev/null
for package in *.deb; do dpkg -x "$package" unpacked; done
libraries=$(echo "$work"/unpacked/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=$libraries:$libraries/openmpi/lib:$libraries/pmix2/lib PATH=$work/unpacked/usr/bin:$PATH
export OPAL_LIBDIR=$libraries/openmpi/lib OPAL_BINDIR=$work/unpacked/usr/bin OPAL_PKGDATADIR=$work/unpacked/usr/share/openmpi
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

openmpi() {
    HWLOC_SYNTHETIC="pack:1 core:8 pu:1" mpirun.openmpi --mca pcompress ^zlib --bind-to none "$@" echo started 2> log.txt | grep -c started || true
}
mpich() { mpirun.mpich "$@" echo started 2> log.txt | grep -c started || true; }
hosts=()
for lines in 1 2 3; do
    hosts+=(localhost)
    printf '%s\n' "${hosts[@]}" > hosts.txt
    echo "named $lines times: Open MPI $(openmpi --hostfile hosts.txt), its command line $(openmpi --host "$(IFS=,; echo "${hosts[*]}")"), MPICH $(mpich -f hosts.txt)"
done | tee seen.txt
diff seen.txt - <<'END'
named 1 times: Open MPI 8, its command line 1, MPICH 1
named 2 times: Open MPI 2, its command line 2, MPICH 2
named 3 times: Open MPI 3, its command line 3, MPICH 3
END
