"""The scheduler of pods, on an API server."""

import os
import threading
import time
from pathlib import Path

import pytest
import yaml

from offermatch import ReferenceMatcher
from offermatch.kubernetes.api import Api, RefusedError, path_of
from offermatch.kubernetes.election import Election
from offermatch.kubernetes.scheduler import KubernetesScheduler
from sites import add_node, clear, node

PODS = path_of("Pod", "default")


@pytest.fixture
def api(kubeconfig):
    made = Api(kubeconfig=str(kubeconfig))
    clear(made)
    yield made
    clear(made)
    made.close()


@pytest.fixture
def doubled(apiserver):
    made = Api(kubeconfig=str(apiserver.kubeconfig))
    clear(made)
    yield made
    clear(made)
    made.close()


class Running:
    """A scheduler that runs on a thread."""

    def __init__(self, api, **settings):
        self.scheduler = KubernetesScheduler(api, ReferenceMatcher(), **{"elect": False, "interval": 0.01, **settings})
        self._thread = threading.Thread(target=self.scheduler.run)

    def __enter__(self):
        self._thread.start()
        return self.scheduler

    def __exit__(self, *_):
        self.scheduler.close()
        self._thread.join()


def pod(name, labels=None, *, scheduler="offermatch", containers=None, **spec):
    main = {"name": "main", "image": "absent", "resources": {"requests": {"cpu": "1", "memory": "64Mi"}}}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {
            "schedulerName": scheduler,
            "containers": containers or [main],
            "automountServiceAccountToken": False,
            **spec,
        },
    }


def asking(**requests):
    return [{"name": "main", "image": "absent", "resources": {"requests": requests}}]


def until(true, patience=30.0):
    deadline = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.02)
    return found


def placed(api):
    found, _ = api.pages(PODS)
    return {one["metadata"]["name"]: one["spec"].get("nodeName") for one in found}


def condition(api, name):
    for one in api.get(f"{PODS}/{name}")["status"].get("conditions") or []:
        if one["type"] == "PodScheduled" and one["status"] == "False":
            return one
    return None


def events(api, name):
    found, _ = api.pages(path_of("Event", "default"), fieldSelector=f"involvedObject.name={name}")
    return {one["reason"]: one for one in found}


def test_pods_that_name_it_are_bound_and_no_others(api):
    add_node(api, node("one"))
    for made in (pod("ours"), pod("theirs", scheduler="default-scheduler")):
        api.create(PODS, made)
    with Running(api):
        until(lambda: placed(api)["ours"] == "one")
        time.sleep(0.2)
    assert placed(api) == {"ours": "one", "theirs": None}


def test_a_batch_never_takes_more_than_there_is(api):
    for name in ("one", "two"):
        add_node(api, node(name))
    # Somebody else's pod holds part of a node, its init container more than all others.
    theirs = pod("theirs", scheduler="nobody", nodeName="one")
    theirs["spec"]["initContainers"] = asking(cpu="3")
    theirs["spec"]["initContainers"][0]["name"] = "first"
    api.create(PODS, theirs)
    for at in range(8):
        api.create(PODS, pod(f"p{at}"))
    with Running(api) as scheduler:
        until(lambda: sum(value is not None for value in placed(api).values()) == 6)
        until(lambda: all(condition(api, name) for name, where in placed(api).items() if where is None))
        until(lambda: scheduler.bound == 5)
    found = placed(api)
    assert [list(found.values()).count(name) for name in ("one", "two")] == [2, 4]
    waiting = next(name for name, where in found.items() if where is None)
    assert condition(api, waiting)["reason"] == "Unschedulable"
    assert condition(api, waiting)["message"] == "0/2 nodes are available: 2 have too little cpu"
    event = until(lambda: events(api, waiting).get("FailedScheduling"))
    assert (event["type"], event["source"]["component"]) == ("Warning", "offermatch")


def test_what_becomes_free_is_used(api):
    add_node(api, node("one"))
    api.create(PODS, pod("big", containers=asking(cpu="4")))
    with Running(api):
        until(lambda: placed(api)["big"])
        api.create(PODS, pod("next"))
        until(lambda: condition(api, "next"))
        api.patch(f"{PODS}/big/status", {"status": {"phase": "Succeeded"}})
        until(lambda: placed(api)["next"] == "one")


