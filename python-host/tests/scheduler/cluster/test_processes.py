"""What only processes have: limits, a journal that outlives its agent, commands that outlive it, too."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents import started, stop
from offermatch import machine
from offermatch.errors import ClusterError
from offermatch.model import Offer
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.http.http import HttpCluster
from offermatch.scheduler.cluster.process import supervised
from offermatch.scheduler.cluster.process.journal import Journal
from offermatch.scheduler.cluster.process.processes import ProcessCluster
from sites import GIB, end_all, processes

SERVER = Offer("one", {"cpu": 4, "memory": 8 * GIB}, devices=2)


def shell(text, **more):
    return {"command": ["sh", "-c", text], **more}


def python(text, **more):
    return {"command": [sys.executable, "-I", "-c", text], **more}


def launch(key, payload, **asked):
    return Launch(key, f"task of {key}", "one", {"cpu": 1000, **asked.pop("demand", {})}, payload=payload, **asked)


def until(true, patience=60.0):
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.02)


def ended(cluster, key):
    until(lambda: cluster.reports([key])[0].outcome != "running")
    return cluster.reports([key])[0]


def run(cluster, payload, key="k1", **asked):
    assert cluster.launch([launch(key, payload, **asked)])[0].refusal is None
    return ended(cluster, key)


@pytest.fixture
def cluster(tmp_path):
    with processes(tmp_path) as made:
        yield made


def test_a_command_gets_its_payload_and_little_else(cluster, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_AGENT", "1")
    text = "cat $OFFERMATCH_PAYLOAD; env; pwd"
    report = run(cluster, shell(text, environment={"COLOUR": "red"}, inputs={"a": "/a"}))
    assert report.outcome == "done"
    (directory,) = (tmp_path / "one" / "runs").iterdir()
    said = (directory / "stdout").read_text()
    assert '"inputs": {"a": "/a"}' in said
    assert {"COLOUR=red", "OFFERMATCH_KEY=k1", "OFFERMATCH_TASK=task of k1", str(directory)} <= set(said.splitlines())
    assert "SECRET_OF_THE_AGENT" not in said


def test_how_it_failed_is_told(cluster):
    told = {
        "exit code 3: no such file": shell("echo working; echo no such file >&2; exit 3"),
        "ended by signal 9": shell("kill -9 $$"),
        "cannot be started": {"command": ["/no/such/program"]},
    }
    for at, (reason, payload) in enumerate(told.items()):
        report = run(cluster, payload, f"k{at}")
        assert report.outcome == "failed"
        assert reason in report.reason


def test_limits_hold(cluster):
    allocate = "b = bytearray(300 * 2**20); print(len(b))"
    assert run(cluster, python(allocate), "free").outcome == "done"
    assert "MemoryError" in run(cluster, python(allocate, limits={"memory": 200 * 2**20}), "limit").reason
    assert "MemoryError" in run(cluster, python(allocate), "demand", demand={"memory": 200 * 2**20}).reason
    spins = run(cluster, python("while True: pass", limits={"cpu_seconds": 1}), "cpu")
    assert spins.reason == "ended by signal 24 (CPU time limit exceeded)"
    opened = "import os\nfor _ in range(50): os.dup(0)"
    assert "Too many open files" in run(cluster, python(opened, limits={"open_files": 20}), "files").reason


def test_a_timeout_kills_the_whole_group(cluster, tmp_path):
    pids = tmp_path / "pids"
    text = f"sleep 600 & echo $! >> {pids}; echo $$ >> {pids}; wait"
    report = run(cluster, shell(text, timeout_seconds=0.5))
    assert (report.outcome, report.reason) == ("failed", "killed after timeout_seconds, 0.5")
    assert len(pids.read_text().split()) == 2
    until(lambda: not any(alive(pid) for pid in pids.read_text().split()))


def test_what_a_command_leaves_behind_is_killed_when_it_ends(cluster, tmp_path):
    pids = tmp_path / "pids"
    assert run(cluster, shell(f"sleep 600 & echo $! >> {pids}")).outcome == "done"
    until(lambda: not any(alive(pid) for pid in pids.read_text().split()))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_devices_are_held_while_a_command_runs(cluster):
    cluster.launch([launch("k1", shell("sleep 600"), devices=1), launch("k2", shell("sleep 600"), device_share=300)])
    assert list(cluster.offers()[0].devices) == [0, 700]
    end_all(cluster, ["k1", "k2"])
    assert list(cluster.offers()[0].devices) == [1000, 1000]


def test_inputs_are_found_below_their_directory_only(cluster, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "inputs" / "link").symlink_to(tmp_path / "secret")
    names = ["a.bin", "../secret", str(tmp_path / "secret"), "link", "a\0b", "", "none"]
    found = cluster.fetch(names, concurrency=4)
    assert [one.reason == "" for one in found] == [True, *[False] * 6]
    assert found[0].value == {"path": str(tmp_path / "inputs" / "a.bin"), "size": 5}


AGENT = """
import sys, time, threading
from pathlib import Path
from offermatch.model import Offer
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.process.processes import ProcessCluster
cluster = ProcessCluster(Offer("one", {"cpu": 4, "memory": 2**33}, devices=2), Path(sys.argv[1]))
"""


def agent_that(text, directory):
    """Run an agent of its own that ends without a farewell."""
    program = AGENT + text + "\nimport os; os._exit(9)"
    done = subprocess.run([sys.executable, "-c", program, str(directory)], check=False, capture_output=True, text=True)
    assert done.returncode == 9, done.stderr


def test_an_agent_that_dies_adopts_what_runs_and_knows_what_has_ended(tmp_path):
    go, starts = tmp_path / "go", tmp_path / "starts"
    waits = f"echo $$ >> {starts}; while [ ! -e {go} ]; do sleep 0.05; done; exit 4"
    agent_that(
        f"""
