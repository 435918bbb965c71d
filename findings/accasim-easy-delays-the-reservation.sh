#!/usr/bin/env bash
# Packages: accasim 1.1.3 with numpy 1.26.4 (PyPI).
# Guess: EASYBackfilling never delays the job that it made a reservation for. Its documentation says that later jobs fill the gaps and may not use the reserved nodes.
# Seen: a job of 1,000 s takes a node that is reserved in 98 s. The job with the reservation starts after 1,002 s, and after 100 s with FirstInFirstOut.
# Why it matters: EASY is the rule that other schedulers are compared with. In this simulator it is one that starves wide jobs, and its waiting times are no yardstick.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check accasim==1.1.3 numpy==1.26.4
echo '{"groups": {"g": {"core": 1}}, "resources": {"g": 2}, "equivalence": {"processor": {"core": 1}}, "start_time": 0}' > system.json
cat > trace.swf <<'END'
; UnixStartTime: 0
1 0 -1 100 1 -1 -1 1 100 -1 1 1 1 1 1 1 -1 -1
2 1 -1 50 2 -1 -1 2 50 -1 1 1 1 1 1 1 -1 -1
3 2 -1 1000 1 -1 -1 1 1000 -1 1 1 1 1 1 1 -1 -1
END
cat > simulate.py <<'PY'
import collections.abc
import sys

collections.Mapping = collections.abc.Mapping  # the package is older than Python 3.10

from accasim.base import scheduler_class  # noqa: E402
from accasim.base.allocator_class import FirstFit  # noqa: E402
from accasim.base.simulator_class import Simulator  # noqa: E402

scheduler = getattr(scheduler_class, sys.argv[1])(FirstFit())
Simulator("trace.swf", "system.json", scheduler, RESULTS_FOLDER_NAME=sys.argv[1]).start_simulation()
PY
for scheduler in FirstInFirstOut EASYBackfilling; do
    venv/bin/python simulate.py "$scheduler" 2> log.txt || { cat log.txt; exit 1; }
    # A line is job;user;submission__nodes__start;end;...
    sort "$scheduler/sched-trace.swf" | sed -E 's/^([0-9]+);.*__[0-9-]+ ([0-9:]+);.*/job \1 starts at \2/' | sed "s/^/$scheduler: /"
done | tee seen.txt
diff seen.txt - <<'END'
FirstInFirstOut: job 1 starts at 00:00:00
FirstInFirstOut: job 2 starts at 00:01:40
FirstInFirstOut: job 3 starts at 00:02:30
EASYBackfilling: job 1 starts at 00:00:00
EASYBackfilling: job 2 starts at 00:16:42
EASYBackfilling: job 3 starts at 00:00:02
END
