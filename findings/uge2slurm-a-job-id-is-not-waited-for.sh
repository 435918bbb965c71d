#!/usr/bin/env bash
# Packages: uge2slurm 0.1.3 (PyPI).
# Guess: the converter of qsub for Slurm turns what a job waits for, and what it asks for, into options of sbatch, and warns of what it can not turn, as it does for -sync and -R.
# Seen: -hold_jid with the number of a job becomes nothing, with its name it becomes --dependency afterok. Of -hold_jid 4711,other both are looked up, and the one with a number is "not running", though squeue lists it. -l h_rt becomes nothing, as does -pe smp, unless an option of its own names smp; -hard before -l takes the memory away, too. None of it is warned of.
# Why it matters: a pipeline keeps the numbers that qsub printed. Each of its steps starts at once, on the files of the last run or on none. The limit of an hour is that of the partition, and eight slots are one core.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uge2slurm==0.1.3
mkdir bin
# Two jobs wait or run. There is no partition and no sbatch: the commands are only shown.
printf '#!/bin/sh\necho "4711 prepare"\necho "4712 other"\n' > bin/squeue
printf '#!/bin/sh\necho PARTITION\n' > bin/sinfo
chmod +x bin/squeue bin/sinfo
printf '#!/bin/sh\ntrue\n' > job.sh

while read -r options; do
    # shellcheck disable=SC2086
    HOME=$work PATH=$work/bin:$PATH venv/bin/uge2slurm --ignore-coloring qsub -n -S /bin/sh -o out -e err $options job.sh > command.txt 2>&1
    echo "$options |" "$(grep -oE '(--(dependency|time|cpus-per-task|mem-per-cpu) [^ ]+|WARNING: Converting.*)' command.txt || echo nothing)"
done > seen.txt <<'END'
-hold_jid prepare
-hold_jid 4711
-hold_jid_ad 4711
-hold_jid 4711,other
-l s_vmem=4G
-hard -l s_vmem=4G
-l s_vmem=4G,h_rt=3600
-pe def_slot 8
-pe smp 8
-sync y
END
cat seen.txt
diff seen.txt - <<'END'
-hold_jid prepare | --dependency afterok:4711
-hold_jid 4711 | nothing
-hold_jid_ad 4711 | nothing
-hold_jid 4711,other | --dependency afterok:4712
-l s_vmem=4G | --mem-per-cpu 4G
-hard -l s_vmem=4G | nothing
-l s_vmem=4G,h_rt=3600 | --mem-per-cpu 4G
-pe def_slot 8 | --cpus-per-task 8
-pe smp 8 | nothing
-sync y | WARNING: Converting option "-sync" is not implemented.
END
