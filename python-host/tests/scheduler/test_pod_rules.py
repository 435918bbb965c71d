"""Topology spread that must hold, required affinity and anti-affinity, as the scheduler of pods places by them."""

import random
from dataclasses import replace

import pytest

from offermatch import Matcher, ReferenceMatcher, policies
from offermatch.kubernetes.rounds import rounds_of
from offermatch.kubernetes.shapes import Shapes, gang_of
from offermatch.kubernetes.view import View
from offermatch.model import Settings
from podrules import NAMESPACES, broken, fits

HOST, ZONE = "kubernetes.io/hostname", "zone"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node(name, zone=None, *, cpu=100, labels=None, taints=()):
    known = {HOST: name, **({ZONE: zone} if zone is not None else {}), **(labels or {})}
    return {
        "metadata": {"name": name, "labels": known},
        "spec": {"taints": list(taints)},
        "status": {"allocatable": {"cpu": str(cpu), "memory": "64Gi", "pods": "110"}},
    }


def pod(name, labels, *, on=None, cpu=1, namespace="default", ports=(), **spec):
    container = {"name": "main", "resources": {"requests": {"cpu": str(cpu)}}, "ports": list(ports)}
    return {
        "metadata": {"name": name, "namespace": namespace, "uid": name, "labels": labels},
        "spec": {
            "schedulerName": "offermatch",
            "containers": [container],
            **({"nodeName": on} if on is not None else {}),
            **spec,
        },
    }


def several(number, name, labels, **spec):
    return [pod(f"{name}{at}", labels, **spec) for at in range(number)]


def selecting(**labels):
    return {"labelSelector": {"matchLabels": labels}}