def test_a_higher_priority_goes_first_and_then_the_earliest(doubled):
    add_node(doubled, node("one"))
    for name, priority in (("low", 0), ("high", 10), ("also-low", 0)):
        doubled.create(PODS, pod(name, priority=priority, containers=asking(cpu="2")))
    with Running(doubled):
        until(lambda: sum(map(bool, placed(doubled).values())) == 2)
    assert placed(doubled)["high"] == "one"


def test_affinity_taints_and_cordons_hold(api):
    for name, labels in (("one", {"zone": "a"}), ("two", {"zone": "b"}), ("three", {"zone": "b"}), ("four", {"zone": "c"})):
        add_node(api, node(name, labels))
    api.patch(path_of("Node", None, "three"), {"spec": {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}})
    api.patch(path_of("Node", None, "four"), {"spec": {"unschedulable": True}})
    zones = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b", "c"]}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": zones}}
    tolerations = [{"key": "gpu", "operator": "Exists"}]
    api.create(PODS, pod("affine", affinity=affinity))
    api.create(PODS, pod("tolerant", tolerations=tolerations, nodeSelector={"kubernetes.io/hostname": "three"}))
    api.create(PODS, pod("nowhere", nodeSelector={"zone": "c"}))
    with Running(api):
        until(lambda: condition(api, "nowhere"))
        until(lambda: placed(api)["tolerant"] and placed(api)["affine"])
    assert placed(api) == {"affine": "two", "tolerant": "three", "nowhere": None}
    message = condition(api, "nowhere")["message"]
    assert message.startswith("0/4 nodes are available: ")
    assert "rule on zone" in message


def test_a_rule_that_is_not_served_is_named(api):
    add_node(api, node("one"))
    api.create(PODS, pod("odd", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}]))
    api.create(PODS, pod("plain"))
    with Running(api):
        told = until(lambda: events(api, "odd").get("NotServed"))
        until(lambda: placed(api)["plain"])
        refused = until(lambda: condition(api, "odd"))
    assert "a persistent volume claim (data)" in told["message"]
    assert refused["message"] == told["message"]
    assert placed(api)["odd"] is None


def test_namespaces_are_selected_by_the_labels_that_they_have_now(doubled):
    # Servers before 1.21 drop namespaceSelector, as that which `make test-kubernetes` builds.
    api = doubled
    for name in ("one", "two"):
        add_node(api, node(name, {"zone": name}))
    made = api.create(path_of("Namespace"), {"kind": "Namespace", "metadata": {"name": "red", "labels": {"team": "blue"}}})
    where = path_of("Pod", "red")
    api.create(where, pod("there", {"app": "db"}, scheduler="nobody", nodeName="two"))
    term = {
        "topologyKey": "zone",
        "labelSelector": {"matchLabels": {"app": "db"}},
        "namespaceSelector": {"matchLabels": {"team": "red"}},
    }
    rule = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    api.create(PODS, pod("beside", affinity={"podAffinity": rule}))
    api.create(PODS, pod("apart", {"app": "db"}, affinity={"podAntiAffinity": rule}))
    with Running(api) as scheduler:
        until(lambda: placed(api)["apart"])
        refused = until(lambda: condition(api, "beside"))
        assert "didn't match pod affinity rules (zone)" in refused["message"]
        api.patch(f"{path_of('Namespace')}/red", {"metadata": {"labels": {"team": "red"}}})
        until(lambda: placed(api)["beside"] == "two")
        api.create(PODS, pod("apart-too", {"app": "db"}, affinity={"podAntiAffinity": rule}))
        until(lambda: placed(api)["apart-too"] == "one")
    assert scheduler.problems == {}
    api.delete(f"{where}/there", grace_seconds=0)
    api.delete(f"{path_of('Namespace')}/red", made["metadata"]["uid"])


def test_a_port_of_a_node_is_taken_once(api):
    for name in ("one", "two"):
        add_node(api, node(name))
    listening = asking(cpu="1")
    listening[0]["ports"] = [{"containerPort": 80, "hostPort": 8080}]
    api.create(PODS, pod("theirs", scheduler="nobody", nodeName="one", containers=listening))
    for at in range(2):
        api.create(PODS, pod(f"p{at}", containers=listening))
    with Running(api):
        waiting = until(lambda: next((name for name in ("p0", "p1") if condition(api, name)), None))
        until(lambda: sorted(filter(None, placed(api).values())) == ["one", "two"])
        told = "0/2 nodes are available: 2 didn't have free ports for the requested pod ports (8080/TCP)"
        assert condition(api, waiting)["message"] == told
        api.delete(f"{PODS}/theirs", grace_seconds=0)
        until(lambda: placed(api)[waiting] == "one")


