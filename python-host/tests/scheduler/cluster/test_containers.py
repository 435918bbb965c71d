"""Container engines: what a container gets, and what happens when an engine, a name or an image is not as it should be."""

import time
from contextlib import contextmanager

import pytest

from engines import IMAGE
from liars import liar
from offermatch.errors import ClusterError, InputError
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.container import ContainerCluster, Engine
from offermatch.tables.input import offer_columns

GIB = 2**30
MIB = 2**20


@pytest.fixture
def engine(engines):
    yield engines[0]
    engines[0].clear()


@contextmanager
def cluster_on(engine, **settings):
    shared = {
        "name": "one",
        "available": {"cpu": 4, "memory": 8 * GIB},
        "devices": 2,
        "image": IMAGE,
        "device_driver": None,
    }
    cluster = ContainerCluster([Engine(engine.address, **(shared | settings))])
    try:
        yield cluster
    finally:
        cluster.close()


def launch(cluster, key, *command, demand=None, sent_at=0.0, devices=0, device_share=0, **payload):
    payload = {"command": list(command), "network": "none", **payload}
    demand = {"cpu": 500, "memory": 64 * MIB} if demand is None else demand
    asked = Launch(key, f"task of {key}", "one", demand, devices, device_share, payload, sent_at)
    return cluster.launch([asked])[0]


def ended(cluster, key, patience=60):
    deadline = time.monotonic() + patience
    while (report := cluster.reports([key])[0]).outcome == "running":
        assert time.monotonic() < deadline, f"{key} does not end"
        time.sleep(0.02)
    return report


def free(cluster):
    table = offer_columns(cluster.offers(), None)
    return {name: column[0] for name, column in table.available.items()}


def settings_of(engine, key):
    client = engine_client(engine)
    try:
        return client.inspect_container(f"offermatch-{key}")["HostConfig"]
    finally:
        client.close()


def engine_client(engine):
    import docker

    return docker.APIClient(engine.address, version="auto")


def test_a_container_gets_what_its_task_was_given_and_no_more(engine):
    with cluster_on(engine) as cluster:
        assert launch(cluster, "k1", "sleep", "600", processes=17).refusal is None
        settings = settings_of(engine, "k1")
    assert settings["NanoCpus"] == 500_000_000
    assert (settings["Memory"], settings["MemorySwap"]) == (64 * MIB, 64 * MIB)
    assert settings["PidsLimit"] == 17
    assert "no-new-privileges" in settings["SecurityOpt"]


def test_a_task_that_uses_more_memory_than_it_asked_for_fails_and_the_machine_does_not(engine):
    with cluster_on(engine) as cluster:
        # busybox keeps the last line, and there is only one.
        assert launch(cluster, "k1", "sh", "-c", "tail /dev/zero").refusal is None
        report = ended(cluster, "k1")
    assert report.outcome == "failed"
    assert report.reason.startswith("exit status 137")


def test_devices_are_told_by_their_numbers_and_shares_meet_on_one(engine):
    show = ("sh", "-c", "echo $CUDA_VISIBLE_DEVICES/$OFFERMATCH_DEVICES; sleep 600")
    with cluster_on(engine) as cluster:
        for key, asked in {
            "half": {"device_share": 500},
            "other half": {"device_share": 500},
            "whole": {"devices": 1},
        }.items():
            assert launch(cluster, key, *show, **asked).refusal is None
        assert launch(cluster, "more", *show, device_share=1).refusal == "offer-full"
        deadline = time.monotonic() + 60
        while not all(seen := [cluster.logs(key).decode().strip() for key in ("half", "other half", "whole")]):
            assert time.monotonic() < deadline
        assert seen == ["0/0", "0/0", "1/1"]


def test_the_environment_and_the_exit_status_are_the_tasks_own(engine):
    with cluster_on(engine) as cluster:
        launch(cluster, "k1", "sh", "-c", "echo $WORD; echo last words >&2; exit 7", environment={"WORD": "seen"})
        report = ended(cluster, "k1")
        assert report.reason == "exit status 7: last words"
        assert cluster.logs("k1") == b"seen\nlast words\n"
        with pytest.raises(ClusterError, match="never"):
            cluster.logs("never")


