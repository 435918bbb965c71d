"""What Kubernetes says of rules about other pods, asked of one pod after the other, as plainly as can be.

It is written from the documents and shares nothing with the scheduler: pods and nodes are the API's own objects.
"""

NAMESPACES = {"default": {}, "n": {"team": "blue"}, "m": {"team": "red", "stage": "live"}, "other": {"stage": "live"}}
"""The namespaces, with their labels."""


def holds(selector, labels):
    """Whether labels meet a selector; none meet one that is not there."""
    if selector is None:
        return False
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for one in selector.get("matchExpressions") or []:
        value, values = labels.get(one["key"]), one.get("values") or []
        met = {
            "In": value is not None and value in values,
            "NotIn": value is None or value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not met[one["operator"]]:
            return False
    return True


def labels_of(thing):
    return thing["metadata"].get("labels") or {}


def namespace_of(pod):
    return pod["metadata"]["namespace"]


def terms_of(pod, kind):
    rules = (pod["spec"].get("affinity") or {}).get(kind) or {}
    return rules.get("requiredDuringSchedulingIgnoredDuringExecution") or []


def is_meant(term, owner, other):
    """Whether a term of the owner's affinity or anti-affinity is about another pod."""
    selector = term.get("namespaceSelector")
    named = term.get("namespaces") or ([namespace_of(owner)] if selector is None else [])
    if namespace_of(other) not in named and not holds(selector, NAMESPACES.get(namespace_of(other), {})):
        return False
    for key in term.get("matchLabelKeys") or []:
        if key in labels_of(owner) and labels_of(other).get(key) != labels_of(owner)[key]:
            return False
    for key in term.get("mismatchLabelKeys") or []:
        if key in labels_of(owner) and labels_of(other).get(key) == labels_of(owner)[key]:
            return False
    return holds(term.get("labelSelector"), labels_of(other))


def is_selected(pod, node):
    """Whether a node meets the pod's selector and required node affinity."""
    if any(labels_of(node).get(key) != value for key, value in (pod["spec"].get("nodeSelector") or {}).items()):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity")
    if affinity is None:
        return True
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return any(holds({"matchExpressions": term["matchExpressions"]}, labels_of(node)) for term in terms)


def is_tolerated(pod, node):
    """Whether the pod tolerates all taints of a node; tolerations name a key here."""
    known = {one["key"] for one in pod["spec"].get("tolerations") or []}
    return all(taint["key"] in known for taint in node["spec"].get("taints") or [])


def breaks_spread(pod, node, nodes, bound):
    """Why a node is not for a pod by its topology spread; None where it is."""
    constraints = [
        one for one in pod["spec"].get("topologySpreadConstraints") or [] if one["whenUnsatisfiable"] == "DoNotSchedule"
    ]
    for one in constraints:
        key = one["topologyKey"]
        if key not in labels_of(node):
            return f"{node['metadata']['name']} has no {key}"
        counts = {}
        for other in nodes:
            has_all = all(each["topologyKey"] in labels_of(other) for each in constraints)
            selected = one.get("nodeAffinityPolicy") == "Ignore" or is_selected(pod, other)
            tolerated = one.get("nodeTaintsPolicy") != "Honor" or is_tolerated(pod, other)
            if has_all and selected and tolerated:
                counts.setdefault(labels_of(other)[key], 0)
                for there, where in bound:
                    same = all(
                        labels_of(there).get(name) == labels_of(pod)[name]
                        for name in one.get("matchLabelKeys") or []
                        if name in labels_of(pod)
                    )
                    counts[labels_of(other)[key]] += (
                        where == other["metadata"]["name"]
                        and namespace_of(there) == namespace_of(pod)
                        and "deletionTimestamp" not in there["metadata"]
                        and same
                        and holds(one.get("labelSelector"), labels_of(there))
                    )
        least = min(counts.values()) if len(counts) >= one.get("minDomains", 1) else 0
        itself = holds(one.get("labelSelector"), labels_of(pod))
        if counts.get(labels_of(node)[key], 0) + itself - least > one["maxSkew"]:
            return f"{key} {labels_of(node)[key]} would have a skew above {one['maxSkew']}: {counts}"
    return None


def breaks_affinity(pod, node, by_name, bound):
    terms = terms_of(pod, "podAffinity")
    if not terms:
        return None
    meant = [labels_of(by_name[where]) for there, where in bound if all(is_meant(term, pod, there) for term in terms)]
    keys = [term["topologyKey"] for term in terms]
    if any(key not in labels_of(node) for key in keys):
        return "a label of affinity is missing"
    if all(any(labels.get(key) == labels_of(node)[key] for labels in meant) for key in keys):
        return None
    nobody = not any(key in labels for labels in meant for key in keys)
    if nobody and all(is_meant(term, pod, pod) for term in terms):
        return None
    return "its affinity finds nobody"


def breaks_anti_affinity(pod, node, by_name, bound):
    for there, where in bound:
        for owner, other in ((pod, there), (there, pod)):
            for term in terms_of(owner, "podAntiAffinity"):
                mine, theirs = (labels_of(one).get(term["topologyKey"]) for one in (node, by_name[where]))
                if is_meant(term, owner, other) and mine is not None and mine == theirs:
                    return f"{owner['metadata']['name']} and {other['metadata']['name']} share {term['topologyKey']} {mine}"
    return None


def ports_of(pod):
    """Port, protocol and address of all that a pod wants of its host."""
    spec = pod["spec"]
    listening = spec["containers"] + [one for one in spec.get("initContainers", []) if one.get("restartPolicy") == "Always"]
    return [
        (port["hostPort"], port.get("protocol", "TCP"), port.get("hostIP", "0.0.0.0"))
        for one in listening
        for port in one.get("ports", [])
        if port.get("hostPort")
    ]


def breaks_ports(pod, node, bound):
    """Which port of a node is taken already; None where all that the pod wants are free."""
    for there, where in bound:
        for number, protocol, address in ports_of(pod):
            for other in ports_of(there):
                meet = address == other[2] or "0.0.0.0" in (address, other[2])
                if where == node["metadata"]["name"] and other[:2] == (number, protocol) and meet:
                    return f"{there['metadata']['name']} has {other}"
    return None


def broken(pod, node, nodes, bound):
    """Which rule a pod breaks on a node, beside pods that are bound to theirs; None where it breaks none."""
    by_name = {one["metadata"]["name"]: one for one in nodes}
    return (
        breaks_spread(pod, node, nodes, bound)
        or breaks_affinity(pod, node, by_name, bound)
        or breaks_anti_affinity(pod, node, by_name, bound)
        or breaks_ports(pod, node, bound)
    )


def cores(pod):
    return int(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"])


def fits(pod, node, nodes, bound):
    """Whether kube-scheduler would let a pod go to a node."""
    held = sum(cores(there) for there, where in bound if where == node["metadata"]["name"])
    room = held + cores(pod) <= int(node["status"]["allocatable"]["cpu"])
    return room and is_selected(pod, node) and is_tolerated(pod, node) and broken(pod, node, nodes, bound) is None