def test_wishes_that_are_not_looked_at_are_named_once(api):
    add_node(api, node("one"))
    preference = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    wish = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": preference}]}
    for at in range(3):
        api.create(PODS, pod(f"p{at}", affinity={"nodeAffinity": wish}))
    with Running(api):
        until(lambda: all(placed(api).values()))
        until(lambda: any("WishesIgnored" in events(api, f"p{at}") for at in range(3)))
    # The scheduler has ended here, and with it all that it says.
    told = [found["WishesIgnored"] for at in range(3) if "WishesIgnored" in (found := events(api, f"p{at}"))]
    assert len(told) == 1
    assert "preferred nodeAffinity" in told[0]["message"]


def test_pods_are_spread_and_kept_apart_and_the_reason_of_those_that_wait_is_told(api):
    for at in range(4):
        add_node(api, node(f"n{at}", {"zone": "ab"[at % 2]}))
    selector = {"labelSelector": {"matchLabels": {"app": "x"}}}
    constraint = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule", **selector}
    terms = [{"topologyKey": "kubernetes.io/hostname", **selector}]
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    for at in range(5):
        api.create(PODS, pod(f"p{at}", {"app": "x"}, topologySpreadConstraints=[constraint], affinity=affinity))
    with Running(api) as scheduler:
        until(lambda: scheduler.bound == 4)
        waiting = until(lambda: next((name for name in placed(api) if condition(api, name)), None))
        message = condition(api, waiting)["message"]
        assert "4 didn't match pod anti-affinity rules (kubernetes.io/hostname)" in message
        assert sorted(filter(None, placed(api).values())) == ["n0", "n1", "n2", "n3"]
        # A pod with other rules asks nothing of these, and what frees a node lets the last one come.
        one = next(name for name, where in placed(api).items() if where == "n2")
        api.delete(f"{PODS}/{one}", grace_seconds=0)
        until(lambda: placed(api)[waiting] == "n2")


def test_a_pod_that_another_scheduler_has_bound_holds_what_it_asks_whatever_its_rules(api):
    add_node(api, node("one"))
    term = {"topologyKey": "zone", "labelSelector": {}, "namespaceSelector": {"matchLabels": {"team": "c"}}}
    affinity = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    api.create(PODS, pod("theirs", scheduler="nobody", nodeName="one", containers=asking(cpu="3"), affinity=affinity))
    for at in range(2):
        api.create(PODS, pod(f"p{at}"))
    with Running(api) as scheduler:
        waiting = until(lambda: [name for name in ("p0", "p1") if condition(api, name)])
        until(lambda: scheduler.bound == 1)
    assert [name for name, where in placed(api).items() if where is None] == waiting


def gang(name, least):
    return {"pod-group.scheduling.sigs.k8s.io/name": name, "pod-group.scheduling.sigs.k8s.io/min-available": str(least)}


def test_a_gang_is_placed_whole_or_not_at_all(api):
    for name in ("one", "two"):
        add_node(api, node(name))
    for at in range(3):
        api.create(PODS, pod(f"large{at}", gang("large", 3), containers=asking(cpu="3")))
    for at in range(2):
        api.create(PODS, pod(f"small{at}", gang("small", 2), containers=asking(cpu="3")))
    with Running(api):
        until(lambda: placed(api)["small0"] and placed(api)["small1"])
        until(lambda: condition(api, "large0"))
        assert "its group default/large needs nodes for 3 of its members at once" in condition(api, "large0")["message"]
        assert [placed(api)[f"large{at}"] for at in range(3)] == [None] * 3
        for name in ("three", "four", "five"):
            add_node(api, node(name))
        until(lambda: all(placed(api).values()))


def test_members_that_run_count(api):
    add_node(api, node("one"))
    api.create(PODS, pod("first", gang("g", 2), nodeName="one"))
    api.create(PODS, pod("second", gang("g", 2)))
    with Running(api):
        until(lambda: placed(api)["second"] == "one")


