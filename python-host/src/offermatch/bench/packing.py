"""Measures how full a GPU cluster gets by each policy: the experiment of FGD on Alibaba's OpenB trace.

1,213 nodes with 6,212 GPUs, pods that arrive one after the other until they ask for 130 % of the GPUs, nothing leaves. The
figures are the GPUs allocated, in percent of all, when 100 % and 130 % of them have been asked for, beside those that were
published for BestFit and FGD. The trace is public: github.com/alibaba/clusterdata, cluster-trace-gpu-v2023/csv.

  offermatch bench packing --trace csv
  offermatch bench packing --trace csv --list gpuspec33 --policy strand --policy first-fit --seed 44
  offermatch bench packing --trace csv --policy best-fit:cpu=0.5,memory=0,devices=0.5 --batch 1

A policy is the name of one that is shipped, the path of a component, or either of them with weights behind a colon. Arrivals
are drawn by the rule of the published experiment, or read from files: `LIST.SEED.pods` and `LIST.SEED.nodes` in a folder,
one row number of the trace's file a line, from 0 on. docs/packing.md says more.
"""

from __future__ import annotations

import json
import math
import subprocess
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate, repeat
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from offermatch import policies
from offermatch.answer import Answer
from offermatch.bench import svg
from offermatch.bench.gorandom import GoRandom
from offermatch.errors import InputError, LyingMatcherError, MatcherError
from offermatch.formats.files import read_offers, read_tasks
from offermatch.matcher import BaseMatcher, Matcher
from offermatch.model import AnyRequirement, Requirement, Settings, Task, Timings
from offermatch.tables.offers import OfferColumns
from offermatch.tables.tables import Assigned
from offermatch.tables.tasks import TaskColumns

__all__ = [
    "DIMENSIONS",
    "LISTS",
    "POLICIES",
    "PUBLISHED",
    "SEEDS",
    "Candidate",
    "candidate",
    "draw",
    "packing",
    "table",
    "write_svg",
]

LISTS = ("default", "cpu250", "gpushare100", "gpuspec33", "multigpu50")
SEEDS = (42, 43)
POLICIES = ("first-fit", "best-fit", "best-fit:cpu=0.5,memory=0,devices=0.5", "fragmentation", "strand")
DIMENSIONS = ("cpu", "memory")
ASKED = 1.3
"""How much of the GPUs is asked for in the end."""
_AT = (100, 130)

PUBLISHED = {
    "default": {"BestFit": (92.86, 93.08), "FGD": (95.23, 95.39)},
    "cpu250": {"BestFit": (91.21, 91.45), "FGD": (93.20, 93.41)},
    "gpushare100": {"BestFit": (84.62, 85.01), "FGD": (86.64, 86.90)},
    "gpuspec33": {"BestFit": (80.40, 93.09), "FGD": (87.84, 94.55)},
    "multigpu50": {"BestFit": (95.62, 95.74), "FGD": (97.09, 97.18)},
}
"""Means of seeds 42 to 51, at 100 and at 130: experiments/analysis/expected_results/analysis_allo_discrete.csv of
github.com/hkust-adsl/kubernetes-scheduler-simulator."""


class Candidate(NamedTuple):
    """A policy as it takes part."""

    name: str
    matcher: BaseMatcher
    settings: Settings


class Order(NamedTuple):
    """Who arrives, and where nodes stand: row numbers of the trace's files."""

    pods: Sequence[int]
    nodes: Sequence[int]


class _Trace(NamedTuple):
    """A list of pods and the nodes, in the order of the files."""

    pods: TaskColumns
    nodes: OfferColumns
    thousandths: Sequence[int]
    all_thousandths: int


def candidate(text: str) -> Candidate:
    """Return the policy that a text names: a shipped one or a path, and weights behind a colon.

    Raises:
        OffermatchError: There is no such policy, or a weight is none.
    """
    name, _, listed = text.partition(":")
    weights: dict[str, float] = {}
    for pair in filter(None, listed.split(",")):
        dimension, equals, number = pair.partition("=")
        try:
            weights[dimension] = float(number if equals else "")
        except ValueError:
            hint = "write NAME:DIMENSION=NUMBER,..., such as best-fit:cpu=0.5,memory=0,devices=0.5"
            raise InputError("setting-malformed", f"{pair!r} is not DIMENSION=NUMBER", hint, f"policy {text}") from None
    matcher = Matcher.load(policy=name) if name in policies.names() else Matcher.load(name)
    return Candidate(text, matcher, Settings("shared", None, weights or None).checked())


