#!/usr/bin/env bash
# Packages: snakemake 9.27.1, snakemake-executor-plugin-sge 0.6.31 (PyPI).
# Guess: a rule with threads: 8 and mem_mb=32000 asks Grid Engine for eight slots with 4,000 MB each, as the memory of a rule is "divided by threads per slot".
# Seen: it asks for one slot with 32,000 MB. The keyword that every rule uses is not read; only a resource that is called threads is, and with it alone the rule runs with eight slots and its command with {threads} of 1. The plugin for Slurm reads the keyword.
# Why it matters: eight threads run on one core, beside the jobs that were given the others. The node with memory for eight jobs takes one.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check snakemake==9.27.1 snakemake-executor-plugin-sge==0.6.31
mkdir bin
# Nothing is submitted: what qsub is asked for is written down, and refused.
printf '#!/bin/sh\necho "$*" >> %s/asked\nexit 1\n' "$work" > bin/qsub
for command in qstat qacct qdel scontrol; do printf '#!/bin/sh\n' > bin/$command; done
chmod +x bin/*
cat > Snakefile <<'SNAKE'
rule by_keyword:
    output: "by_keyword.txt"
    threads: 8
    resources: mem_mb=32000
    shell: "touch {output} # {threads} threads"

rule by_resource:
    output: "by_resource.txt"
    resources: mem_mb=32000, threads=8
    shell: "touch {output} # {threads} threads"
SNAKE

for rule in by_keyword by_resource; do
    : > asked
    HOME=$work PATH=$work/bin:$work/venv/bin:$PATH timeout 120 venv/bin/snakemake --executor sge --sge-pe smp --jobs 1 --printshellcmds $rule > log 2>&1 || true
    echo "$rule: $(grep -oE -- '-pe smp [0-9]+|h_vmem=[^ ]+' asked | xargs), $(grep -oE '[0-9]+ threads$' log | head -1)"
done > seen.txt
cat seen.txt
diff seen.txt - <<'END'
by_keyword: -pe smp 1 h_vmem=32000M, 8 threads
by_resource: -pe smp 8 h_vmem=4000M, 1 threads
END