def spread(key, skew=1, **more):
    return {"maxSkew": skew, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule", **more}


def apart(*terms):
    return {"podAntiAffinity": {REQUIRED: list(terms)}}


def beside(*terms):
    return {"podAffinity": {REQUIRED: list(terms)}}


def term(key, **more):
    return {"topologyKey": key, **more}


class Cluster:
    """Nodes and pods, and what the scheduler knows of them."""

    def __init__(self, nodes, pods, matcher=None):
        self.nodes, self.matcher = nodes, matcher or ReferenceMatcher()
        self.view = View("offermatch")
        for name, labels in NAMESPACES.items():
            self.view.namespace_changed(None, {"metadata": {"name": name, "labels": labels}})
        for one in nodes:
            self.view.node_changed(None, one)
        for one in pods:
            self.view.pod_changed(None, one)
        self.bound = [(one, one["spec"]["nodeName"]) for one in pods if "nodeName" in one["spec"]]
        self.reasons = {}

    def cycle(self):
        """Place what waits, and see that no pod breaks a rule when its turn comes; return the pairs."""
        batch = self.view.batch(10**6)
        needed = self._needed(batch)
        part = batch.asked(needed)
        if not part.pods:
            return []
        with rounds_of(self.matcher, Settings("shared"), part, needed) as rounds:
            rounds.run()
            reasons = rounds.explain(rounds.unplaced) if rounds.unplaced else []
            for row in rounds.unplaced:
                part.pods[row].tried = True
            self.reasons = {part.pods[row].name: why for row, why in zip(rounds.unplaced, reasons, strict=True)}
        by_name = {one["metadata"]["name"]: one for one in self.nodes}
        found = []
        for waiting, name in rounds.pairs:
            why = broken(waiting.item, by_name[name], self.nodes, self.bound)
            assert why is None, f"{waiting.name} on {name}: {why}"
            self.bound.append((waiting.item, name))
            assert self.view.assume(waiting, name)
            found.append((waiting.item["metadata"]["name"], name))
        for gang in {one.gang for one, _ in rounds.pairs if one.gang is not None}:
            assert sum(gang_of(one) == gang for one, _ in self.bound) >= gang.least
        return found

    def _needed(self, batch):
        """How many members of each gang have to get nodes at once, where so many wait."""
        if "groups" not in self.matcher.description.rules:
            return {}
        gangs = [one.gang for one in batch.pods if one.gang is not None]
        missing = {gang.name: max(0, gang.least - batch.running.get(gang.name, 0)) for gang in gangs}
        return {name: least for name, least in missing.items() if least <= sum(gang.name == name for gang in gangs)}

    def settle(self):
        """Run cycles until nothing is placed; return where each pod is."""
        found = {}
        while pairs := self.cycle():
            found.update(pairs)
        return found


def zones(found, nodes):
    """How many pods there are in each zone."""
    zone_of = {one["metadata"]["name"]: one["metadata"]["labels"].get(ZONE) for one in nodes}
    counts = dict.fromkeys(filter(None, zone_of.values()), 0)
    for name in found.values():
        counts[zone_of[name]] += 1
    return counts


FOUR = [node("node1", "a"), node("node2", "a"), node("node3", "b"), node("node4", "b")]
THREE_THERE = [pod(f"p{at}", {"foo": "bar"}, on=f"node{at}") for at in (1, 2, 3)]


# ---- the examples of Kubernetes' page on topology spread constraints ---------------------------------------------------


def test_one_constraint_sends_a_pod_to_the_zone_with_fewer():
    mine = pod("mine", {"foo": "bar"}, topologySpreadConstraints=[spread(ZONE, **selecting(foo="bar"))])
    assert Cluster(FOUR, [*THREE_THERE, mine]).settle()["mine"] in ("node3", "node4")


def test_a_larger_skew_allows_either_zone():
    mine = several(1, "mine", {"foo": "bar"}, topologySpreadConstraints=[spread(ZONE, 2, **selecting(foo="bar"))])
    full = [node("node1", "a"), node("node2", "a"), node("node3", "b", cpu=1), node("node4", "b", cpu=0)]
    assert Cluster(full, [*THREE_THERE, *mine]).settle()["mine0"] in ("node1", "node2")


def test_two_constraints_leave_one_node():
    both = [spread(ZONE, **selecting(foo="bar")), spread(HOST, **selecting(foo="bar"))]
    mine = pod("mine", {"foo": "bar"}, topologySpreadConstraints=both)
    assert Cluster(FOUR, [*THREE_THERE, mine]).settle() == {"mine": "node4"}


def test_two_constraints_that_contradict_each_other_leave_none():
    nodes = [node("node1", "a"), node("node2", "a"), node("node3", "b")]
    there = [pod(f"p{at}", {"foo": "bar"}, on=f"node{on}") for at, on in enumerate((1, 1, 2, 3, 3))]
    both = [spread(ZONE, **selecting(foo="bar")), spread(HOST, **selecting(foo="bar"))]
    mine = pod("mine", {"foo": "bar"}, topologySpreadConstraints=both)
    assert Cluster(nodes, [*there, mine]).settle() == {}


def test_a_zone_that_node_affinity_excludes_is_no_domain():
    nodes = [*FOUR, node("node5", "c")]
    expression = {"key": ZONE, "operator": "NotIn", "values": ["c"]}
    affinity = {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}}

    def where(**policy):
        constraint = spread(ZONE, **selecting(foo="bar"), **policy)
        mine = pod("mine", {"foo": "bar"}, affinity=affinity, topologySpreadConstraints=[constraint])
        return Cluster(nodes, [*THREE_THERE, mine]).settle().get("mine")

    assert where() in ("node3", "node4")
    # Zone c counts, has none, and b has one already.
    assert where(nodeAffinityPolicy="Ignore") is None


def test_a_tainted_zone_is_a_domain_unless_taints_are_honored():
    nodes = [*FOUR, node("node5", "c", taints=[{"key": "k", "effect": "NoSchedule"}])]

    def where(**policy):
        constraint = spread(ZONE, **selecting(foo="bar"), **policy)
        mine = pod("mine", {"foo": "bar"}, topologySpreadConstraints=[constraint])
        return Cluster(nodes, [*THREE_THERE, mine]).settle().get("mine")

    assert where() is None
    assert where(nodeTaintsPolicy="Honor") in ("node3", "node4")


