"""Kubernetes as a cluster: what its nodes and pods mean, and every way in which its API server may refuse."""

import gc
import json
import ssl
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import trustme

from liars import liar
from offermatch import Task
from offermatch.errors import ClusterError, InputError
from offermatch.kubernetes.api import Api, RefusedError, decoded, path_of
from offermatch.kubernetes.reflector import Reflector
from offermatch.scheduler.cluster import Launch
from offermatch.scheduler.cluster.adapters import connect
from offermatch.scheduler.cluster.kubernetes import KubernetesCluster, Place
from offermatch.scheduler.cluster.kubernetes.pod import pod_name, report_of
from offermatch.tables.input import offer_columns
from sites import GIB, add_node, kubernetes, node


@pytest.fixture
def site(kubeconfig):
    with kubernetes(kubeconfig) as made:
        yield made


@pytest.fixture
def doubled(apiserver):
    """The cluster on the double, whatever server the others run on: here it is forced to do what servers seldom do."""
    with kubernetes(apiserver.kubeconfig) as made:
        yield made


@pytest.fixture
def api(kubeconfig):
    made = Api(kubeconfig=str(kubeconfig))
    yield made
    made.close()


def until(true, patience=30.0):
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)


def plain_pod(name, node=None, **requests):
    container = {"name": "main", "image": "absent", "resources": {"requests": requests}}
    spec = {"containers": [container], "automountServiceAccountToken": False, "schedulerName": "nobody"}
    return {"kind": "Pod", "metadata": {"name": name}, "spec": {**spec, **({"nodeName": node} if node else {})}}


def stored(api, key):
    return api.found(path_of("Pod", "default", pod_name(key)))


def offers(site):
    return {offer.name: offer for offer in site.cluster.offers()}


# ---- nodes as offers ---------------------------------------------------------------------------------------------------


def test_offers_are_what_nodes_have_less_the_pods_of_anybody(site, api):
    pod = plain_pod("others", "one", cpu="1500m", memory="1Gi")
    pod["spec"]["initContainers"] = [{"name": "first", "image": "absent", "resources": {"requests": {"cpu": "3"}}}]
    api.create(path_of("Pod", "default"), pod)
    until(lambda: site.free_cores(0) == 1)
    table = offer_columns(list(site.cluster.offers()), None)
    row = table.names.index("one")
    assert table.available["memory"][row] == 7 * GIB
    assert table.capacity["cpu"][row] == 4000
    assert table.available["pods"][row] == 109
    assert site.free_cores(1) == 4


def test_labels_are_attributes_and_extended_resources_are_dimensions(site, api):
    made = node("three", {"topology.kubernetes.io/zone": "z1", "empty": ""})
    made["status"]["allocatable"] = made["status"]["capacity"] = {"cpu": "2", "memory": "1Gi", "example.com/licence": "3"}
    add_node(api, made)
    until(lambda: "three" in offers(site))
    offer = offers(site)["three"]
    assert offer.attributes["topology.kubernetes.io/zone"] == "z1"
    assert offer.attributes["kubernetes.io/hostname"] == "three"
    assert offer.attributes["exists:empty"] == "yes"
    assert int(offer.available["example.com/licence"]) == 3
    assert offers(site)["one"].devices == [1000, 1000]


@pytest.mark.parametrize("taint", [{"key": "k", "value": "v", "effect": "NoSchedule"}, {"key": "k", "effect": "NoExecute"}])
def test_a_tainted_node_makes_no_offer_unless_its_taint_is_tolerated(site, api, kubeconfig, taint):
    api.patch(path_of("Node", None, "one"), {"spec": {"taints": [taint]}})
    until(lambda: list(offers(site)) == ["two"])
    tolerant = KubernetesCluster(Place.of(f"?kubeconfig={kubeconfig}&tolerate=k&image=task"))
    try:
        assert {one.name for one in tolerant.offers()} == {"one", "two"}
        assert tolerant.launch([Launch("k1", "t", "one", {"cpu": 1000}, payload=site.works)])[0].refusal is None
        assert stored(api, "k1")["spec"]["tolerations"][0]["key"] == "k"
    finally:
        tolerant.close()


