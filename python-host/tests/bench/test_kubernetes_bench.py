"""The benchmark of the Kubernetes scheduler, small, on the double."""

import json

from offermatch.cli.main import run
from offermatch.kubernetes.api import Api, path_of
from sites import add_node, clear, node


def test_it_places_everything_and_leaves_nothing_behind(apiserver, capsys):
    command = ["bench", "kubernetes", "--kubeconfig", str(apiserver.kubeconfig), "--nodes", "40", "--pods", "120", "--json"]
    api = Api(kubeconfig=str(apiserver.kubeconfig))
    clear(api)
    assert run(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["placed"], found["refused"], found["server"]) == (120, {}, "double")
    decided, bound, watched = (found["times"][name] for name in ("decided", "bound", "watched"))
    for figure in ("seconds", "processor"):
        assert 0 < decided[figure] <= bound[figure] <= watched[figure]
    assert decided["rate"] == 120 / decided["seconds"]
    assert list(found["stages"]) == ["list", "read", "match", "bind", "watch"]
    for stage in found["stages"].values():
        assert 0 <= stage["begin"] < stage["end"]
        assert stage["processor"] > 0
    assert found["stages"]["match"]["end"] <= decided["seconds"]
    assert api.pages(path_of("Pod"))[0] == []
    assert api.pages(path_of("Node"))[0] == []
    # What was there before stays, also where that ends the measurement.
    theirs = {"kind": "Pod", "metadata": {"name": "bench-7"}, "spec": {"containers": [{"name": "main", "image": "theirs"}]}}
    api.create(path_of("Pod", "default"), theirs)
    assert run(command) == 1
    assert "AlreadyExists" in capsys.readouterr().err
    assert [one["spec"]["containers"][0]["image"] for one in api.pages(path_of("Pod"))[0]] == ["theirs"]
    assert api.pages(path_of("Node"))[0] == []
    # A server with nodes is somebody's.
    add_node(api, node("one"))
    assert run(command) == 1
    assert "the server has nodes" in capsys.readouterr().err
    clear(api)
    api.close()