def test_a_task_that_runs_too_long_is_ended(engine):
    with cluster_on(engine) as cluster:
        launch(cluster, "k1", "sleep", "600", timeout_seconds=0.2)
        report = ended(cluster, "k1")
    assert (report.outcome, report.reason) == ("failed", "it ran longer than its timeout of 0.2 s")


def test_what_others_run_is_not_offered(engine):
    with cluster_on(engine) as cluster:
        before = free(cluster)
        engine.run("run", "--detach", "--network=none", "--cpus=1.5", "--memory=1g", IMAGE, "sleep", "600")
        after = free(cluster)
    assert before == {"cpu": 4000, "memory": 8 * GIB}
    assert after == {"cpu": 2500, "memory": 7 * GIB}


def test_without_figures_of_its_own_an_engine_offers_its_machine(engine):
    client = engine_client(engine)
    machine = client.info()
    client.close()
    with cluster_on(engine, available=None, name=None, devices=0) as cluster:
        assert free(cluster) == {"cpu": 1000 * machine["NCPU"], "memory": machine["MemTotal"]}
        assert cluster.offers()[0].name == machine["Name"]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"image": "localhost/never-made:1", "pull": "never"}, "never-made"),
        ({"command": ["no-such-program"]}, "no-such-program"),
        ({"image": 7}, "image is 7"),
        ({"pull": "often"}, "pull is 'often'"),
        ({"processes": 0}, "processes is 0"),
        ({"network": ""}, "network is ''"),
        ({"mounts": [{"source": "/etc", "target": "/etc"}]}, "'/etc' cannot be mounted"),
        ({"mounts": [{"source": "/data/../etc", "target": "/x"}]}, "cannot be mounted"),
        ({"mounts": [{"source": "/data", "target": "x"}]}, "is no mount"),
        ({"mounts": "all"}, "mounts is 'all'"),
        ({"command": "true"}, "command is 'true'"),
    ],
)
def test_a_payload_that_cannot_run_leaves_nothing_behind(engine, payload, reason):
    with cluster_on(engine, folders=("/data",)) as cluster:
        asked = {"command": ["true"], "network": "none", **payload}
        answer = cluster.launch([Launch("k1", "t", "one", {"cpu": 1}, payload=asked)])[0]
        assert answer.refusal == "payload-refused"
        assert reason in answer.reason
        assert cluster.reports(["k1"])[0].outcome == "unknown"
        assert free(cluster) == {"cpu": 4000, "memory": 8 * GIB}
    assert engine.run("ps", "--all", "--quiet") == ""


def test_a_folder_that_may_be_mounted_is_there_to_read(engine, tmp_path):
    (tmp_path / "input").write_text("from the machine")
    mount = {"source": str(tmp_path), "target": "/inputs"}
    with cluster_on(engine, folders=(str(tmp_path),)) as cluster:
        launch(cluster, "k1", "cat", "/inputs/input", mounts=[mount])
        assert ended(cluster, "k1").outcome == "done"
        assert cluster.logs("k1") == b"from the machine"
        launch(cluster, "k2", "sh", "-c", "echo changed > /inputs/input", mounts=[mount])
        assert ended(cluster, "k2").outcome == "failed"
    assert (tmp_path / "input").read_text() == "from the machine"


def test_a_name_that_somebody_else_has_taken_is_not_started(engine):
    engine.run("create", "--name=offermatch-k1", "--network=none", IMAGE, "sleep", "600")
    with cluster_on(engine) as cluster:
        answer = launch(cluster, "k1", "true")
        assert answer.refusal == "offer-full"
        assert "somebody else" in answer.reason
        assert cluster.reports(["k1"])[0].outcome == "unknown"
    assert engine.run("ps", "--quiet") == ""


def test_another_process_goes_on_where_one_was_killed(engine):
    with cluster_on(engine) as first:
        launch(first, "runs", "sleep", "600")
        launch(first, "ends", "true")
        ended(first, "ends")
        first.cancel(["never-came"])
        # As if the process had been killed between creating a container and starting it.
        first._engines[0].start = lambda key: ""
        launch(first, "created", "true")
    with cluster_on(engine) as second:
        outcomes = [one.outcome for one in second.reports(["runs", "ends", "never-came", "created"])]
        assert outcomes == ["running", "done", "failed", "unknown"]
        assert launch(second, "ends", "sleep", "600").refusal is None
        assert launch(second, "never-came", "true").refusal is None
        assert launch(second, "created", "true").refusal is None
        assert ended(second, "created").outcome == "done"
        assert [one.outcome for one in second.reports(["ends", "never-came"])] == ["done", "failed"]