def test_a_gang_of_which_nothing_says_how_many_waits_and_says_so(api):
    add_node(api, node("one"))
    api.create(PODS, pod("member", {"scheduling.x-k8s.io/pod-group": "g"}))
    with Running(api):
        told = until(lambda: condition(api, "member"))
    assert "neither its labels nor a PodGroup says" in told["message"]
    assert placed(api) == {"member": None}


def test_a_gang_of_a_pod_group_has_its_number_from_there(doubled):
    add_node(doubled, node("one"))
    group = {"kind": "PodGroup", "metadata": {"name": "g"}, "spec": {"minMember": 2}}
    doubled.create(path_of("PodGroup", "default"), group)
    for at in range(2):
        doubled.create(PODS, pod(f"m{at}", {"scheduling.x-k8s.io/pod-group": "g"}))
    with Running(doubled):
        until(lambda: all(placed(doubled).values()))
    doubled.delete(path_of("PodGroup", "default", "g"))


# ---- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_pod_that_another_has_bound_is_left_alone(doubled, apiserver):
    for name in ("one", "two"):
        add_node(doubled, node(name))
    apiserver.force("POST", r".*/raced/binding", 409)
    with Running(doubled) as scheduler:
        doubled.create(PODS, pod("raced"))
        until(lambda: scheduler.refusals)
        until(lambda: placed(doubled)["raced"])
        assert sum(scheduler.refusals.values()) == 1


@pytest.mark.parametrize("fault", ["lost", 500])
def test_an_answer_to_a_binding_that_is_lost_binds_once(doubled, apiserver, fault):
    add_node(doubled, node("one"))
    apiserver.force("POST", r".*/binding", fault)
    doubled.create(PODS, pod("p"))
    with Running(doubled) as scheduler:
        until(lambda: placed(doubled)["p"] == "one")
        until(lambda: scheduler.refusals == {"unreachable": 1})
        # What it holds is counted once.
        doubled.create(PODS, pod("rest", containers=asking(cpu="3")))
        until(lambda: placed(doubled)["rest"] == "one")


def test_a_server_that_refuses_a_binding_is_quoted(doubled, apiserver):
    add_node(doubled, node("one"))
    apiserver.force("POST", r".*/binding", 403)
    doubled.create(PODS, pod("p"))
    with Running(doubled) as scheduler:
        told = until(lambda: events(doubled, "p").get("FailedBinding"))
        assert "it was forced" in told["message"]
        until(lambda: scheduler.refusals == {"Forced": 1})


def test_a_node_that_goes_between_match_and_binding_takes_nothing(doubled, monkeypatch):
    add_node(doubled, node("one"))
    doubled.create(PODS, pod("p"))
    running = Running(doubled)
    scheduler = running.scheduler
    place = scheduler._place

    def late(batch, cycle):
        doubled.delete(path_of("Node", None, "one"))
        until(lambda: not scheduler.view.has_node("one"))
        place(batch, cycle)

    monkeypatch.setattr(scheduler, "_place", late)
    with running:
        time.sleep(0.5)
    assert placed(doubled) == {"p": None}


def between(running, monkeypatch, meddle):
    """Do something after the match of each cycle, before its bindings."""
    place = running.scheduler._place

    def and_then(batch, cycle):
        place(batch, cycle)
        meddle()

    monkeypatch.setattr(running.scheduler, "_place", and_then)


def test_a_pod_that_goes_between_match_and_binding_holds_nothing(doubled, monkeypatch):
    add_node(doubled, node("one"))
    doubled.create(PODS, pod("p", containers=asking(cpu="4")))
    running = Running(doubled)
    between(running, monkeypatch, lambda: doubled.delete(f"{PODS}/p", grace_seconds=0))
    with running as scheduler:
        until(lambda: scheduler.refusals == {"NotFound": 1})
        doubled.create(PODS, pod("next", containers=asking(cpu="4")))
        until(lambda: placed(doubled) == {"next": "one"})
        until(lambda: scheduler.view.waiting == 0)


def test_what_was_decided_is_given_back_where_the_lease_is_lost_before_it_is_bound(doubled, monkeypatch):
    add_node(doubled, node("one"))
    for at in range(3):
        doubled.create(PODS, pod(f"p{at}"))
    running, leads = Running(doubled), [True]
    monkeypatch.setattr(KubernetesScheduler, "leads", property(lambda _: leads[-1]))
    between(running, monkeypatch, lambda: leads.append(False))
    with running as scheduler:
        until(lambda: scheduler.decided == 3 and scheduler.view.waiting == 3)
        assert placed(doubled) == {"p0": None, "p1": None, "p2": None}
        monkeypatch.undo()
        until(lambda: all(placed(doubled).values()))
        until(lambda: scheduler.bound == 3)


