"""Days in virtual time: laws that hold on every day, days that can be repeated, and files that cannot be used."""

import json
import re
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from offermatch import LyingMatcherError, ReferenceMatcher
from offermatch.cli.main import run
from offermatch.errors import InputError
from offermatch.sample import parse_sample
from offermatch.scheduler.day.figures import BINS, percentile, utilisation, waits
from offermatch.scheduler.day.queue import Queue
from offermatch.scheduler.day.replay import Sample, Side, loop_speed, replay
from offermatch.scheduler.day.report import charts, page, summary
from offermatch.scheduler.day.run import compare
from offermatch.scheduler.day.workload import NODES, PODS, generated, openb_day
from offermatch.tables.input import task_columns

PLOTS = Path(__file__).parents[4] / "docs" / "plots"
TRACE = Path(__file__).parents[5] / "shared" / "data"
PAIRS = {"loop_seconds_per_pair": 2e-4, "component_seconds_per_pair": 2e-8}
SMALL = {"tasks": 30_000, "servers": 60, "hours": 3.0}


def assert_plain(path):
    """Many renderers know no style sheets: every shape has its colour itself, and text is black where it has none."""
    text = path.read_text(encoding="utf-8")
    assert "<style" not in text
    assert "var(" not in text
    for shape in re.findall(r"<(?:rect|line|path) [^>]*>", text):
        assert "fill=" in shape or "stroke=" in shape, shape


@pytest.mark.parametrize("path", sorted(PLOTS.glob("*.svg")), ids=lambda path: path.stem)
def test_plots_of_the_documents_are_drawn_everywhere(path):
    assert_plain(path)


@pytest.fixture(scope="module")
def compared():
    """A saturated morning of 60 servers, run all ways: workload, figures, days."""
    workload = generated(**SMALL, seed=7)
    return workload, *compare(workload, **PAIRS)


def held(workload, day):
    """Give what each started task holds: its server, from when to when within the day, and its row."""
    for row, start in enumerate(day.starts):
        if start >= 0:
            yield day.servers[row], start, min(start + workload.durations[row], workload.seconds), row


def test_no_server_ever_holds_more_than_it_has(compared):
    workload, _, days = compared
    for day in days:
        changes = defaultdict(list)
        for server, start, end, row in held(workload, day):
            changes[server].append((start, 1, row))
            changes[server].append((end, 0, row))
        assert changes
        for server, events in changes.items():
            for dimension, column in workload.tasks.demand.items():
                used = 0
                # What ends at a moment has made room before what begins then.
                for _, begins, row in sorted(events):
                    used += column[row] if begins else -column[row]
                    assert used <= workload.servers.available[dimension][server]
                assert used == 0


def test_every_task_is_launched_once_after_it_arrived_or_still_waits(compared):
    workload, figures, days = compared
    for day, side in zip(days, figures["sides"], strict=True):
        ends = {cycle.begin + cycle.seconds: cycle for cycle in day.cycles}
        launched = defaultdict(int)
        for _, start, _, row in held(workload, day):
            # A task is launched at the end of a cycle that began when it had arrived.
            assert workload.arrivals[row] <= ends[start].begin
            launched[start] += 1
        assert launched == {end: cycle.launched for end, cycle in ends.items() if cycle.launched}
        assert all((server < 0) == (start < 0) for server, start in zip(day.servers, day.starts, strict=True))
        assert side["started"] + side["waiting_at_end"] == len(workload.tasks)
        assert side["started"] == sum(launched.values()) > 0


@pytest.mark.parametrize("bins", [1, 7, BINS, 5000])
def test_the_area_under_the_utilisation_is_the_work_done(compared, bins):
    workload, _, days = compared
    for day in days:
        used = utilisation(workload, day, bins)
        for dimension, column in workload.demand.items():
            work = sum(column[row] * (end - start) for _, start, end, row in held(workload, day))
            area = sum(used[dimension]) * workload.seconds / bins * workload.capacity[dimension]
            assert area == pytest.approx(work, rel=1e-9)
            assert all(-1e-9 <= part <= 1 + 1e-9 for part in used[dimension])