def test_a_container_that_waits_to_be_started_is_cancelled_for_good(engine):
    with cluster_on(engine) as cluster:
        start = cluster._engines[0].start
        cluster._engines[0].start = lambda key: ""
        launch(cluster, "k1", "sleep", "600")
        cluster._engines[0].start = start
        cluster.cancel(["k1"])
        assert launch(cluster, "k1", "sleep", "600").refusal is None
        assert cluster.reports(["k1"])[0].outcome == "failed"
    assert engine.run("ps", "--all", "--quiet") == ""


def test_what_is_forgotten_leaves_nothing_behind_also_after_a_restart(engine):
    long_ago = time.time() - 7 * 86400
    with cluster_on(engine) as first:
        launch(first, "k1", "true", sent_at=long_ago)
        launch(first, "k2", "true", sent_at=time.time())
        for key in ("k1", "k2"):
            ended(first, key)
        first.forget(["k2"])
        first.forget(["k1"])
        assert [one.outcome for one in first.reports(["k1", "k2"])] == ["unknown", "done"]
    with cluster_on(engine) as second:
        assert launch(second, "k1", "sleep", "600", sent_at=long_ago).refusal == "launch-late"
        assert second.reports(["k2"])[0].outcome == "done"
    names = engine.run("ps", "--all", "--format={{.Names}}").split()
    assert names == ["offermatch-k2"]


def test_an_engine_that_is_away_is_told_and_its_launches_are_taken_to_run(engine):
    with cluster_on(engine) as cluster:
        launch(cluster, "k1", "sleep", "600")
        engine.stop()
        try:
            with pytest.raises(ClusterError) as caught:
                cluster.offers()
            assert caught.value.code == "cluster-unreachable"
            assert list(cluster.problems) == [engine.address]
            assert launch(cluster, "k2", "true").refusal == "unreachable"
            assert cluster.reports(["k1"])[0].outcome == "running"
            cluster.cancel(["k1"])
            assert cluster.reports(["k1"])[0].outcome == "running"
        finally:
            engine.start()
        # Only a call that has told the engine ends it.
        assert cluster.reports(["k1"])[0].outcome == "running"
        cluster.cancel(["k1"])
        assert ended(cluster, "k1").outcome == "failed"
        assert not cluster.problems


def test_one_engine_that_is_away_does_not_hide_the_other(engines):
    away = Engine("unix:///nowhere/podman.sock", "away")
    here = Engine(engines[1].address, "here", {"cpu": "1 cores"}, image=IMAGE)
    cluster = ContainerCluster([away, here])
    try:
        assert [offer.name for offer in cluster.offers()] == ["here"]
        assert list(cluster.problems) == [away.address]
    finally:
        cluster.close()


@contextmanager
def answering(**lies):
    """What answers as an engine of 4 cores, but for what it is to say instead."""
    honest = {"info": {"NCPU": 4, "MemTotal": 8 * GIB, "Name": "honest"}, "containers/json": [], "volumes": {"Volumes": []}}
    says = {"version": {"ApiVersion": "1.41"}, **honest, **lies}

    def answer(handler, body):
        path = handler.path.partition("?")[0]
        found = next((found for name, found in says.items() if path.endswith(f"/{name}")), (404, {"message": "not found"}))
        return found if isinstance(found, tuple) else (200, found)

    with liar(answer) as server:
        yield server.url.replace("http://", "tcp://")


def labelled(text):
    return {"containers/json": [{"State": "running", "Id": "i", "Labels": {"offermatch.launch": text}}]}