def test_what_cannot_be_read_holds_back_no_other(doubled, apiserver):
    for name in ("good", "broken", "unclear"):
        add_node(doubled, node(name))
    doubled.patch(path_of("Node", None, "broken", "status"), {"status": {"allocatable": {"cpu": "many"}}})
    # What it holds of its node is not known, so that its node takes no other.
    doubled.create(PODS, pod("theirs", scheduler="nobody", nodeName="unclear", containers=asking(cpu="-1")))
    doubled.create(PODS, pod("odd", containers=asking(cpu="a few")))
    for at in range(5):
        doubled.create(PODS, pod(f"p{at}"))
    with Running(doubled) as scheduler:
        until(lambda: scheduler.bound == 4)
        told = until(lambda: events(doubled, "odd").get("NotServed"))
        assert '"a few" is not a quantity' in told["message"]
        waiting = until(lambda: next((name for name in placed(doubled) if name != "odd" and condition(doubled, name)), None))
        assert condition(doubled, waiting)["message"].startswith("0/2 nodes are available: ")
    found = placed(doubled)
    assert [found[f"p{at}"] for at in range(5) if f"p{at}" != waiting] == ["good"] * 4


def test_watches_that_break_and_versions_that_are_forgotten_lose_no_pod(doubled, apiserver):
    for at in range(5):
        add_node(doubled, node(f"n{at}"))
    with Running(doubled) as scheduler:
        for at in range(20):
            doubled.create(PODS, pod(f"p{at}"))
            if at % 3 == 0:
                apiserver.break_watches()
            if at % 7 == 0:
                apiserver.do(lambda: (apiserver.break_now(), apiserver.objects.compact()))
        until(lambda: all(placed(doubled).values()))
        until(lambda: scheduler.bound == 20)
    found = placed(doubled)
    assert all(list(found.values()).count(f"n{at}") <= 4 for at in range(5))


# ---- who leads ---------------------------------------------------------------------------------------------------------


def election(api, **settings):
    return Election(api, "default", "offermatch", **{"lease_seconds": 1.0, "renew_seconds": 0.6, **settings})


def test_one_of_several_leads_and_another_takes_over(api):
    candidates = [election(api) for _ in range(3)]
    for one in candidates:
        one.start()
    until(lambda: any(one.leads for one in candidates))
    for _ in range(50):
        assert sum(one.leads for one in candidates) <= 1
        time.sleep(0.01)
    first = next(one for one in candidates if one.leads)
    first.stop()
    second = until(lambda: next((one for one in candidates if one.leads), None))
    assert second is not first
    lease = api.get(path_of("Lease", "default", "offermatch"))
    assert lease["spec"]["holderIdentity"] == second.identity
    assert lease["spec"]["leaseTransitions"] >= 1
    for one in candidates:
        one.stop()


def test_a_leader_that_cannot_renew_stops_to_lead_before_another_may_take_over(doubled, apiserver):
    first, second = election(doubled), election(doubled)
    first.start()
    until(lambda: first.leads)
    # The lease is written by nobody any more: its holder must stop before it has run out for others.
    apiserver.force("PUT", r".*/leases/offermatch", 500, times=10**6)
    begin = time.monotonic()
    until(lambda: not first.leads)
    assert time.monotonic() - begin < 1.0
    apiserver.fault_nothing()
    first._stopped.set()
    second.start()
    until(lambda: second.leads)
    assert not first.leads
    first.stop()
    second.stop()


def test_who_does_not_lead_binds_nothing(api):
    add_node(api, node("one"))
    other = election(api, lease_seconds=30.0, renew_seconds=20.0)
    other.start()
    until(lambda: other.leads)
    api.create(PODS, pod("p"))
    with Running(api, elect=True, lease_seconds=1.0) as scheduler:
        time.sleep(0.7)
        assert placed(api) == {"p": None}
        assert not scheduler.leads
        other.stop()
        until(lambda: placed(api)["p"] == "one")