def test_a_soft_taint_keeps_nothing_away(site, api):
    api.patch(path_of("Node", None, "one"), {"spec": {"taints": [{"key": "k", "effect": "PreferNoSchedule"}]}})
    time.sleep(0.2)
    assert set(offers(site)) == {"one", "two"}


def test_a_cordoned_node_and_one_that_is_not_ready_make_no_offer(site, api):
    api.patch(path_of("Node", None, "one"), {"spec": {"unschedulable": True}})
    api.patch(path_of("Node", None, "two", "status"), {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}})
    until(lambda: not offers(site))
    assert site.launch("k1", site.works).refusal == "offer-gone"


@pytest.mark.parametrize("allocatable", [{"cpu": "many"}, {"cpu": "-4"}, ["everything"], {"cpu": 10**40}])
def test_a_node_that_cannot_be_read_is_named_and_does_not_hide_the_others(doubled, apiserver, allocatable):
    api = Api(kubeconfig=str(apiserver.kubeconfig))
    bad = node("bad")
    bad["status"]["allocatable"] = allocatable
    add_node(api, bad)
    api.close()
    until(lambda: offers(doubled) and "bad" in doubled.cluster.problems)
    assert set(offers(doubled)) == {"one", "two"}
    assert doubled.launch("k1", doubled.works).refusal is None


def test_a_node_with_a_pod_that_cannot_be_read_is_named_and_makes_no_offer(doubled, apiserver):
    api = Api(kubeconfig=str(apiserver.kubeconfig))
    api.create(path_of("Pod", "default"), plain_pod("odd", "two", cpu="lots"))
    api.close()
    until(lambda: list(offers(doubled)) == ["one"])
    assert "default/odd" in doubled.cluster.problems["two"]


def test_only_selected_nodes_make_offers(site, api, kubeconfig):
    api.patch(path_of("Node", None, "two"), {"metadata": {"labels": {"pool": "batch"}}})
    selected = connect(f"kubernetes:?kubeconfig={kubeconfig}&selector=pool%3Dbatch")
    try:
        assert [one.name for one in selected.offers()] == ["two"]
    finally:
        selected.close()


