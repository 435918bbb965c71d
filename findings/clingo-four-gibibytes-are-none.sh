#!/usr/bin/env bash
# Packages: clingo 5.8.3 (PyPI).
# Guess: a number in a logic program that clingo can not hold is refused, as clingo.Number refuses it.
# Seen: it is cut to 32 bits with a sign, without a message. 2 GiB in bytes are -2147483648, 3 GiB -1073741824 and 4 GiB 0. Three tasks of 3 GiB fit on one node of 4 GiB. For tasks of 1 GiB and a node of 2 GiB there is no plan at all, as already no task is more than the node has. In MiB the same program is right. Costs that add up to three billion are given as -1294967296.
# Why it matters: clingo places tasks and plans shifts, and batch systems give memory in bytes. The plan is called optimal; the nodes run out of memory, or a cluster that is large enough is said to have no plan.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check clingo==5.8.3
venv/bin/python - > seen.txt <<'PY'
import clingo

PLACING = """
task(1..3,{ask}). node({capacity}).
{{ on(T) : task(T,_) }}.
:- node(C), #sum {{ A,T : on(T), task(T,A) }} > C.
#maximize {{ 1,T : on(T) }}.
#show on/1.
"""
COST = "task(1..3). { on(T) } :- task(T). :- task(T), not on(T). #minimize { 1000000000,T : on(T) }. #show on/1."


def solved(program):
    messages = []
    control = clingo.Control(logger=lambda code, message: messages.append(message))
    control.add("base", [], program)
    control.ground([("base", [])])
    best = None
    with control.solve(yield_=True) as found:
        for model in found:
            best = f"{len(model.symbols(shown=True))} tasks, cost {model.cost}"
        assert found.get().exhausted and not messages, messages
    return best or "no plan"


GIB, MIB = 2**30, 2**10
for ask, capacity in ((1, 2), (3, 4), (5, 6)):
    for name, unit in (("bytes", GIB), ("MiB", MIB)):
        print(f"{ask} GiB on {capacity} GiB in {name}: {solved(PLACING.format(ask=ask * unit, capacity=capacity * unit))}")
print("3 tasks for 1000000000 each:", solved(COST))
try:
    clingo.Number(4 * GIB)
except OverflowError as error:
    print("clingo.Number:", error)
PY
cat seen.txt
diff seen.txt - <<'END'
1 GiB on 2 GiB in bytes: no plan
1 GiB on 2 GiB in MiB: 2 tasks, cost [-2]
3 GiB on 4 GiB in bytes: 3 tasks, cost [-3]
3 GiB on 4 GiB in MiB: 1 tasks, cost [-1]
5 GiB on 6 GiB in bytes: no plan
5 GiB on 6 GiB in MiB: 1 tasks, cost [-1]
3 tasks for 1000000000 each: 3 tasks, cost [-1294967296]
clingo.Number: integer 4294967296 does not fit '32-bit int'
END