def test_cycles_follow_each_other_and_take_what_their_stages_take(compared):
    workload, _, days = compared
    for day in days:
        stages = day.side.get_tasks_seconds + day.side.prepare_seconds
        for before, cycle in zip(day.cycles, day.cycles[1:], strict=False):
            assert cycle.begin == max(before.begin + 1.0, before.begin + before.seconds)
        for cycle in day.cycles:
            assert cycle.seconds == pytest.approx(stages + cycle.matching)
            assert cycle.begin + cycle.seconds < workload.seconds
    loop, component = days[1], days[2]
    assert all(cycle.matching == pytest.approx(2e-4 * cycle.looked * 60) for cycle in loop.cycles)
    assert all(cycle.matching == pytest.approx(2e-8 * cycle.looked * 60) for cycle in component.cycles)
    assert {cycle.matching for cycle in days[0].cycles} == {196.0}


def test_longer_cycles_never_wait_less_nor_use_more_on_a_saturated_day(compared):
    workload, figures, days = compared
    talk, loop, component, improved = days
    assert figures["workload"]["load"]["cpu"] > 0.9
    for slow, fast in ((talk, component), (loop, component), (component, improved)):
        mean = [sum(waits(workload, day)) / len(workload.tasks) for day in (slow, fast)]
        used = [sum(utilisation(workload, day, 1)["cpu"]) for day in (slow, fast)]
        assert mean[0] >= mean[1]
        assert used[0] <= used[1]


def test_what_idles_on_a_saturated_day_is_a_cycle_and_a_half_for_each_task(compared):
    _, figures, _ = compared
    for side in figures["sides"]:
        # The cluster starts empty and a queue does not fill every gap, so more idles, but not by much.
        assert side["idle_expected"] - 0.05 < side["idle"] < side["idle_expected"] + 0.15


def test_the_same_seed_gives_the_same_day_and_another_seed_another():
    def morning(seed):
        return compare(generated(2000, 10, seed=seed, hours=2.0), **PAIRS)[1]

    first, again, other = morning(3), morning(3), morning(4)
    for one, same in zip(first, again, strict=True):
        assert (one.starts, one.servers, one.cycles) == (same.starts, same.servers, same.cycles)
    assert first[0].starts != other[0].starts


def test_the_component_places_as_the_loop_does(packed):
    workload = generated(2000, 10, seed=5, hours=1.0)
    side = Side("any", "any", 30.0, 30.0, lambda tasks, offers, _: 1e-5 * tasks * offers)
    day, by_loop = replay(workload, side, packed), replay(workload, side, ReferenceMatcher())
    assert (day.starts, day.servers, day.cycles) == (by_loop.starts, by_loop.servers, by_loop.cycles)
    assert len(day.cycles) > 10


def test_the_loop_is_measured_on_the_busiest_cycle_and_held_against_the_component(packed):
    workload = generated(2000, 10, seed=5, hours=1.0)
    day = replay(workload, Side("any", "any", 30.0, 30.0, lambda *_: 0.0), packed)
    speed = loop_speed(day.sample, packed, rounds=2)
    assert (speed.offers, speed.rounds) == (10, 2)
    assert speed.tasks == min(200, max(cycle.looked for cycle in day.cycles[1:]))
    assert speed.seconds_per_pair == speed.seconds / (speed.tasks * 10) > 0

    class Other(ReferenceMatcher):
        def match(self, tasks, offers, **settings):
            return super().match(tasks.picked([0]), offers, **settings)

    with pytest.raises(LyingMatcherError, match="the loop answers sha256"):
        loop_speed(Sample(day.sample.tasks, day.sample.offers), Other())