def test_a_node_that_takes_no_more_pods_is_full(site, api):
    api.patch(
        path_of("Node", None, "one", "status"), {"status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "1"}}}
    )
    until(lambda: int(offers(site)["one"].available["pods"]) == 1)
    launches = [Launch(f"k{at}", "t", "one", {"cpu": 100}, payload=site.lasts) for at in range(2)]
    assert [one.refusal for one in site.cluster.launch(launches)] == [None, "offer-full"]


# ---- launches as pods --------------------------------------------------------------------------------------------------


def test_a_launch_is_a_pod_with_requests_that_are_its_limits(site, api):
    payload = {**site.lasts, "environment": {"A": "b"}, "timeout_seconds": 90, "pull": "never"}
    demand = {"cpu": 1250, "memory": GIB}
    assert site.cluster.launch([Launch("k1", "t", "one", demand, devices=1, payload=payload)])[0].refusal is None
    spec = stored(api, "k1")["spec"]
    container = spec["containers"][0]
    assert spec["nodeName"] == "one"
    assert spec["restartPolicy"] == "Never"
    assert spec["activeDeadlineSeconds"] == 90
    assert container["command"] == ["sleep", "600"]
    assert container["env"] == [{"name": "A", "value": "b"}]
    assert container["imagePullPolicy"] == "Never"
    limits = container["resources"]["limits"]
    assert limits["cpu"] in ("1250m", "1.25")
    assert limits["memory"] in (str(GIB), "1Gi")
    assert limits["nvidia.com/gpu"] == "1"
    assert offers(site)["one"].devices == [1000, 0]


def test_an_out_of_memory_kill_and_a_timeout_say_so(site):
    site.launch("k1", {"command": ["eat"]})
    assert "more memory than it asked for" in site.ended("k1").reason
    site.launch("k2", {**site.lasts, "timeout_seconds": 1})
    report = site.ended("k2")
    assert (report.outcome, report.reason) == ("failed", "it ran longer than its timeout of 1 s")


def test_the_reason_of_a_failure_is_the_last_line_that_was_written(site):
    site.launch("k1", site.fails)
    assert site.ended("k1").reason == "exit status 3: told so"


def test_an_image_that_is_not_there_ends_the_launch_with_the_reason(site):
    site.launch("k1", {**site.works, "image": "absent:1"})
    report = site.ended("k1")
    assert report.outcome == "failed"
    assert report.reason == "image absent:1: ErrImageNeverPull: it is not present"


def test_an_image_that_may_still_come_has_failed_after_its_time(site, api):
    site.launch("k1", site.lasts)

    def waits(since):
        waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "the registry is away"}}
        state = [{"name": "task", "image": "far/away:1", "imageID": "", "ready": False, "restartCount": 0, "state": waiting}]
        status = {"startTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "phase": "Pending", "containerStatuses": state}
        api.patch(path_of("Pod", "default", pod_name("k1"), "status"), {"status": status})

    now = datetime.now(timezone.utc)
    waits(now - timedelta(seconds=60))
    time.sleep(0.2)
    assert site.report("k1").outcome == "running"
    waits(now - timedelta(seconds=180))
    report = site.ended("k1")
    assert (report.outcome, report.reason) == ("failed", "image far/away:1: ImagePullBackOff: the registry is away")


@pytest.mark.parametrize(
    "payload",
    [
        {"image": ""},
        {"mounts": []},
        {"network": "none"},
        {"processes": 5},
        {"service_account": 5},
        {"image": "a", "command": "true"},
        {"image": "a", "timeout_seconds": -1},
    ],
)
def test_what_a_pod_cannot_say_is_refused(site, payload):
    assert site.launch("k1", payload).refusal == "payload-refused"


def test_a_share_of_a_device_is_refused(site):
    answer = site.cluster.launch([Launch("k1", "t", "one", {"cpu": 1000}, device_share=500, payload=site.works)])[0]
    assert answer.refusal == "payload-refused"


def test_a_name_that_is_taken_by_somebody_else_is_neither_started_nor_touched(site, api):
    made = api.create(path_of("Pod", "default"), plain_pod(pod_name("k1")))
    assert site.launch("k1", site.works).refusal == "offer-full"
    assert site.report("k1").outcome == "unknown"
    site.cluster.cancel(["k1"])
    assert stored(api, "k1")["metadata"]["uid"] == made["metadata"]["uid"]
    assert not stored(api, "k1")["spec"].get("nodeName")


@pytest.mark.parametrize("key", ["k", "K", "a/b", "-", "x2dx", "é", "long" * 100, "a-", "A" * 90])
def test_every_key_has_a_name_of_its_own(site, key):
    assert site.launch(key, site.works).refusal is None
    assert site.ended(key).outcome == "done"


def test_names_of_different_keys_differ():
    keys = ["a", "A", "x41x", "-", "x2dx", "a-", "a--", "a-x2dx"]
    assert len({pod_name(key) for key in keys}) == len(keys)


def test_a_pod_that_somebody_deletes_is_still_reported(site, api):
    site.launch("k1", site.lasts)
    api.delete(path_of("Pod", "default", pod_name("k1")))
    report = site.ended("k1")
    assert (report.outcome, report.reason) == ("failed", "exit status 137; its pod was deleted")
    assert site.launch("k1", site.lasts).refusal is None
    assert site.report("k1") == report


def test_what_a_kubelet_refused_or_evicted_is_lost():
    for reason in ("OutOfcpu", "Evicted", "NodeShutdown", "Preempting"):
        pod = {"metadata": {"annotations": {}}, "spec": {"nodeName": "one"}, "status": {"phase": "Failed", "reason": reason}}
        report = report_of("k", pod, node_is_there=True)
        assert report.outcome == "lost"
        assert reason in report.reason


def test_events_are_the_history_of_a_launch(site, api):
    site.launch("k1", site.lasts)
    about = {"kind": "Pod", "namespace": "default", "name": pod_name("k1")}
    for at, reason in (("2026-01-01T00:00:02Z", "Started"), ("2026-01-01T00:00:01Z", "Pulled")):
        event = {
            "kind": "Event",
            "metadata": {"generateName": "e-"},
            "involvedObject": about,
            "reason": reason,
            "message": "m",
        }
        api.create(path_of("Event", "default"), {**event, "lastTimestamp": at})
    assert site.cluster.history("k1") == ["2026-01-01T00:00:01Z Pulled: m", "2026-01-01T00:00:02Z Started: m"]


def test_a_log_is_the_output(doubled, apiserver):
    doubled.launch("k1", doubled.lasts)
    apiserver.objects.logs["default", pod_name("k1")] = "x" * 10 + "the end"
    output = doubled.cluster.output("k1", "stdout", 7)
    assert (output.text, output.size) == ("the end", 17)
    assert doubled.cluster.output("k1", "stderr") is None
    assert doubled.cluster.output("never", "stdout") is None


def test_what_is_forgotten_leaves_nothing_behind(site, api):
    long_ago = time.time() - 7 * 86400
    site.launch("k1", site.works, sent_at=long_ago)
    site.ended("k1")
    site.cluster.forget(["k1"])
    assert stored(api, "k1") is None
    assert json.loads(api.get(path_of("ConfigMap", "default", "offermatch-horizon"))["data"]["sent-at"]) == long_ago


def test_another_process_goes_on_forgetting(site, api, kubeconfig):
    just_now = time.time() - 3599.0
    site.launch("k1", site.works, sent_at=just_now)
    site.ended("k1")
    site.cluster.forget(["k1"])
    assert stored(api, "k1") is not None
    other = KubernetesCluster(Place(kubeconfig=str(kubeconfig)))
    try:
        until(lambda: other.forget([]) or stored(api, "k1") is None)
    finally:
        other.close()


# ---- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_node_that_goes_in_mid_cycle_takes_no_launch_and_loses_what_runs(site, api):
    site.launch("k1", site.lasts)
    api.delete(path_of("Node", None, "one"))
    until(lambda: "one" not in offers(site))
    assert site.launch("k2", site.works).refusal == "offer-gone"
    report = site.report("k1")
    assert (report.outcome, report.reason) == ("lost", "its node one is gone")


def test_a_node_that_goes_between_creating_and_binding_leaves_no_pod(site, api, monkeypatch):
    create = site.cluster._create

    def late(*pair):
        made = create(*pair)
        api.delete(path_of("Node", None, "one"))
        until(lambda: not site.cluster._nodes.has("one"))
        return made

    monkeypatch.setattr(site.cluster, "_create", late)
    assert site.launch("k1", site.works).refusal == "offer-gone"
    assert stored(api, "k1") is None


def test_a_quota_that_refuses_is_told_and_nothing_is_left(site, api):
    quota = {"kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}
    api.create(path_of("ResourceQuota", "default"), quota)
    status = {"status": {"hard": {"pods": "1"}, "used": {"pods": "0"}}}
    api.patch(path_of("ResourceQuota", "default", "few", "status"), status)
    until(lambda: api.get(path_of("ResourceQuota", "default", "few"))["status"].get("hard"))
    answers = [site.launch(f"k{at}", site.lasts) for at in range(3)]
    assert answers[0].refusal is None
    assert {one.refusal for one in answers[1:]} == {"offer-full"}
    assert "exceeded quota: few" in answers[2].reason
    assert site.report("k2").outcome == "unknown"
    api.delete(path_of("ResourceQuota", "default", "few"))


def test_a_pod_that_another_scheduler_bound_is_known_and_not_bound_again(doubled, apiserver, monkeypatch):
    create = doubled.cluster._create

    def bound(launch, pod):
        made = create(launch, pod)
        apiserver.do(lambda: apiserver.objects.bind("default", made["metadata"]["name"], {"target": {"name": "two"}}))
        return made

    monkeypatch.setattr(doubled.cluster, "_create", bound)
    assert doubled.launch("k1", doubled.lasts).refusal is None
    until(lambda: (doubled.free_cores(0), doubled.free_cores(1)) == (4, 3))


def test_a_key_cancelled_between_creating_and_binding_does_not_start(site, api, kubeconfig, monkeypatch):
    create = site.cluster._create
    other = KubernetesCluster(Place(kubeconfig=str(kubeconfig)))

    def cancelled(launch, pod):
        made = create(launch, pod)
        other.cancel([launch.key])
        return made

    monkeypatch.setattr(site.cluster, "_create", cancelled)
    try:
        assert site.launch("k1", site.lasts).refusal is None
        report = site.ended("k1")
        assert (report.outcome, report.reason) == ("failed", "it was cancelled")
        assert not stored(api, "k1")["spec"].get("nodeName")
    finally:
        other.close()


def test_a_scheduler_that_dies_before_binding_leaves_a_pod_that_its_key_starts_once(site, api, kubeconfig, monkeypatch):
    monkeypatch.setattr(
        site.cluster, "_start", lambda pair, *_: (_ for _ in ()).throw(ClusterError("cluster-closed", "died"))
    )
    with pytest.raises(ClusterError):
        site.launch("k1", site.lasts)
    other = KubernetesCluster(Place(kubeconfig=str(kubeconfig), image="task"))
    try:
        assert other.reports(["k1"])[0].outcome == "unknown"
        assert not stored(api, "k1")["spec"].get("nodeName")
        launch = Launch("k1", "t", "two", {"cpu": 1000}, payload=site.lasts)
        assert other.launch([launch])[0].refusal is None
        assert stored(api, "k1")["spec"]["nodeName"] == "two"
    finally:
        other.close()


@pytest.mark.parametrize("fault", [500, 503, "lost"])
@pytest.mark.parametrize("path", [r".*/pods", r".*/binding"])
def test_an_answer_that_fails_is_asked_again_and_starts_once(doubled, apiserver, fault, path):
    apiserver.force("POST", path, fault)
    assert doubled.launch("k1", doubled.lasts).refusal == "unreachable"
    assert doubled.launch("k1", doubled.lasts).refusal is None
    assert doubled.report("k1").outcome == "running"
    assert doubled.free_cores(0) == 3


@pytest.mark.parametrize("path", [r".*/pods", r".*/binding"])
def test_a_refusal_without_a_remedy_is_quoted_and_the_key_is_asked_again(doubled, apiserver, path):
    apiserver.force("POST", path, 403)
    answer = doubled.launch("k1", doubled.lasts)
    assert answer.refusal == "unreachable"
    assert "it was forced" in answer.reason
    assert doubled.free_cores(0) == 4
    assert doubled.launch("k1", doubled.lasts).refusal is None
    assert doubled.report("k1").outcome == "running"


@pytest.mark.parametrize("status", [400, 422])
def test_a_pod_that_the_server_does_not_take_is_the_payloads_fault(doubled, apiserver, api, status):
    apiserver.force("POST", r".*/pods", status)
    answer = doubled.launch("k1", doubled.lasts)
    assert (answer.refusal, answer.reason) == ("payload-refused", f"{status} Forced: it was forced")
    assert doubled.report("k1").outcome == "unknown"


def test_a_server_that_is_busy_is_asked_again_by_itself(doubled, apiserver):
    apiserver.force("POST", r".*/pods", 429, times=2)
    assert doubled.launch("k1", doubled.lasts).refusal is None


def test_a_cancellation_that_cannot_be_told_is_running_until_it_is(doubled, apiserver):
    apiserver.force("POST", r".*/pods", 500)
    doubled.cluster.cancel(["k1"])
    assert doubled.report("k1").outcome == "running"
    doubled.cluster.cancel(["k1"])
    assert doubled.report("k1").outcome == "failed"


def test_a_horizon_that_another_writes_at_the_same_time_stays_the_later(doubled, apiserver):
    doubled.cluster._ready()
    doubled.cluster._raise_horizon(100.0)
    apiserver.force("PUT", r".*/offermatch-horizon", 409)
    doubled.cluster._raise_horizon(300.0)
    doubled.cluster._raise_horizon(200.0)
    assert apiserver.objects.get("configmaps", "default", "offermatch-horizon")["data"]["sent-at"] == "300.0"


def test_a_server_that_is_away_is_an_error_of_the_whole_cluster(tmp_path, apiserver):
    configured(apiserver, tmp_path, server="http://127.0.0.1:9").close()
    cluster = KubernetesCluster(Place(kubeconfig=str(tmp_path / "config")))
    try:
        with pytest.raises(ClusterError) as caught:
            cluster.offers()
        assert caught.value.code == "cluster-unreachable"
        assert cluster.problems
    finally:
        cluster.close()


def test_a_server_and_its_client_are_known_by_their_certificates(tmp_path, apiserver):
    ours, theirs = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    ours.issue_cert("127.0.0.1").configure_cert(context)
    ours.configure_trust(context)
    for name, authority in (("ours", ours), ("theirs", theirs)):
        authority.cert_pem.write_to_path(str(tmp_path / f"{name}.ca"))
        client = authority.issue_cert("client")
        client.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / f"{name}.client"))
    with liar(lambda handler, body: (200, {"gitVersion": "safe"})) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        for authority, client, is_known in (("ours", "ours", True), ("theirs", "ours", False), ("ours", "theirs", False)):
            config = json.loads(apiserver.kubeconfig.read_text())
            config["clusters"][0]["cluster"] = {
                "server": server.url.replace("http:", "https:"),
                "certificate-authority": str(tmp_path / f"{authority}.ca"),
            }
            pem = str(tmp_path / f"{client}.client")
            config["users"][0]["user"] = {"client-certificate": pem, "client-key": pem}
            (tmp_path / "config").write_text(json.dumps(config))
            other = Api(kubeconfig=str(tmp_path / "config"))
            if is_known:
                assert other.get("/version") == {"gitVersion": "safe"}
            else:
                with pytest.raises(ClusterError) as caught:
                    other.get("/version")
                assert caught.value.code == "cluster-unreachable"
            other.close()