def draw(pods: TaskColumns, thousandths: Sequence[int], nodes: OfferColumns, seed: int) -> Order:
    """Return the arrivals of a seed, by the rule of the published experiment.

    Pods are sorted by their names and shuffled. Pods drawn from the list follow until the next one would ask for more than
    130 %; where the list asks for more from the start, pods drawn from it are taken out instead. Nodes, sorted by their
    names, get their places by a permutation drawn next. A share or one device of a pod counts where it is asked whether the
    next pod is too much, and not all of its devices.

    Source: ``pkg/simulator`` of the simulator (``core.go``, ``SortClusterPods``, ``tuneUpPods``, ``tuneDownPods``,
    ``syncClusterResourceList``).
    """
    random = GoRandom(seed)
    random.int63()
    by_name = sorted(range(len(pods)), key=pods.names.__getitem__)
    arrivals = list(by_name)
    random.shuffle(arrivals)
    asked = sum(thousandths)
    target = ASKED * sum(nodes.devices.free)
    if asked > target:
        while asked > target:
            asked -= thousandths[arrivals.pop(random.below(len(arrivals)))]
    else:
        while asked + min(thousandths[pod := by_name[random.below(len(by_name))]], 1000) <= target:
            asked += thousandths[pod]
            arrivals.append(pod)
    listed = [0] * len(nodes)
    named = sorted(range(len(nodes)), key=nodes.names.__getitem__)
    for node, place in zip(named, random.permutation(len(named)), strict=True):
        listed[place] = node
    return Order(arrivals, listed)