@pytest.mark.parametrize("kind", ["uniform", "constrained", "devices"])
def test_a_queue_gives_the_rows_that_wait_as_they_are(kind):
    tasks = task_columns(parse_sample(f"{kind}:500x1").rows()[0])
    assert (tasks.requirements is not None, tasks.devices is not None) == (kind == "constrained", kind == "devices")
    random, queue, expected, arrived = Random(1), Queue(tasks), [], 0
    for step in (0, 1, 120, 0, 300, 79):
        queue.add(range(arrived, arrived + step))
        expected.extend(range(arrived, arrived + step))
        arrived += step
        for most in (1, 50, 1000):
            assert queue.first(most) == tasks.picked(expected[:most])
        gone = sorted(random.sample(range(len(expected)), len(expected) // 3))
        queue.remove(gone)
        expected = [row for at, row in enumerate(expected) if at not in gone]
        assert queue.rows == expected
        assert len(queue) == len(expected)
    assert arrived == 500
    assert expected


def test_a_day_with_nothing_to_do_has_figures():
    figures, days = compare(generated(1, 1, seed=2, hours=0.001))
    assert [day.sample for day in days] == [None] * 4
    assert [side["started"] for side in figures["sides"]] == [0] * 4
    assert "NaN" not in json.dumps(figures, allow_nan=False)
    assert "<svg" in page(figures)


def test_percentiles_are_values_that_enough_others_do_not_exceed():
    rising = [1.0, 2.0, 3.0, 4.0]
    assert [percentile(rising, part) for part in (0.0, 0.25, 0.26, 0.5, 0.9, 1.0)] == [1.0, 1.0, 2.0, 2.0, 4.0, 4.0]
    assert percentile([], 0.5) == 0.0


def test_the_page_the_table_and_the_json_say_the_same(compared):
    _, figures, _ = compared
    html, text = page(figures), summary(figures)
    rows = dict(re.findall(r"<tr><th>([^<]*)</th>((?:<td>[^<]*</td>)+)</tr>", html))
    rows = {label: re.findall("<td>(.*?)</td>", cells) for label, cells in rows.items()}
    sides = figures["sides"]
    assert rows["CPUs in use"] == [f"{100 * side['utilisation']['cpu']:.1f} %" for side in sides]
    assert rows["CPUs idle"] == [f"{100 * side['idle']:.1f} %" for side in sides]
    assert rows["tasks done"] == [f"{side['done']:,}" for side in sides]
    assert rows["cycle, median"][0] == "8 min 07 s"
    for label, values in rows.items():
        line = next(line for line in text.splitlines() if line.startswith(label))
        assert re.split(" {2,}", line[len(label) :].strip()) == values
    # The points of a plot are the figures, each written into the title of its point.
    drawn = re.findall(r"<title>the talk's cycle: (.*?)</title>", html)[:BINS]
    assert drawn == [f"{part:.0%}" for part in sides[0]["over_time"]["utilisation"]["cpu"]]


def test_the_command_writes_a_page_json_and_a_plot(tmp_path, capsys):
    html, figures, svg = tmp_path / "day.html", tmp_path / "day.json", tmp_path / "day.svg"
    arguments = ["day", "--tasks", "3000", "--servers", "8", "--hours", "2", "--seconds-per-pair", "1e-4,1e-8"]
    assert run([*arguments, "--html", str(html), "--json", str(figures), "--svg", str(svg)]) == 0
    printed = capsys.readouterr()
    assert "CPUs idle" in printed.out
    assert "100%" in printed.err
    read = json.loads(figures.read_text())
    assert html.read_text() == page(read)
    assert printed.out == summary(read)
    assert svg.read_text().startswith('<svg class="plot" xmlns="http://www.w3.org/2000/svg"')
    assert_plain(svg)
    assert run([*arguments, "--json", "-"]) == 0
    again = json.loads(capsys.readouterr().out)
    # All but what was measured: the speed of the loop, which these arguments leave out of the day.
    assert {**again, "loop": None} == {**read, "loop": None}
    assert charts(read)[0].title == "CPUs in use"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--hours", "0"], "setting-malformed"),
        (["--hours", "25"], "setting-malformed"),
        (["--hours", "nan"], "setting-malformed"),
        (["--load", "-1"], "setting-malformed"),
        (["--load", "inf"], "setting-malformed"),
        (["--trace", "nowhere"], "file-unreadable"),
        (["--html", "nowhere/day.html"], "file-unwritable"),
        (["--json", "."], "file-unwritable"),
        (["--hours", "0.01", "--tasks", "9", "--servers", "1", "--svg", "/proc/day.svg"], "file-unwritable"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, code, capsys):
    assert run(["day", *arguments]) == 1
    assert f"error[{code}]" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--seconds-per-pair", "1"], ["--seconds-per-pair", "1,nan"], ["--tasks", "0"]])
def test_wrong_usage_is_told(arguments, capsys):
    assert run(["day", *arguments]) == 2


def test_a_trace_is_laid_on_one_day_by_the_time_of_day(tmp_path, packed):
    (tmp_path / PODS).write_text(
        "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n"
        "late,1000,1024,1,500,,LS,Running,172900,173900,173000\n"
        "never,2000,1024,2,1000,V100,LS,Pending,86450,86550,\n"
        "first,1000,1024,0,0,,LS,Running,0,10,0\n"
    )
    (tmp_path / NODES).write_text("sn,cpu_milli,memory_mib,gpu,model\na,8000,8192,2,V100\nb,8000,8192,2,V100\n")
    workload = openb_day(tmp_path, servers=1)
    assert workload.tasks.names == ["first", "never", "late"]
    assert list(workload.arrivals) == [0.0, 50.0, 100.0]
    assert list(workload.durations) == [10.0, 100.0, 900.0]
    assert workload.capacity == {"cpu": 8000, "memory": 8 * 2**30, "devices": 2000}
    assert list(workload.demand["devices"]) == [0, 2000, 500]
    side = Side("any", "any", 10.0, 10.0, lambda *_: 1.0)
    day = replay(workload, side, packed)
    # Cycles with nothing to match take 20 s, others 21 s, so they begin at 0, 21, 41, 61, 82, 102, 123, 144, 165 and 186.
    # `never` arrives at 50 and begins at 82. `late` arrives at 100 and asks for a part of what `never` holds until 182: the
    # cycle that begins at 186 sees it free.
    assert list(day.starts) == [21.0, 82.0, 207.0]
    with pytest.raises(InputError, match="out of range"):
        openb_day(tmp_path, servers=3)
    (tmp_path / PODS).write_text("name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec\na,1,1,0,0,\n")
    with pytest.raises(InputError, match="creation_time"):
        openb_day(tmp_path)


@pytest.mark.skipif(not (TRACE / PODS).exists(), reason=f"the OpenB trace is not beside the checkout ({TRACE})")
def test_the_trace_keeps_its_pods_and_holds_the_laws():
    whole = openb_day(TRACE)
    assert len(whole.tasks) == 8152
    assert max(whole.load, key=whole.load.get) == "devices"
    assert whole.load["devices"] == pytest.approx(1.05, abs=0.05)
    workload = openb_day(TRACE, hours=6.0)
    compared = workload, *compare(workload, **PAIRS)
    test_the_area_under_the_utilisation_is_the_work_done(compared, BINS)
    test_every_task_is_launched_once_after_it_arrived_or_still_waits(compared)
    test_no_server_ever_holds_more_than_it_has(compared)


def test_policies_are_compared_on_the_same_day(tmp_path, capsys):
    policies = ["first-fit", "worst-fit"]
    options = [option for policy in policies for option in ("--policy", policy)]
    options += ["--tasks", "20000", "--servers", "40", "--hours", "1", "--seconds-per-pair", "0,0"]
    status = run(["day", *options, "--json", str(tmp_path / "day.json"), "--html", str(tmp_path / "day.html")])
    captured = capsys.readouterr()
    assert status == 0, captured.err
    found = json.loads((tmp_path / "day.json").read_text())
    assert [side["title"] for side in found["sides"]] == policies
    first, worst = found["sides"]
    assert first["cycle_seconds"]["median"] == worst["cycle_seconds"]["median"] == 3.0
    assert first["wait_quantiles"] != worst["wait_quantiles"]
    assert first["wait_seconds_largest"]["p90"] >= first["wait_seconds_largest"]["median"]
    assert "idle: " in captured.out
    assert " by worst-fit." in captured.out
    assert "first-fit" in (tmp_path / "day.html").read_text()


@pytest.mark.parametrize(
    "options", [["--policy", "strand"], ["--policy", "strand"] * 2, ["--policy", "strand", "--cycle-seconds", "0"]]
)
def test_one_policy_is_nothing_to_compare(options, capsys):
    assert run(["day", *options]) == 2
    assert "two to 6 different policies" in capsys.readouterr().err