@pytest.mark.parametrize(
    "told",
    [
        b"<html>",
        b"\xff",
        5,
        "all is well",
        {},
        [],
        {"items": 5},
        {"items": ["everything"]},
        {"items": [{}]},
        {"items": [{"metadata": {"name": 5}}], "metadata": 5},
    ],
    ids=str,
)
def test_a_server_that_answers_what_none_answers_is_named_and_makes_no_offer(tmp_path, apiserver, told):
    with liar(lambda handler, body: (200, told)) as server:
        configured(apiserver, tmp_path, server=server.url).close()
        cluster = KubernetesCluster(Place(kubeconfig=str(tmp_path / "config")))
        try:
            with pytest.raises(ClusterError) as caught:
                cluster.offers()
            assert caught.value.code == "cluster-unreachable"
            assert cluster.problems["nodes"] or cluster.problems["pods"]
        finally:
            cluster.close()


def test_credentials_that_do_not_hold_are_named(tmp_path, kubeconfig, api):
    text = Path(kubeconfig).read_text()
    token = api._client.configuration.api_key["BearerToken"].removeprefix("Bearer ")
    (tmp_path / "config").write_text(text.replace(token, "wrong"))
    other = Api(kubeconfig=str(tmp_path / "config"))
    with pytest.raises(RefusedError) as caught:
        other.get(path_of("Node"))
    assert caught.value.status in (401, 403)
    other.close()