@pytest.mark.parametrize(
    "lies",
    [
        {"version": b"no json"},
        {"version": {}},
        {"info": b"no json"},
        {"info": []},
        {"info": 5},
        {"info": {"NCPU": -4, "MemTotal": 1, "Name": "liar"}},
        {"info": {"NCPU": 10**30, "MemTotal": 1, "Name": "liar"}},
        {"info": {"NCPU": 4, "MemTotal": None, "Name": "liar"}},
        {"containers/json": ["everything"]},
        {"containers/json": [{"State": "running"}]},
        labelled("no json"),
        labelled("[]"),
        labelled('{"demand": {"cpu": "many"}}'),
        {"volumes": []},
        {"volumes": {"Volumes": ["everything"]}},
    ],
    ids=str,
)
def test_an_engine_that_answers_what_none_answers_does_not_hide_the_other(lies):
    with answering() as good, answering(**lies) as bad:
        cluster = ContainerCluster([Engine(good), Engine(bad)])
        try:
            assert [offer.name for offer in cluster.offers()] == ["honest"]
            assert list(cluster.problems) == [bad]
            # Whether it runs there, nobody knows who cannot ask.
            assert cluster.reports(["k1"])[0].outcome in ("running", "unknown")
            assert cluster.launch([Launch("k1", "t", "liar", {"cpu": 1})])[0].refusal == "offer-gone"
        finally:
            cluster.close()


THEIRS = {"Config": {"Labels": {"offermatch.key": "another"}}}
NO_IMAGE = (404, {"message": "No such image: absent:1"})


@pytest.mark.parametrize(
    ("says", "refusal", "reason"),
    [
        # Docker's own words, where Podman's are other ones.
        (
            {"containers/create": (409, {"message": "the name is in use"}), "containers/offermatch-k1/json": THEIRS},
            "offer-full",
            "a container of somebody else is called offermatch-k1",
        ),
        (
            {"containers/create": NO_IMAGE, "images/create": {"error": "manifest unknown"}},
            "payload-refused",
            "image absent:1: manifest unknown",
        ),
        (
            {"containers/create": NO_IMAGE, "images/create": (404, {"message": "pull access denied"})},
            "payload-refused",
            "image absent:1: pull access denied",
        ),
        ({"containers/create": NO_IMAGE, "images/create": {"status": "done"}}, "payload-refused", "No such image: absent:1"),
        (
            {"containers/create": (403, {"message": "authorization denied by plugin"})},
            "payload-refused",
            "image absent:1: authorization denied by plugin",
        ),
        ({"containers/create": (500, {"message": "no space left on device"})}, "unreachable", "no space left on device"),
        ({"containers/create": (503, {"message": "it is stopping"})}, "unreachable", "it is stopping"),
    ],
    ids=str,
)
def test_an_engine_that_refuses_is_quoted_and_its_room_is_free_again(says, refusal, reason):
    with answering(**says) as address:
        cluster = ContainerCluster([Engine(address, "one", {"cpu": "4 cores"})])
        try:
            answer = cluster.launch([Launch("k1", "t", "one", {"cpu": 4000}, payload={"image": "absent:1"})])[0]
            assert answer.refusal == refusal
            assert reason in answer.reason
            # That it does not do its work is the engine's problem, a payload that it refuses is not.
            assert (address in cluster.problems) == (refusal == "unreachable")
            assert free(cluster) == {"cpu": 4000}
        finally:
            cluster.close()


def test_of_two_engines_with_one_name_the_first_is_believed(engines):
    cluster = ContainerCluster([Engine(one.address, "same", {"cpu": "1 cores"}) for one in engines])
    try:
        assert len(cluster.offers()) == 1
        assert list(cluster.problems) == [engines[1].address]
    finally:
        cluster.close()


def test_an_engine_is_named_by_a_text():
    found = Engine.of(
        "tcp://node-1:2376?name=n&tls=/etc/tls&devices=4&memory=60GiB&folder=/data&folder=/more&device_driver=none"
    )
    assert found == Engine(
        "tcp://node-1:2376", "n", {"memory": "60GiB"}, 4, folders=("/data", "/more"), device_driver=None, tls="/etc/tls"
    )


@pytest.mark.parametrize("text", ["node-1", "file:///etc", "unix:///s?devices=-1", "unix:///s?memory=lots"])
def test_an_engine_that_cannot_be_is_refused(text):
    with pytest.raises(InputError):
        Engine.of(text)