def test_fewer_domains_than_asked_count_as_one_that_is_empty():
    constraint = spread(ZONE, 2, minDomains=3, **selecting(foo="bar"))
    mine = several(9, "mine", {"foo": "bar"}, topologySpreadConstraints=[constraint])
    assert zones(Cluster(FOUR, mine).settle(), FOUR) == {"a": 2, "b": 2}


def test_label_keys_tell_revisions_apart():
    constraint = spread(ZONE, matchLabelKeys=["revision"], **selecting(foo="bar"))
    old = [pod(f"p{at}", {"foo": "bar", "revision": "1"}, on="node1") for at in range(5)]
    mine = several(4, "mine", {"foo": "bar", "revision": "2"}, topologySpreadConstraints=[constraint])
    assert zones(Cluster(FOUR, [*old, *mine]).settle(), FOUR) == {"a": 2, "b": 2}


def test_nodes_without_the_label_take_none_and_are_no_domain():
    nodes = [node("node1", "a", cpu=2), node("node2", "b", cpu=2), node("node3")]
    mine = several(5, "mine", {"foo": "bar"}, topologySpreadConstraints=[spread(ZONE, **selecting(foo="bar"))])
    found = Cluster(nodes, mine).settle()
    assert zones(found, nodes) == {"a": 2, "b": 2}
    assert len(found) == 4