def configured(apiserver, folder, **cluster):
    config = json.loads(apiserver.kubeconfig.read_text())
    config["clusters"][0]["cluster"].update(cluster)
    (folder / "config").write_text(json.dumps(config))
    return Api(kubeconfig=str(folder / "config"))


def test_a_server_behind_a_proxy_is_reached(tmp_path, apiserver):
    served = json.loads(apiserver.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    other = configured(apiserver, tmp_path, **{"server": "http://nowhere.invalid", "proxy-url": served})
    assert other.get("/version") == {"gitVersion": "double"}
    other.close()


def test_a_server_below_a_path_is_asked_there(tmp_path, apiserver):
    with liar(lambda handler, body: (200, {"asked": handler.path})) as server:
        other = configured(apiserver, tmp_path, server=f"{server.url}/clusters/one/")
        assert other.get("/version", limit=1) == {"asked": "/clusters/one/version?limit=1"}
        other.close()


@pytest.mark.parametrize("text", ["kubernetes:no-such-context", "kubernetes:?kubeconfig=/nowhere", "kubernetes:?colour=red"])
def test_a_cluster_that_cannot_be_named_is_refused(text, kubeconfig, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    with pytest.raises(InputError) as caught:
        connect(text)
    assert caught.value.code == "setting-malformed"


# ---- the watch ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def watched(apiserver):
    made = Api(kubeconfig=str(apiserver.kubeconfig))
    reflector = Reflector(made, path_of("ConfigMap"))
    reflector.start()
    reflector.check(10)
    yield reflector, made
    reflector.stop()
    for one in made.pages(path_of("ConfigMap"))[0]:
        made.delete(path_of("ConfigMap", "default", one["metadata"]["name"]))
    made.close()


def config_map(name, **data):
    return {"kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_watch_that_breaks_goes_on_from_where_it_was(watched, apiserver):
    reflector, api = watched
    lists = reflector.lists
    for at in range(5):
        api.create(path_of("ConfigMap", "default"), config_map(f"m{at}"))
        until(lambda at=at: f"default/m{at}" in reflector.items)
        apiserver.break_watches()
    api.delete(path_of("ConfigMap", "default", "m0"))
    until(lambda: "default/m0" not in reflector.items)
    assert reflector.lists == lists
    assert reflector.problem == ""


@pytest.mark.parametrize(
    "line",
    [
        b"no json\n",
        b"[]\n",
        b'{"type": "ADDED"}\n',
        b'{"type": "ADDED", "object": {"metadata": {}}}\n',
        b'{"type": "ADDED", "object": {"metadata": {"resourceVersion": "1"}}}\n',
        b'{"type": "ERROR", "object": 5}\n',
        b'{"type": "ERROR", "object": {"code": 500, "message": "it is broken"}}\n',
    ],
)
def test_an_event_that_cannot_be_read_ends_the_watch_and_another_goes_on(watched, apiserver, line):
    reflector, api = watched
    api.create(path_of("ConfigMap", "default"), config_map("before"))
    until(lambda: "default/before" in reflector.items)
    apiserver.say(line)
    api.create(path_of("ConfigMap", "default"), config_map("after"))
    until(lambda: "default/after" in reflector.items)
    assert set(reflector.items) == {"default/before", "default/after"}


def test_a_version_that_is_forgotten_is_listed_anew(watched, apiserver):
    reflector, api = watched
    lists = reflector.lists
    api.create(path_of("ConfigMap", "default"), config_map("stays"))
    api.create(path_of("ConfigMap", "default"), config_map("goes"))
    until(lambda: "default/goes" in reflector.items)

    def while_nobody_watches():
        apiserver.break_now()
        apiserver.objects.remove("configmaps", apiserver.objects.get("configmaps", "default", "goes"))
        apiserver.objects.compact()

    apiserver.do(while_nobody_watches)
    until(lambda: reflector.lists > lists)
    until(lambda: "default/goes" not in reflector.items)
    assert "default/stays" in reflector.items


GONE = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
LISTED = {"metadata": {"resourceVersion": "7"}, "items": []}


@pytest.mark.parametrize(
    ("listed", "watched", "reason"),
    [
        ((200, LISTED), (200, b""), "the watch ended as it began"),
        ((200, LISTED), (200, {"type": "ERROR", "object": GONE}), "410 Expired: too old resource version"),
        ((200, LISTED), (410, GONE), "410 Expired: too old resource version"),
        ((410, GONE), (410, GONE), "410 Expired: too old resource version"),
        ((500, b"it is broken"), (500, b"it is broken"), "500 it is broken"),
    ],
    ids=str,
)
def test_what_goes_wrong_again_and_again_is_named_and_tried_less_and_less(tmp_path, apiserver, listed, watched, reason):
    def answer(handler, body):
        status, found = watched if "watch=true" in handler.path else listed
        return status, found if isinstance(found, bytes) else json.dumps(found).encode() + b"\n"

    with liar(answer) as server:
        other = configured(apiserver, tmp_path, server=server.url)
        reflector, pauses = Reflector(other, path_of("ConfigMap")), []
        reflector._stopped.wait = lambda seconds: (pauses.append(seconds), len(pauses) > 8 and reflector._stopped.set())
        reflector.start()
        reflector._thread.join()
        # The last is as long as it gets. A list and a watch come before each, and twice more where a version is forgotten.
        assert pauses == sorted(pauses)
        assert pauses[-1] == 10.0
        assert len(server.asked) <= 2 * (len(pauses) + 2)
        assert reason in reflector.problem
        other.close()


def test_a_list_in_pages_whose_version_is_forgotten_begins_again(watched, apiserver, monkeypatch):
    _, api = watched
    monkeypatch.setattr("offermatch.kubernetes.api._PAGE", 2)
    for at in range(5):
        api.create(path_of("ConfigMap", "default"), config_map(f"m{at}"))
    get, calls = api.get, []

    def compacting(path, **query):
        calls.append(query)
        if len(calls) == 2:
            api.create(path_of("ConfigMap", "default"), config_map("m5"))
            apiserver.do(apiserver.objects.compact)
        return get(path, **query)

    monkeypatch.setattr(api, "get", compacting)
    found, _ = api.pages(path_of("ConfigMap"))
    assert len(found) == 6
    assert [query.get("continue") is None for query in calls] == [True, False, True, False, False]


def test_a_list_that_begins_again_in_the_middle_gives_what_there_is_in_the_end(watched, apiserver, monkeypatch):
    _, api = watched
    monkeypatch.setattr("offermatch.kubernetes.api._PAGE", 2)
    for at in range(5):
        api.create(path_of("ConfigMap", "default"), config_map(f"m{at}"))
    pages, heard, changes = api.pages, [], []

    def meddling(path, each, **query):
        def and_then(page):
            each(page)
            heard.append([one["metadata"]["name"] for one in page])
            if len(heard) == 1:
                # One that was heard goes, one comes, and their version is forgotten.
                api.delete(path_of("ConfigMap", "default", "m0"))
                api.create(path_of("ConfigMap", "default"), config_map("m5"))
                apiserver.do(apiserver.objects.compact)

        return pages(path, and_then, **query)

    monkeypatch.setattr(api, "pages", meddling)
    other = Reflector(api, path_of("ConfigMap"), lambda *change: changes.append(change))
    other.start()
    other.check(10)
    other.stop()
    assert heard == [["m0", "m1"], ["m1", "m2"], ["m3", "m4"], ["m5"]]
    assert set(other.items) == {f"default/m{at}" for at in range(1, 6)}
    gone = [before["metadata"]["name"] for before, now in changes if now is None]
    assert (gone, len(changes)) == (["m0"], 7)


def test_pages_of_a_list_are_of_one_version(watched, apiserver, monkeypatch):
    _, api = watched
    monkeypatch.setattr("offermatch.kubernetes.api._PAGE", 2)
    for at in range(4):
        api.create(path_of("ConfigMap", "default"), config_map(f"m{at}"))
    found, _ = api.pages(
        path_of("ConfigMap"), lambda page: api.delete(path_of("ConfigMap", "default", page[-1]["metadata"]["name"]))
    )
    assert [one["metadata"]["name"] for one in found] == ["m0", "m1", "m2", "m3"]


def test_who_wrote_which_field_is_not_kept(watched):
    reflector, api = watched
    made = config_map("m", a="1")
    made["metadata"]["managedFields"] = [{"manager": "kubectl", "fieldsV1": {"f:data": {"f:a": {}}}}]
    api.create(path_of("ConfigMap", "default"), made)
    until(lambda: "default/m" in reflector.items)
    assert "managedFields" not in reflector.items["default/m"]["metadata"]
    assert reflector.items["default/m"]["data"] == {"a": "1"}


@pytest.mark.parametrize("collects", [True, False])
def test_the_collector_is_after_a_reading_what_it_was_before(collects):
    was = gc.isenabled()
    try:
        (gc.enable if collects else gc.disable)()
        assert decoded(b'{"a": [1]}') == {"a": [1]}
        with pytest.raises(ValueError, match="Expecting value"):
            decoded(b"<html>")
        assert gc.isenabled() is collects
    finally:
        (gc.enable if was else gc.disable)()


def test_what_was_deleted_does_not_come_back_by_a_late_answer(watched):
    reflector, api = watched
    made = api.create(path_of("ConfigMap", "default"), config_map("m"))
    until(lambda: "default/m" in reflector.items)
    api.delete(path_of("ConfigMap", "default", "m"))
    until(lambda: "default/m" not in reflector.items)
    reflector.put(made)
    assert "default/m" not in reflector.items


def test_a_later_object_is_not_replaced_by_an_earlier_answer(watched):
    reflector, api = watched
    first = api.create(path_of("ConfigMap", "default"), config_map("m", a="1"))
    api.patch(path_of("ConfigMap", "default", "m"), {"data": {"a": "2"}})
    until(lambda: reflector.items.get("default/m", {}).get("data") == {"a": "2"})
    reflector.put(first)
    assert reflector.items["default/m"]["data"] == {"a": "2"}


def test_a_task_asks_for_what_a_node_offers(site, matcher):
    answer = matcher.match([Task("t", {"cpu": 3, "memory": "2GiB"})], list(site.cluster.offers()), mode="shared")
    assert answer.assignments[0].offer in ("one", "two")