def launch(key, command, **asked):
    payload = {{"command": ["sh", "-c", command]}}
    assert cluster.launch([Launch(key, key, "one", {{"cpu": 1000}}, payload=payload, **asked)])[0].refusal is None
launch("quick", "true")
launch("waits", {waits!r}, device_share=300)
launch("cancelled", "sleep 600")
launch("ends-alone", "while [ ! -e {go} ]; do sleep 0.05; done")
while cluster.reports(["quick"])[0].outcome == "running" or not Path({str(starts)!r}).exists():
    time.sleep(0.02)
""",
        tmp_path / "agent",
    )
    cluster = ProcessCluster(SERVER, tmp_path / "agent")
    keys = ["quick", "waits", "cancelled", "ends-alone"]
    assert [one.outcome for one in cluster.reports(keys)] == ["done", "running", "running", "running"]
    assert (cluster.offers()[0].available["cpu"], cluster.offers()[0].devices) == ("1000m", [700, 1000])
    # No key is started again, whoever asks.
    assert [cluster.launch([launch(key, shell("sleep 600"))])[0].refusal for key in keys] == [None] * 4
    cluster.cancel(["cancelled"])
    report = ended(cluster, "cancelled")
    assert (report.outcome, report.reason) == ("failed", "cancelled")
    go.touch()
    assert ended(cluster, "waits").reason == "exit code 4"
    assert ended(cluster, "ends-alone").outcome == "done"
    assert len(starts.read_text().split()) == 1
    assert (cluster.offers()[0].available["cpu"], cluster.offers()[0].devices) == ("4000m", [1000, 1000])
    before = cluster.reports(keys)
    cluster.close()
    again = ProcessCluster(SERVER, tmp_path / "agent")
    assert again.reports(keys) == before
    again.close()


def test_what_is_gone_with_its_agent_is_lost(tmp_path):
    agent_that(
        """
cluster.launch([Launch(key, key, "one", {"cpu": 1000}, payload={"command": ["sleep", "600"]}) for key in ("k1", "k2")])
import os, signal
for run in cluster._runs.values():
    os.kill(run.process.pid, signal.SIGKILL)
    run.process.wait()
""",
        tmp_path / "agent",
    )
    cluster = ProcessCluster(SERVER, tmp_path / "agent")
    assert [ended(cluster, key).outcome for key in ("k1", "k2")] == ["lost", "lost"]
    assert cluster.launch([launch("k1", shell("true"))])[0].refusal is None
    assert cluster.reports(["k1"])[0].outcome == "lost"
    assert cluster.offers()[0].available["cpu"] == "4000m"
    cluster.close()


def test_an_agent_that_dies_between_writing_and_starting_does_not_start_it_later(tmp_path):
    agent_that(
        """