def test_two_schedulers_bind_each_pod_once(kubeconfig, api):
    for at in range(4):
        add_node(api, node(f"n{at}"))
    other = Api(kubeconfig=str(kubeconfig))
    with Running(api) as first, Running(other) as second:
        for at in range(12):
            api.create(PODS, pod(f"p{at}"))
        until(lambda: all(placed(api).values()))
        until(lambda: first.bound + second.bound == 12)
    other.close()


MANIFESTS = Path(__file__).parents[2] / "kubernetes" / "scheduler.yaml"


def allowed():
    """Return verb, resource and subresource of what the roles of the manifests allow."""
    verbs = {"POST": "create", "PUT": "update", "PATCH": "patch", "GET": "get", "DELETE": "delete"}
    roles = [one for one in yaml.safe_load_all(MANIFESTS.read_text()) if one["kind"] in ("Role", "ClusterRole")]
    found = {
        (verb, name) for role in roles for rule in role["rules"] for name in rule["resources"] for verb in rule["verbs"]
    }
    return verbs, found


def everything(api):
    """Let a scheduler do all that it ever does."""
    add_node(api, node("one"))
    api.create(PODS, pod("member", {"scheduling.x-k8s.io/pod-group": "g"}))
    for at in range(5):
        api.create(PODS, pod(f"p{at}"))
    yield
    until(lambda: sum(map(bool, placed(api).values())) == 4)
    until(lambda: condition(api, "member") and events(api, "member"))


def test_the_roles_of_the_manifests_allow_what_it_asks_and_nothing_else(apiserver, doubled):
    # The scheduler comes with credentials of its own, so that its requests are told from those of the test.
    config = apiserver.kubeconfig.with_name("scheduler")
    config.write_text(apiserver.kubeconfig.read_text().replace('"token": "double"', '"token": "scheduler"'))
    other = Api(kubeconfig=str(config))
    steps = everything(doubled)
    next(steps)
    with Running(other, elect=True, lease_seconds=1.0) as scheduler:
        list(steps)
        apiserver.force("POST", r".*/binding", 409)
        doubled.patch(f"{PODS}/p0/status", {"status": {"phase": "Succeeded"}})
        until(lambda: scheduler.refusals)
    other.close()
    verbs, found = allowed()
    asked = {
        (verbs.get(verb, verb), f"{resource}/{part}" if part else resource)
        for token, verb, resource, part in apiserver.requests
        if token == "scheduler"
    }
    assert asked == found


def test_the_account_of_the_manifests_may_do_all_that_it_does(api, kubeconfig, tmp_path):
    if "OFFERMATCH_KUBECONFIG" not in os.environ:
        pytest.skip("the double has no roles: the test before compares them, and make test-kubernetes runs this one")
    groups = {"Namespace": "api/v1/namespaces", "ServiceAccount": "api/v1/namespaces/offermatch/serviceaccounts"}
    roles = "apis/rbac.authorization.k8s.io/v1"
    groups |= {"ClusterRole": f"{roles}/clusterroles", "ClusterRoleBinding": f"{roles}/clusterrolebindings"}
    groups |= {one: f"{roles}/namespaces/offermatch/{one.lower()}s" for one in ("Role", "RoleBinding")}
    groups["Deployment"] = "apis/apps/v1/namespaces/offermatch/deployments"
    made = []
    try:
        for one in yaml.safe_load_all(MANIFESTS.read_text()):
            path = f"/{groups[one['kind']]}"
            api.create(path, one)
            made.append(f"{path}/{one['metadata']['name']}")
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": None}}
        token = api.create("/api/v1/namespaces/offermatch/serviceaccounts/offermatch/token", request)["status"]["token"]
        config = yaml.safe_load(Path(kubeconfig).read_text())
        config["users"][0]["user"] = {"token": token}
        config["contexts"][0]["context"]["namespace"] = "offermatch"
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        other = Api(kubeconfig=str(tmp_path / "config"))
        steps = everything(api)
        next(steps)
        with Running(other, elect=True, lease_seconds=1.0):
            list(steps)
        with pytest.raises(RefusedError) as caught:
            other.delete(f"{PODS}/p0")
        assert caught.value.status == 403
        other.close()
    finally:
        for path in reversed(made):
            api.delete(path)


def test_a_refusal_has_the_servers_words(api):
    with pytest.raises(RefusedError) as caught:
        api.get(f"{PODS}/nothing")
    assert (caught.value.status, caught.value.reason) == (404, "NotFound")
    assert caught.value.code == "request-refused"