def test_pods_that_are_being_deleted_do_not_count_for_spread():
    ends = pod("ends", {"foo": "bar"}, on="node3")
    ends["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    there = [pod("p1", {"foo": "bar"}, on="node1"), ends]
    mine = pod("mine", {"foo": "bar"}, topologySpreadConstraints=[spread(ZONE, **selecting(foo="bar"))])
    assert Cluster(FOUR, [*there, mine]).settle()["mine"] in ("node3", "node4")


def test_a_constraint_that_does_not_count_the_pod_keeps_it_from_domains_that_have_too_many():
    there = [pod(f"p{at}", {"app": "db"}, on="node1") for at in range(2)]
    mine = several(20, "mine", {"app": "web"}, topologySpreadConstraints=[spread(ZONE, **selecting(app="db"))])
    assert zones(Cluster(FOUR, [*there, *mine]).settle(), FOUR) == {"a": 0, "b": 20}


@pytest.mark.parametrize(
    ("skew", "third", "expected"), [(1, 100, (34, 33, 33)), (1, 20, (21, 21, 20)), (3, 20, (23, 23, 20))]
)
def test_many_pods_fill_all_zones_evenly_and_stop_where_one_is_full(skew, third, expected):
    nodes = [node("node1", "a"), node("node2", "b"), node("node3", "c", cpu=third)]
    constraint = spread(ZONE, skew, **selecting(foo="bar"))
    cluster = Cluster(nodes, several(100, "mine", {"foo": "bar"}, topologySpreadConstraints=[constraint]))
    first = cluster.cycle()
    # One cycle is enough.
    assert len(first) == sum(expected)
    assert cluster.cycle() == []
    assert sorted(zones(dict(first), nodes).values(), reverse=True) == sorted(expected, reverse=True)


def test_room_that_spread_leaves_goes_to_a_lower_priority_in_the_same_cycle():
    nodes = [node("node1", "a", cpu=10), node("node2", "b", cpu=2)]
    constraint = spread(ZONE, **selecting(foo="bar"))
    mine = several(10, "mine", {"foo": "bar"}, priority=1, topologySpreadConstraints=[constraint])
    rest = several(10, "rest", {})
    found = dict(Cluster(nodes, [*rest, *mine]).cycle())
    assert sum(name.startswith("mine") for name in found) == 5
    assert sum(name.startswith("rest") for name in found) == 7


# ---- affinity and anti-affinity ----------------------------------------------------------------------------------------


def test_caches_and_servers_share_nodes_one_of_each():
    """The example of Kubernetes' page on assigning pods: three caches apart, three servers apart and each with a cache."""
    nodes = [node(f"node{at}", "a") for at in range(3)]
    caches = several(3, "cache", {"app": "store"}, affinity=apart(term(HOST, **selecting(app="store"))))
    rules = apart(term(HOST, **selecting(app="web-store"))) | beside(term(HOST, **selecting(app="store")))
    servers = several(3, "server", {"app": "web-store"}, affinity=rules)
    cluster = Cluster(nodes, [*servers, *caches])
    found = dict(cluster.cycle())
    assert len(found) == 6
    assert (
        {found[f"cache{at}"] for at in range(3)} == {found[f"server{at}"] for at in range(3)} == {"node0", "node1", "node2"}
    )


def test_at_most_one_a_host():
    nodes = [node(f"node{at}", "a") for at in range(4)]
    mine = several(6, "mine", {"app": "x"}, affinity=apart(term(HOST, **selecting(app="x"))))
    there = pod("there", {"app": "x"}, on="node0")
    cluster = Cluster(nodes, [there, *mine])
    assert sorted(name for _, name in cluster.cycle()) == ["node1", "node2", "node3"]
    assert cluster.settle() == {}


def test_pods_that_run_keep_those_away_that_they_exclude():
    there = pod("there", {"app": "alone"}, on="node1", affinity=apart(term(ZONE, **selecting(app="web"))))
    found = Cluster(FOUR, [there, *several(4, "mine", {"app": "web"}), *several(4, "other", {"app": "db"})]).settle()
    assert all(found[f"mine{at}"] in ("node3", "node4") for at in range(4))
    assert len(found) == 8


def test_pods_of_one_batch_that_exclude_each_other_go_to_different_zones():
    alone = pod("alone", {"app": "alone"}, affinity=apart(term(ZONE, **selecting(app="web"))))
    web = several(3, "web", {"app": "web"})
    found = Cluster(FOUR, [alone, *web]).settle()
    first = next(one for one in FOUR if one["metadata"]["name"] == found["alone"])["metadata"]["labels"][ZONE]
    assert zones({name: where for name, where in found.items() if name != "alone"}, FOUR)[first] == 0
    assert len(found) == 4


def test_a_node_without_the_label_excludes_nobody():
    nodes = [node("node1", "a"), node("node2")]
    mine = several(5, "mine", {"app": "x"}, affinity=apart(term(ZONE, **selecting(app="x"))))
    found = Cluster(nodes, mine).settle()
    assert sorted(found.values()) == ["node1", "node2", "node2", "node2", "node2"]


def test_affinity_follows_pods_that_run_and_waits_where_none_does():
    there = pod("there", {"app": "db"}, on="node3")
    mine = several(3, "mine", {"app": "web"}, affinity=beside(term(ZONE, **selecting(app="db"))))
    assert zones(Cluster(FOUR, [there, *mine]).settle(), FOUR) == {"a": 0, "b": 3}
    assert Cluster(FOUR, mine).settle() == {}
    elsewhere = pod("there", {"app": "db"}, on="node3", namespace="other")
    assert Cluster(FOUR, [elsewhere, *mine]).settle() == {}
    live = {"namespaceSelector": {"matchLabels": {"stage": "live"}}}
    for more in ({"namespaces": ["other"]}, {"namespaceSelector": {}}, live):
        wide = several(3, "mine", {"app": "web"}, affinity=beside(term(ZONE, **selecting(app="db"), **more)))
        assert zones(Cluster(FOUR, [elsewhere, *wide]).settle(), FOUR) == {"a": 0, "b": 3}


def test_pods_that_seek_each_other_are_together_where_the_most_find_room():
    nodes = [node("node1", "a", cpu=3), node("node2", "b", cpu=4), node("node3", "b", cpu=4)]
    mine = several(7, "mine", {"app": "x"}, affinity=beside(term(ZONE, **selecting(app="x"))))
    assert zones(Cluster(nodes, mine).settle(), nodes) == {"a": 0, "b": 7}


def test_pods_that_seek_each_other_by_two_labels_share_both():
    nodes = [node(f"node{at}", "ab"[at // 4], cpu=2, labels={"rack": f"r{at // 2}"}) for at in range(8)]
    rules = beside(term(ZONE, **selecting(app="x")), term("rack", **selecting(app="x")))
    found = Cluster(nodes, several(9, "mine", {"app": "x"}, affinity=rules)).settle()
    assert len(found) == 4
    assert len({name[-1] in "01" for name in found.values()}) == 1


def test_pods_that_run_count_as_they_are_now():
    there = pod("there", {"app": "x"}, on="node1", affinity=apart(term(ZONE, **selecting(app="x"))))
    mine = several(2, "mine", {"app": "x"})
    cluster = Cluster([node("node1", "a")], [there, *mine])
    assert cluster.settle() == {}
    # It is called something else now, and goes on to keep others away; then it is gone.
    renamed = {**there, "metadata": {**there["metadata"], "labels": {"app": "y"}}}
    cluster.view.pod_changed(there, renamed)
    assert cluster.settle() == {}
    cluster.view.pod_changed(renamed, None)
    cluster.bound.clear()
    assert len(cluster.settle()) == 2

    there = pod("there", {"app": "x"}, on="node1")
    seeks = pod("seeks", {}, affinity=beside(term(ZONE, **selecting(app="y"))))
    cluster = Cluster(FOUR, [there, seeks])
    assert cluster.settle() == {}
    renamed = {**there, "metadata": {**there["metadata"], "labels": {"app": "y"}}}
    cluster.view.pod_changed(there, renamed)
    cluster.bound[:] = [(renamed, "node1")]
    assert cluster.settle()["seeks"] in ("node1", "node2")


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (
            {"topologySpreadConstraints": [spread(ZONE, nodeTaintsPolicy="Often", **selecting(a="b"))]},
            "'Often' is no policy",
        ),
        ({"topologySpreadConstraints": [{"topologyKey": ZONE, "whenUnsatisfiable": "DoNotSchedule"}]}, "'maxSkew'"),
        (
            {"affinity": apart(term(ZONE, labelSelector={"matchExpressions": [{"key": "a", "operator": "Gt"}]}))},
            "'Gt' is no operator",
        ),
        ({"affinity": beside({"labelSelector": {}})}, "'topologyKey'"),
        ({"affinity": {"podAffinity": {REQUIRED: ["everything"]}}}, "a rule about other pods cannot be read"),
        ({"resourceClaims": [{"name": "gpu"}], "affinity": apart(term(ZONE, **selecting(a="b")))}, "a resource claim"),
    ],
)
def test_a_rule_that_cannot_be_read_is_named_and_what_its_pod_asks_is_known(spec, reason):
    shape = Shapes().of(pod("odd", {}, cpu=2, **spec))
    assert reason in shape.refusal
    assert shape.asked["cpu"] == 2000


# ---- gangs -------------------------------------------------------------------------------------------------------------


def gang(name, least):
    return {"pod-group.scheduling.sigs.k8s.io/name": name, "pod-group.scheduling.sigs.k8s.io/min-available": str(least)}


def test_a_gang_with_spread_is_placed_whole_or_not_at_all():
    nodes = [node("node1", "a", cpu=2), node("node2", "a", cpu=2), node("node3", "b", cpu=1)]
    constraint = [spread(ZONE, **selecting(app="x"))]

    def of(number):
        labels = {"app": "x", **gang("g", number)}
        return several(number, "member", labels, topologySpreadConstraints=constraint, priority=1)

    assert zones(dict(Cluster(nodes, of(3)).cycle()), nodes) == {"a": 2, "b": 1}
    # Four would need two in b: none is placed, and others have the room in the same cycle.
    found = dict(Cluster(nodes, [*of(4), *several(5, "rest", {})]).cycle())
    assert sorted(found) == [f"rest{at}" for at in range(5)]


def test_members_of_a_gang_that_exclude_each_other_are_placed_whole():
    nodes = [node("node1", "a"), node("node2", "b")]
    leader = pod("leader", {"role": "leader", **gang("g", 4)}, affinity=apart(term(ZONE, **selecting(role="worker"))))
    workers = several(3, "worker", {"role": "worker", **gang("g", 4)})
    found = dict(Cluster(nodes, [leader, *workers]).cycle())
    assert len(found) == 4
    assert zones({name: where for name, where in found.items() if name != "leader"}, nodes) in (
        {"a": 3, "b": 0},
        {"a": 0, "b": 3},
    )


def test_a_gang_that_a_pod_that_runs_excludes_is_not_split():
    nodes = [node("node1", "a", cpu=3), node("node2", "b", cpu=1)]
    there = pod("there", {"app": "alone"}, on="node1", affinity=apart(term(ZONE, **selecting(app="x"))))
    assert Cluster(nodes, [there, *several(2, "member", {"app": "x", **gang("g", 2)})]).settle() == {}


# ---- ports of the host -------------------------------------------------------------------------------------------------


def port(number, **more):
    return {"containerPort": number, "hostPort": number, **more}


def test_a_port_of_a_node_is_taken_once():
    found = Cluster(FOUR, several(6, "web", {}, ports=[port(80)])).settle()
    assert sorted(found.values()) == ["node1", "node2", "node3", "node4"]


@pytest.mark.parametrize(
    ("theirs", "ours", "fits_beside"),
    [
        (port(80), port(80), False),
        (port(80), port(81), True),
        (port(80, protocol="TCP"), port(80), False),
        (port(80, protocol="UDP"), port(80), True),
        (port(80, hostIP="10.0.0.1"), port(80), False),
        (port(80), port(80, hostIP="10.0.0.1"), False),
        (port(80, hostIP="0.0.0.0"), port(80, hostIP="10.0.0.1"), False),
        (port(80, hostIP="10.0.0.1"), port(80, hostIP="10.0.0.1"), False),
        (port(80, hostIP="10.0.0.1"), port(80, hostIP="10.0.0.2"), True),
        (port(80, hostIP="fd00::1"), port(80, hostIP="fd00::2"), True),
        ({"containerPort": 80}, port(80), True),
    ],
    ids=str,
)
def test_a_port_is_taken_by_protocol_and_address(theirs, ours, fits_beside):
    one = [node("node1")]
    cluster = Cluster(one, [pod("theirs", {}, on="node1", ports=[theirs]), pod("ours", {}, ports=[ours])], Matcher.load())
    assert bool(cluster.settle()) is fits_beside
    if not fits_beside:
        told = cluster.reasons["default/ours"]
        assert told.startswith("0/1 nodes are available: 1 didn't have free ports for the requested pod ports (80/TCP")


def test_a_sidecar_keeps_its_port_and_an_init_container_does_not():
    one = [node("node1")]
    for policy, expected in (("Always", {}), (None, {"ours": "node1"})):
        first = [{"name": "first", "restartPolicy": policy, "ports": [port(80)]}]
        pods = [pod("theirs", {}, on="node1", initContainers=first), pod("ours", {}, ports=[port(80)])]
        assert Cluster(one, pods).settle() == expected


def test_a_port_is_free_again_when_its_pod_has_gone():
    cluster = Cluster([node("node1")], [theirs := pod("theirs", {}, on="node1", ports=[port(80)])])
    cluster.view.pod_changed(None, pod("ours", {}, ports=[port(80)]))
    assert cluster.settle() == {}
    cluster.view.pod_changed(theirs, None)
    cluster.bound.clear()
    assert cluster.settle() == {"ours": "node1"}


@pytest.mark.parametrize("policy", policies.names())
def test_ports_that_are_free_everywhere_change_no_choice(policy):
    matcher = Matcher.load(policy=policy)
    for seed in range(10):
        draw = random.Random(seed)
        nodes = [node(f"n{at}", cpu=draw.randint(2, 9)) for at in range(8)]
        sizes = [draw.randint(0, 4) for _ in range(12)]
        plain = [pod(f"p{at}", {}, cpu=size) for at, size in enumerate(sizes)]
        ported = [
            pod(f"p{at}", {}, cpu=size, ports=[port(1000 + at, **({"hostIP": "10.0.0.1"} if at % 2 else {}))])
            for at, size in enumerate(sizes)
        ]
        assert Cluster(nodes, ported, matcher).settle() == Cluster(nodes, plain, matcher).settle()


# ---- random clusters ---------------------------------------------------------------------------------------------------


def port_drawn(draw):
    address = draw.choice([{}, {"hostIP": "0.0.0.0"}, {"hostIP": "10.0.0.1"}, {"hostIP": "10.0.0.2"}])
    return port(draw.choice([80, 81]), protocol=draw.choice(["TCP", "TCP", "UDP"]), **address)


NAMESPACE_SELECTORS = [
    {},
    {"matchLabels": {"team": "red"}},
    {"matchLabels": {"stage": "live"}, "matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
    {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["red"]}]},
]


def drawn(draw, *, with_ports=False):
    """Return the nodes and pods of a small cluster, with rules of all sorts."""
    nodes = []
    for at in range(draw.randint(1, 7)):
        labels = {"rack": draw.choice("rst")} if draw.random() < 0.8 else {}
        taints = [{"key": "k", "effect": "NoSchedule"}] if draw.random() < 0.15 else []
        zone = draw.choice(["a", "b", "c", ""]) if draw.random() < 0.9 else None
        nodes.append(node(f"n{at}", zone, cpu=draw.randint(0, 6), labels=labels, taints=taints))

    def selector():
        kind = draw.random()
        if kind < 0.7:
            return {"labelSelector": {"matchLabels": {"app": draw.choice("xyz")}}}
        operator = draw.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        values = {"values": ["1"]} if operator in ("In", "NotIn") else {}
        expression = {"key": "tier", "operator": operator, **values}
        return {"labelSelector": {"matchExpressions": [expression]}} if kind < 0.95 else {}

    def terms():
        found = []
        for _ in range(draw.choice([1, 1, 2])):
            more = draw.choice([{}, {}, {}, {}, {"namespaces": ["m"]}, {"mismatchLabelKeys": ["tier"]}])
            where = {"namespaceSelector": draw.choice(NAMESPACE_SELECTORS)} if draw.random() < 0.3 else {}
            found.append(term(draw.choice([HOST, ZONE, "rack"]), **selector(), **more, **where))
        return {REQUIRED: found}

    def rules():
        spec, affinity = {}, {}
        if draw.random() < 0.4:
            keys = draw.sample([HOST, ZONE, "rack"], draw.choice([1, 1, 2]))
            more = [{}, {}, {"nodeAffinityPolicy": "Ignore"}, {"nodeTaintsPolicy": "Honor"}, {"minDomains": 3}]
            more.append({"matchLabelKeys": ["tier"]})
            spec["topologySpreadConstraints"] = [
                spread(key, draw.randint(1, 2), **{**selector(), **draw.choice(more)}) for key in keys
            ]
        if draw.random() < 0.25:
            affinity["podAffinity"] = terms()
        if draw.random() < 0.3:
            affinity["podAntiAffinity"] = terms()
        if draw.random() < 0.15:
            expression = {"key": ZONE, "operator": "In", "values": ["a", "b"]}
            affinity["nodeAffinity"] = {REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
        if draw.random() < 0.2:
            spec["tolerations"] = [{"key": "k", "operator": "Exists"}]
        if with_ports:
            spec = spec if draw.random() < 0.3 else {}
            affinity = affinity if draw.random() < 0.3 else {}
            spec["ports"] = [port_drawn(draw) for _ in range(draw.randint(0, 2))]
        return spec | ({"affinity": affinity} if affinity else {})

    pods = []
    for at in range(draw.randint(1, 6)):
        labels = {"app": draw.choice("xyz"), **({"tier": draw.choice("12")} if draw.random() < 0.5 else {})}
        spec, namespace = rules(), draw.choice("nnm")
        for number in range(draw.randint(1, 6)):
            waits = draw.random() < 0.7
            where = {} if waits else {"on": draw.choice(nodes)["metadata"]["name"]}
            made = pod(f"p{at}-{number}", labels, cpu=draw.choice([0, 1, 1, 2]), namespace=namespace, **where, **spec)
            if waits:
                made["spec"]["priority"] = draw.choice([0, 0, 1])
            elif draw.random() < 0.2:
                made["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            pods.append(made)
    if draw.random() < 0.3:
        for one in pods[: draw.randint(2, 4)]:
            one["metadata"]["labels"] = {**one["metadata"]["labels"], **gang("g", 2)}
    return nodes, pods


class Groupless(ReferenceMatcher):
    """A matcher that serves no groups."""

    def __init__(self):
        super().__init__()
        self.description = replace(self.description, rules=())


@pytest.mark.parametrize(
    ("matcher", "values", "seeds", "with_ports"),
    [
        (ReferenceMatcher, 10_000, range(200), False),
        (ReferenceMatcher, 10_000, range(200, 400), False),
        # Domains are named by an attribute of nodes, as where there are very many.
        (ReferenceMatcher, 1, range(400, 500), False),
        (Groupless, 10_000, range(500, 600), False),
        (Matcher.load, 10_000, range(600, 700), False),
        (ReferenceMatcher, 10_000, range(700, 800), True),
        (Matcher.load, 10_000, range(800, 1000), True),
    ],
)
def test_no_pod_breaks_a_rule_and_none_waits_that_would_find_a_node(matcher, values, seeds, with_ports, monkeypatch):
    monkeypatch.setattr("offermatch.kubernetes.rounds._MOST_VALUES", values)
    shared, placed, waits = matcher(), 0, 0
    for seed in seeds:
        nodes, pods = drawn(random.Random(seed), with_ports=with_ports)
        cluster = Cluster(nodes, pods, shared)
        found = cluster.settle()
        placed += len(found)
        for one in pods:
            name, labels = one["metadata"]["name"], one["metadata"]["labels"]
            if "nodeName" in one["spec"] or name in found or any(label in labels for label in gang("g", 2)):
                continue
            waits += 1
            free = [each["metadata"]["name"] for each in nodes if fits(one, each, nodes, cluster.bound)]
            assert not free, f"seed {seed}: {name} waits, though {free} would take it"
            assert cluster.reasons[f"{one['metadata']['namespace']}/{name}"].startswith(
                f"0/{len(nodes)} nodes are available: "
            )
    assert placed > 2 * len(seeds)
    assert waits > 2 * len(seeds)


@pytest.mark.parametrize(
    ("pods", "reason"),
    [
        (
            [
                *THREE_THERE,
                pod("mine", {"foo": "bar"}, topologySpreadConstraints=[spread(ZONE, **selecting(foo="bar"))], cpu=101),
            ],
            "4 have too little cpu, 2 didn't match pod topology spread constraints (zone)",
        ),
        (
            [pod("mine", {}, topologySpreadConstraints=[spread("rack", **selecting(foo="bar"))])],
            "4 didn't match pod topology spread constraints (missing required label rack)",
        ),
        (
            [pod("mine", {}, affinity=beside(term(ZONE, **selecting(app="db"))))],
            "4 didn't match pod affinity rules (zone)",
        ),
        (
            [*THREE_THERE, pod("mine", {}, affinity=apart(term(ZONE, **selecting(foo="bar"))))],
            "4 didn't match pod anti-affinity rules (zone)",
        ),
        (
            [
                *(pod(f"p{at}", {}, on=f"node{at}", affinity=apart(term(ZONE, **selecting(foo="bar")))) for at in (1, 3)),
                pod("mine", {"foo": "bar"}),
            ],
            "4 didn't satisfy existing pods anti-affinity rules (zone)",
        ),
    ],
)
def test_a_pod_that_waits_for_a_rule_is_told_which(pods, reason):
    cluster = Cluster(FOUR, pods, Matcher.load())
    assert cluster.settle() == {}
    assert cluster.reasons == {"default/mine": f"0/4 nodes are available: {reason}"}


def test_a_limit_that_is_reached_is_told():
    nodes = [node("node1", "a"), node("node2", "b", cpu=1)]
    constraint = spread(ZONE, **selecting(app="x"))
    cluster = Cluster(nodes, several(4, "mine", {"app": "x"}, topologySpreadConstraints=[constraint]), Matcher.load())
    assert len(cluster.settle()) == 3
    told = "0/2 nodes are available: 1 have too little cpu, 1 didn't match pod topology spread constraints (zone)"
    assert list(cluster.reasons.values()) == [told]