import os
from offermatch.scheduler.cluster.process import processes
processes.start = lambda directory: os._exit(9)
cluster.launch([Launch("k1", "t", "one", {"cpu": 1000}, payload={"command": ["touch", "started"]})])
""",
        tmp_path / "agent",
    )
    cluster = ProcessCluster(SERVER, tmp_path / "agent")
    cluster.cancel(["k1"])
    assert ended(cluster, "k1").outcome in ("lost", "failed")
    assert cluster.launch([launch("k1", shell("true"))])[0].refusal is None
    assert cluster.reports(["k1"])[0].outcome in ("lost", "failed")
    assert not list(tmp_path.rglob("started"))
    cluster.close()


def test_an_outcome_of_a_journal_that_was_removed_is_not_believed(tmp_path):
    for payload, outcome in ((shell("true"), "done"), (shell("exit 7"), "failed")):
        cluster = ProcessCluster(SERVER, tmp_path)
        assert run(cluster, payload).outcome == outcome
        cluster.close()
        (tmp_path / "journal.jsonl").unlink()


def test_a_cancelled_key_is_remembered_over_a_restart(tmp_path):
    agent_that("cluster.cancel(['k1'])", tmp_path / "agent")
    cluster = ProcessCluster(SERVER, tmp_path / "agent")
    assert cluster.launch([launch("k1", shell("sleep 600"))])[0].refusal is None
    assert (cluster.reports(["k1"])[0].outcome, cluster.offers()[0].available["cpu"]) == ("failed", "4000m")
    cluster.close()


LONG_AGO = 1e9


def test_what_was_forgotten_is_gone_from_the_disk_and_refused_after_a_restart(tmp_path):
    cluster = ProcessCluster(SERVER, tmp_path)
    run(cluster, shell("true"), "k1", sent_at=LONG_AGO)
    run(cluster, shell("true"), "k2", sent_at=time.time())
    cluster.forget(["k1", "k2"])
    cluster.close()
    assert len(list((tmp_path / "runs").iterdir())) == 1
    again = ProcessCluster(SERVER, tmp_path)
    assert [one.outcome for one in again.reports(["k1", "k2"])] == ["unknown", "done"]
    assert again.launch([launch("k1", shell("sleep 600"), sent_at=LONG_AGO)])[0].refusal == "launch-late"
    again.close()
    # What the store knew before the restart is known after it: nobody has to say it again.
    later = ProcessCluster(SERVER, tmp_path, kept_seconds=0.0)
    later.forget([])
    assert later.reports(["k2"])[0].outcome == "unknown"
    later.close()


def test_the_journal_stays_short_and_says_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("offermatch.scheduler.cluster.process.processes._FEW", 8)
    with processes(tmp_path) as cluster:
        journal = tmp_path / "one" / "journal.jsonl"
        cluster.launch([launch("lasts", shell("sleep 600"), sent_at=LONG_AGO, devices=1)])
        run(cluster, shell("exit 3"), "kept", sent_at=time.time())
        cluster.cancel(["never-came"])
        for at in range(12):
            run(cluster, shell("true"), f"k{at}", sent_at=LONG_AGO + at)
            cluster.forget([f"k{at}", "kept"])
            assert len(journal.read_bytes().splitlines()) <= 8 + 4 * 4
        keys = ["lasts", "kept", "never-came", "k3"]
        before, offers = cluster.reports(keys), cluster.offers()
        cluster.close()
        with processes(tmp_path) as again:
            assert again.reports(keys) == before
            assert [one.outcome for one in before] == ["running", "failed", "failed", "unknown"]
            assert again.offers() == offers
            assert again.launch([launch("k11", shell("true"), sent_at=LONG_AGO + 11)])[0].refusal == "launch-late"
            end_all(again, ["lasts"])


def test_a_journal_is_replaced_as_a_whole_and_stays_locked(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append({"one": 1})
    journal.rewrite([{"two": 2}, {"three": 3}])
    journal.append({"four": 4})
    assert journal.lines == 3
    with pytest.raises(ClusterError) as caught:
        Journal(path)
    assert caught.value.code == "journal-busy"
    path.with_name("journal.jsonl.new").mkdir()
    with pytest.raises(ClusterError) as caught:
        journal.rewrite([])
    assert caught.value.code == "journal-unusable"
    journal.append({"five": 5})
    journal.close()
    again = Journal(path)
    assert [list(entry) for entry in again.entries] == [["two"], ["three"], ["four"], ["five"]]
    again.close()


def test_two_agents_cannot_have_one_directory(tmp_path):
    cluster = ProcessCluster(SERVER, tmp_path)
    with pytest.raises(ClusterError) as caught:
        ProcessCluster(SERVER, tmp_path)
    assert caught.value.code == "journal-busy"
    cluster.close()
    ProcessCluster(SERVER, tmp_path).close()


def test_a_line_that_was_being_written_is_dropped_and_nothing_else(tmp_path):
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append({"one": 1})
    journal.append({"two": "\u2028"})
    journal.close()
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole[:cut])
        again = Journal(path)
        assert len(again.entries) == whole[:cut].count(b"\n")
        again.append({"three": 3})
        again.close()
        assert json.loads(path.read_bytes().splitlines()[-1]) == {"three": 3}


ENDED = {"ended": "k", "outcome": "done", "reason": "", "at": 1.0}


@pytest.mark.parametrize("line", ["{", "[]", '{"taken": 7}', json.dumps({**ENDED, "outcome": "eaten"}), json.dumps(ENDED)])
def test_a_journal_that_was_changed_is_refused(tmp_path, line):
    (tmp_path / "journal.jsonl").write_text(line + "\n")
    with pytest.raises(ClusterError) as caught:
        ProcessCluster(SERVER, tmp_path)
    assert caught.value.code == "journal-malformed"
    # Whoever repairs it needs no new process to try again.
    (tmp_path / "journal.jsonl").write_text("")
    ProcessCluster(SERVER, tmp_path).close()


def test_a_directory_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ClusterError) as caught:
        ProcessCluster(SERVER, tmp_path / "file" / "below")
    assert caught.value.code == "journal-unusable"


def test_the_command_serves_this_machine_and_goes_on_where_it_was(tmp_path):
    arguments = ["--directory", str(tmp_path), "--name", "one", "--cpu", "2", "--memory", "4GiB", "--devices", "1"]
    token = tmp_path / "token"
    token.write_text("secret\n")
    token.chmod(0o600)
    arguments += ["--attribute", "zone=north", "--token-file", str(token)]
    process, url = started(*arguments)
    cluster = HttpCluster([url], token="secret", timeout_seconds=60.0)
    try:
        (offer,) = cluster.offers()
        assert (offer.name, offer.available, offer.attributes) == (
            "one",
            {"cpu": "2000m", "memory": 4 * GIB},
            {"zone": "north"},
        )
        # What the agent knows, a command cannot read.
        check = shell(f"! env | grep secret && ! grep -a secret /proc/{process.pid}/environ /proc/{process.pid}/cmdline")
        assert [one.refusal for one in cluster.launch([launch("k1", check), launch("k2", shell("sleep 600"))])] == [
            None,
            None,
        ]
        assert ended(cluster, "k1").outcome == "done"
    finally:
        cluster.close()
        stop(process)
    process, url = started(*arguments)
    cluster = HttpCluster([url], token="secret", timeout_seconds=60.0)
    try:
        assert [one.outcome for one in cluster.reports(["k1", "k2"])] == ["done", "running"]
        cluster.cancel(["k2"])
        assert ended(cluster, "k2").outcome == "failed"
    finally:
        cluster.close()
        stop(process)


def test_the_command_offers_what_it_may_use_of_the_machine(tmp_path):
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        process, url = started("--directory", str(tmp_path))
    finally:
        os.sched_setaffinity(0, allowed)
    cluster = HttpCluster([url], timeout_seconds=60.0)
    try:
        (offer,) = cluster.offers()
        assert offer.available == {"cpu": f"{min(1000, machine.millicores())}m", "memory": machine.memory()}
    finally:
        cluster.close()
        stop(process)


def agent_refused(*arguments, **more):
    command = [sys.executable, "-m", "offermatch", "agent", *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "OFFERMATCH_AGENT_TOKEN"} | more
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=120)


def test_the_command_listens_elsewhere_only_with_a_token(tmp_path):
    done = agent_refused("--directory", str(tmp_path), "--listen", "0.0.0.0:0")
    assert done.returncode == 1
    assert "error[setting-malformed]" in done.stderr
    assert "--token-file" in done.stderr


def test_a_token_that_others_can_read_is_refused(tmp_path):
    token = tmp_path / "token"
    listen = ["--directory", str(tmp_path), "--listen", "127.0.0.1:0", "--token-file", str(token)]
    for text, mode, told in (
        (None, 0, "No such file"),
        ("secret", 0o640, "chmod 600"),
        ("", 0o600, "there is no token in it"),
        ("two words", 0o600, "there is no token in it"),
        ("é", 0o600, "not ASCII"),
    ):
        if text is not None:
            token.write_text(text, encoding="utf-8")
            token.chmod(mode)
        done = agent_refused(*listen)
        assert done.returncode == 1
        assert told in done.stderr


def test_a_token_in_the_environment_is_refused(tmp_path):
    done = agent_refused("--directory", str(tmp_path), "--listen", "127.0.0.1:0", OFFERMATCH_AGENT_TOKEN="secret")
    assert done.returncode == 1
    assert "--token-file" in done.stderr


@pytest.mark.parametrize("listen", ["8321", "here:8321", "127.0.0.1:99999"])
def test_the_command_says_how_to_name_an_address(tmp_path, listen):
    done = agent_refused("--directory", str(tmp_path), "--listen", listen)
    assert done.returncode == 2
    assert "is not ADDRESS:PORT" in done.stderr


def test_the_scheduler_runs_tasks_on_two_agents(tmp_path):
    (tmp_path / "inputs").mkdir()
    (tmp_path / "inputs" / "words.txt").write_text("hello")
    tasks = [
        {"name": "count", "demand": {"cpu": "1 core"}, "inputs": ["words.txt"], "payload": shell("cat $OFFERMATCH_PAYLOAD")},
        {"name": "after", "demand": {"cpu": "2 cores"}, "needs": ["count"], "payload": shell("true")},
        {"name": "beside", "demand": {"cpu": "2 cores"}, "payload": shell("true")},
        {"name": "broken", "demand": {"cpu": "1 core"}, "payload": shell("echo no >&2; exit 2"), "retries": 1},
    ]
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))
    store = f"sqlite:///{tmp_path}/tasks.db"
    agents = [
        started(
            "--directory", str(tmp_path / name), "--name", name, "--cpu", "2 cores", "--inputs", str(tmp_path / "inputs")
        )
        for name in ("one", "two")
    ]
    try:
        addresses = ",".join(url for _, url in agents)
        assert offermatch("submit", "--store", store, str(tmp_path / "tasks.json")).returncode == 0
        done = offermatch("run", "--store", store, "--cluster", addresses, "--drain", "--interval", "0.05")
        assert done.returncode == 0, done.stderr
        where = ["--store", store, "--cluster", addresses]
        assert json.loads(offermatch("tasks", "logs", "count", *where).stdout)["command"][0] == "sh"
        assert offermatch("tasks", "logs", "broken", "--stderr", "--attempt", "1", *where).stdout == "no\n"
        assert offermatch("tasks", "logs", "broken", "--stderr", "--most", "1", *where).stdout == "\n"
        for wrong in (["count", "--attempt", "9"], ["nobody"]):
            done = offermatch("tasks", "logs", *wrong, *where)
            assert done.returncode == 1
            assert "error[output-unknown]" in done.stderr or "error[task-unknown]" in done.stderr
    finally:
        for process, _ in agents:
            stop(process)
    said = offermatch("tasks", "list", "--store", store).stdout
    assert "3 done  1 failed" in said
    assert "exit code 2: no" in said
    # Each attempt ran once, and the one with an input found it.
    runs = [json.loads(path.read_text()) for path in tmp_path.glob("*/runs/*/payload.json")]
    assert len(runs) == 3 + 2
    assert [one["inputs"]["words.txt"]["size"] for one in runs if "inputs" in one] == [5]


def offermatch(*arguments):
    command = [sys.executable, "-m", "offermatch", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)


# ---- what fills up -------------------------------------------------------------------------------------------------


def test_output_is_kept_up_to_a_limit_and_the_last_line_is_told_all_the_same(tmp_path):
    with processes(tmp_path, most_output=1000) as cluster:
        text = "import sys; print('x' * 10**6); sys.stderr.write('y' * 10**6 + '\\nat the very end\\n'); sys.exit(3)"
        report = run(cluster, python(text))
        assert report.reason == "exit code 3: at the very end"
        assert run(cluster, python(text, limits={"output": 10}), "k2").outcome == "failed"
        sizes = sorted(path.stat().st_size for path in (tmp_path / "one" / "runs").glob("*/std*"))
        assert sizes == [10, 10, 1000, 1000]


def test_so_many_commands_run_and_no_more(tmp_path):
    with processes(tmp_path, most_running=3) as cluster:
        launches = [Launch(f"k{at}", "t", "one", {}, payload=shell("sleep 600")) for at in range(5)]
        answers = cluster.launch(launches)
        assert [one.refusal for one in answers] == [None, None, None, "offer-full", "offer-full"]
        assert "3 commands run" in answers[3].reason
        # What was refused was not written down.
        assert [one.outcome for one in cluster.reports(["k3", "k4"])] == ["unknown", "unknown"]


def test_few_descriptors_allow_for_few_commands(tmp_path):
    text = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 64))
from pathlib import Path
from offermatch import Offer
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.process.processes import ProcessCluster
cluster = ProcessCluster(Offer("one", {"cpu": "4 cores"}), Path(sys.argv[1]), most_running=90)
keys = [f"k{at}" for at in range(90)]
print([one.refusal for one in cluster.launch([Launch(k, k, "one", payload={"command": ["sleep", "9"]}) for k in keys])])
cluster.cancel(keys)
while any(one.outcome == "running" for one in cluster.reports(keys)):
    cluster.wait(0.1)
cluster.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", text, str(tmp_path)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str([None] * 12 + ["offer-full"] * 78)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 4 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can be mounted by root only")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_what_ended_well_on_a_full_disk_is_done_and_can_be_cancelled(small_disk):
    cluster = ProcessCluster(SERVER, small_disk / "one")
    fills = "cat /dev/zero > filler 2>/dev/null; echo lost; exit 0"
    assert cluster.launch([launch("k1", shell("sleep 600")), launch("k2", shell(fills))])[0].refusal is None
    report = ended(cluster, "k2")
    assert (report.outcome, report.reason) == ("done", "")
    assert os.statvfs(small_disk).f_bavail == 0
    # Nothing new begins, and nothing of it is known.
    refused = cluster.launch([launch("k3", shell("true"))])[0]
    assert refused.refusal == "unreachable"
    assert "No space left" in refused.reason
    assert cluster.reports(["k3"])[0].outcome == "unknown"
    # What runs can be ended, and that is remembered.
    cluster.cancel(["k1"])
    assert ended(cluster, "k1").outcome == "failed"
    cluster.close()
    for path in small_disk.glob("one/runs/*/filler"):
        path.unlink()
    again = ProcessCluster(SERVER, small_disk / "one")
    assert [one.outcome for one in again.reports(["k1", "k2"])] == ["failed", "done"]
    again.close()


def test_a_disk_that_fills_before_a_supervisor_begins_takes_no_room_from_it(small_disk):
    place = small_disk / "run"
    asked = launch("k1", shell("echo heard >&2; exit 3"))
    supervised.prepare(place, asked, limit_memory=False, dies_with_us=False)
    subprocess.run(["sh", "-c", "cat /dev/zero > filler"], cwd=small_disk, stderr=subprocess.DEVNULL, check=False)
    assert os.statvfs(small_disk).f_bavail == 0
    process = supervised.start(place)
    process.wait()
    report = supervised.outcome(place, "k1", cancelled=False)
    assert (report.outcome, report.reason) == ("failed", "exit code 3: heard")
    assert int((place / "lock").read_text()) == process.pid
    assert (place / "supervisor.log").read_text() == ""


def test_a_command_learns_which_devices_are_its_own(cluster, tmp_path):
    text = 'echo "$OFFERMATCH_DEVICES|$CUDA_VISIBLE_DEVICES|$OFFERMATCH_DEVICE_SHARE"; exec sleep 600'
    asked = {"k1": {"devices": 1}, "k2": {"device_share": 600}, "k3": {"device_share": 400}, "k4": {}}
    for key, devices in asked.items():
        assert cluster.launch([launch(key, shell(text), **devices)])[0].refusal is None
    # Two shares of one device never meet above 1000.
    assert cluster.launch([launch("k5", shell(text), device_share=1)])[0].refusal == "offer-full"
    outputs = [tmp_path / "one" / "runs" / path.name for path in (tmp_path / "one" / "runs").iterdir()]
    until(lambda: all((path / "stdout").exists() and (path / "stdout").read_text().endswith("\n") for path in outputs))
    assert sorted((path / "stdout").read_text() for path in outputs) == ["0|0|\n", "1|1|400\n", "1|1|600\n", "||\n"]
    end_all(cluster, list(asked))