def packing(
    trace: Path,
    *,
    lists: Sequence[str] = LISTS,
    seeds: Sequence[int] = SEEDS,
    candidates: Sequence[Candidate],
    arrivals: Path | None = None,
    batch: int = 1000,
    dimensions: Sequence[str] = DIMENSIONS,
    workload: bool = False,
    rust_host: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return what each policy allocates on each list, for each seed and in the mean.

    Args:
        trace: The folder of the trace's files.
        lists: Which lists of pods.
        seeds: Which orders of arrival.
        candidates: The policies.
        arrivals: A folder of orders of arrival, instead of drawing them.
        batch: How many pods arrive in one call; it changes no figure.
        dimensions: What counts besides the GPUs.
        workload: Whether to tell policies before what the list holds, as the published FGD knows it: processors, GPUs and
            models, without memory.
        rust_host: The Rust program: every answer is compared with its.
        progress: Hears what is measured next.

    Raises:
        InputError: A file is missing or cannot be used, or names a row that is not there.
        MatcherError: A matcher fails, or the two programs differ.
    """
    runs = []
    for name in lists:
        read = _read(trace, name, dimensions)
        told = _workload(read.pods) if workload else None
        for seed in seeds:
            if arrivals is None:
                order = draw(read.pods, read.thousandths, read.nodes, seed)
            else:
                order = Order(
                    _rows(arrivals / f"{name}.{seed}.pods", len(read.pods)),
                    _rows(arrivals / f"{name}.{seed}.nodes", len(read.nodes)),
                )
            for one in candidates:
                progress(f"{name}, seed {seed}, {one.name}")
                one = one._replace(settings=replace(one.settings, workload=told))  # noqa: PLW2901 - the same, told
                answer, figures = _run(read, order, one, batch)
                if rust_host is not None:
                    _compare(rust_host, read, order, one, answer)
                runs.append({"list": name, "seed": seed, "policy": one.name, **figures})
    means = []
    for name in lists:
        for one in candidates:
            found = [run for run in runs if (run["list"], run["policy"]) == (name, one.name)]
            mean = {key: round(fmean(run[key] for run in found), 2) for key in ("at_100", "at_130", "microseconds_a_task")}
            means.append({"list": name, "policy": one.name, **mean})
    published = {name: PUBLISHED[name] for name in lists if name in PUBLISHED}
    return {"seeds": list(seeds), "batch": batch, "means": means, "published": published, "runs": runs}


def _read(trace: Path, name: str, dimensions: Sequence[str] = DIMENSIONS) -> _Trace:
    pods = read_tasks(trace / f"openb_pod_list_{name}.csv", "openb")
    nodes = read_offers(trace / "openb_node_list_gpu_node.csv", "openb")
    if not nodes.devices.count or not pods.devices:
        hint = "give the trace's own files: this experiment is about GPUs"
        raise InputError("file-malformed", "there is no GPU, or no pod asks for one", hint, str(trace))
    for dimension in DIMENSIONS:
        if dimension not in dimensions:
            del pods.demand[dimension], nodes.available[dimension]
    return _Trace(pods, nodes, pods.devices, sum(nodes.devices.free))


def _workload(pods: TaskColumns) -> list[tuple[Task, float]]:
    """Return the kinds of pods in a list, memory left out, each with how many there are."""
    requirements: Sequence[Sequence[AnyRequirement]] = pods.requirements or [()] * len(pods)
    asked = zip(pods.demand["cpu"], pods.devices or [0] * len(pods), map(tuple, requirements), strict=True)
    return [
        (Task(f"kind {number}", {"cpu": f"{cpu}m"}, required, devices // 1000, devices % 1000), float(count))
        for number, ((cpu, devices, required), count) in enumerate(Counter(asked).items())
    ]


def _rows(path: Path, count: int) -> list[int]:
    """Return the row numbers in a file."""
    try:
        words = path.read_text().split()
    except (OSError, UnicodeDecodeError) as error:
        hint = "name a folder with LIST.SEED.pods and LIST.SEED.nodes for every list and seed, or leave --arrivals out"
        raise InputError("file-unreadable", getattr(error, "strerror", None) or str(error), hint, str(path)) from error
    for line, word in enumerate(words, 1):
        if not (word.isascii() and word.isdigit() and len(word) < 10 and int(word) < count):
            hint = f"give numbers from 0 to {count - 1}, the rows of the trace's file"
            raise InputError("row-unknown", f"there is no row {word[:40]}", hint, f"{path}, line {line}")
    if not words:
        raise InputError("file-malformed", "no row is named", "give one row number a line", str(path))
    return [int(word) for word in words]


def _run(read: _Trace, order: Order, one: Candidate, batch: int) -> tuple[Answer, dict[str, Any]]:
    """Run one order of arrival by one policy. Return the answer as a whole, and the figures."""
    pods = read.pods.picked(order.pods)
    # A pod may arrive several times.
    pods.names = [f"{at}.{name}" for at, name in enumerate(pods.names)]
    nodes = read.nodes.picked(order.nodes)
    offers, scores, seconds = array("i", [-1]) * len(pods), array("d", bytes(8 * len(pods))), 0.0
    with one.matcher.open(nodes, one.settings, attributes=("model",)) as pool:
        for begin in range(0, len(pods), batch):
            answer = pool.assign(pods.picked(range(begin, min(begin + batch, len(pods)))))
            seconds += answer.timings.call
            for row, offer, score in zip(answer.task_rows, answer.offer_rows, answer.scores, strict=True):
                offers[begin + row], scores[begin + row] = offer, score
    curve = _curve([read.thousandths[row] for row in order.pods], offers, read.all_thousandths)
    placed = [row for row in range(len(pods)) if offers[row] >= 0]
    chosen = Assigned(placed, [offers[row] for row in placed], [scores[row] for row in placed])
    answer = Answer(chosen, pods.names, nodes.names, Timings())
    return answer, {
        **{f"at_{at}": _mean_at(curve, at) for at in _AT},
        "placed": len(placed),
        "arrived": len(pods),
        "microseconds_a_task": round(seconds * 1e6 / len(pods), 2),
        "digest": answer.digest,
        "curve": _thinned(curve),
    }


def _curve(asked: Sequence[int], offers: Sequence[int], everything: int) -> list[tuple[float, float]]:
    """Return what has arrived and what is allocated after each arrival, in percent with two digits."""
    arrived = accumulate(asked)
    allocated = accumulate(one if offer >= 0 else 0 for one, offer in zip(asked, offers, strict=True))
    return [
        (round(100 * one / everything, 2), round(100 * other / everything, 2))
        for one, other in zip(arrived, allocated, strict=True)
    ]


def _mean_at(curve: Sequence[tuple[float, float]], at: int) -> float:
    """Return the mean of what is allocated where what has arrived rounds to a number, or, for the last one, to more."""
    found = [allocated for arrived, allocated in curve if min(round(arrived), _AT[-1]) == at]
    return round(fmean(found), 4) if found else math.nan


def _thinned(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the first point at each whole percent, and the last one."""
    points: dict[int, tuple[float, float]] = {}
    for arrived, allocated in curve:
        points.setdefault(math.floor(arrived), (arrived, allocated))
    return [*points.values(), curve[-1]]


def _compare(program: Path, read: _Trace, order: Order, one: Candidate, answer: Answer) -> None:
    """Have the Rust program match the same tables, and refuse another answer.

    Raises:
        MatcherError: It fails, or its answer differs.
    """
    with TemporaryDirectory() as folder:
        pods, nodes = Path(folder) / "pods.json", Path(folder) / "nodes.json"
        asked, offered = read.pods.picked(order.pods), read.nodes.picked(order.nodes)
        units = {"cpu": "millicores", "memory": "bytes"}
        tasks = [
            {
                "name": f"{row}.{name}",
                "demand": {dimension: asked.demand[dimension][row] for dimension in asked.demand},
                "devices": thousandths // 1000,
                "device_share": thousandths % 1000,
                "requirements": [
                    {"attribute": one.attribute, "not_in" if one.excludes else "in": list(one.values)}
                    for one in requirements or ()
                    if isinstance(one, Requirement)
                ],
            }
            for row, (name, thousandths, requirements) in enumerate(
                zip(asked.names, asked.devices or repeat(0), asked.requirements or repeat(()), strict=False)
            )
        ]
        offers = [
            {
                "name": name,
                "available": {dimension: offered.available[dimension][row] for dimension in offered.available},
                "attributes": {name: column[row] for name, column in offered.attributes.items()},
                "devices": offered.devices.of(row),
            }
            for row, name in enumerate(offered.names)
        ]
        pods.write_text(json.dumps({"units": units, "tasks": tasks}))
        nodes.write_text(json.dumps({"units": units, "offers": offers}))
        weights = [f"--weight={name}={weight}" for name, weight in (one.settings.weights or {}).items()]
        command: list[str | Path] = [program, "match", "--tasks", pods, "--offers", nodes, "--mode", "shared", *weights]
        command += ["--matcher", one.name.partition(":")[0]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the program that was named
    if done.returncode != 0:
        raise MatcherError("program-failed", done.stderr.strip(), "see what the Rust program says", str(program))
    if json.loads(done.stdout)["answer_digest"] != answer.digest:
        message = f"the answer of {program} is another one"
        raise LyingMatcherError("answer-refused", message, "this is a bug; report it with list, seed and policy", one.name)


def table(measured: dict[str, Any]) -> str:
    """Return the measurement for people."""
    seeds = ", ".join(map(str, measured["seeds"]))
    lines = [f"GPUs allocated, in percent, when 100 % and 130 % were asked for: means of the seeds {seeds}", ""]
    names = list(dict.fromkeys(mean["policy"] for mean in measured["means"]))
    width = max(map(len, [*names, "BestFit, published"]))
    for listed in dict.fromkeys(mean["list"] for mean in measured["means"]):
        lines.append(f"{listed:<{width}}{'at 100':>10}{'at 130':>10}{'us a task':>12}")
        for mean in measured["means"]:
            if mean["list"] == listed:
                figures = f"{mean['at_100']:>10.2f}{mean['at_130']:>10.2f}{mean['microseconds_a_task']:>12.1f}"
                lines.append(f"{mean['policy']:<{width}}{figures}")
        for name, (at_100, at_130) in measured["published"].get(listed, {}).items():
            lines.append(f"{name + ', published':<{width}}{at_100:>10.2f}{at_130:>10.2f}")
        lines.append("")
    lines.append("published: means of the seeds 42 to 51; us a task: in the component, columns in and out included")
    return "\n".join(lines) + "\n"


def write_svg(measured: dict[str, Any], folder: Path) -> list[Path]:
    """Write a picture for each list, allocation over arrival with one line a policy; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    seed = measured["seeds"][0]
    for listed in dict.fromkeys(run["list"] for run in measured["runs"]):
        runs = [run for run in measured["runs"] if (run["list"], run["seed"]) == (listed, seed)]
        drawn = [(run["policy"], run["curve"]) for run in runs]
        title = f"GPUs allocated, list {listed}, seed {seed}"
        path = folder / f"packing-{listed}.svg"
        path.write_text(svg.lines(title, "percent of all GPUs", "percent of all GPUs asked for", drawn, low=(80.0, 75.0)))
        written.append(path)
    return written
