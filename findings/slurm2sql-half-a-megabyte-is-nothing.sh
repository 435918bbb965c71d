#!/usr/bin/env bash
# Packages: slurm2sql 0.9.9 (PyPI).
# Guess: the database that is made from the output of sacct has the amounts of it in bytes, so far as sacct's two decimals go; 0.50M that were read are 524288.
# Seen: the columns of the averages and maxima cut the number before its unit is applied: 0.50M is 0 and 1.99G is 1073741824, a little more than half. The total that stands beside them is exact, so a step with one task has a total of 2136746230 and a maximum of half of it. The memory of GPUs, which Slurm counts by 1024, is multiplied by 1000, that of CPUs by 1024.
# Why it matters: tasks that read less than a megabyte or a gigabyte read nothing, and a report by the average ranks 1.99G with 1.00G. GPU memory is 7 % less than it was.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check slurm2sql==0.9.9
venv/bin/python - > seen.txt <<'PY'
import csv
import sqlite3

import slurm2sql

columns = [name for name in list(slurm2sql.COLUMNS) + slurm2sql.COLUMNS_EXTRA if not name.startswith("_")]
columns = list(dict.fromkeys(columns))
steps = {"7.0": "0.50M", "8.0": "1.99G", "9.0": "0.99G"}
table = open("sacct.csv", "w", newline="")
writer = csv.DictWriter(table, columns, restval="")
writer.writeheader()
for step, read in steps.items():
    writer.writerow({
        "JobID": step, "JobIDRaw": step, "JobName": "train", "State": "COMPLETED", "Elapsed": "00:10:00", "ExitCode": "0:0",
        "Submit": "2026-08-01T12:00:00", "Start": "2026-08-01T12:00:00", "End": "2026-08-01T12:10:00",
        "NNodes": "1", "NTasks": "1", "NCPUS": "1", "AllocTRES": "cpu=1,mem=40G,node=1", "AveDiskRead": read, "MaxDiskRead": read,
        "TRESUsageInTot": f"cpu=00:09:00,fs/disk={read},gres/gpumem=40G,mem=40G",
    })
database = sqlite3.connect(":memory:")
table.close()
slurm2sql.slurm2sql(database, csv_input="sacct.csv")
for row in database.execute("SELECT JobID, AveDiskRead, MaxDiskRead, TotDiskRead, GpuMem, TotalMem FROM slurm ORDER BY JobID"):
    print(steps[row[0]], *(round(value) for value in row[1:]))
PY
cat seen.txt
diff seen.txt - <<'END'
0.50M 0 0 524288 40000000000 42949672960
1.99G 1073741824 1073741824 2136746230 40000000000 42949672960
0.99G 0 0 1063004406 40000000000 42949672960
END
