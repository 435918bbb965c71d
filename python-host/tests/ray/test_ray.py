"""Ray's own functions and the drop-ins, side by side on the same bundles and nodes."""

import importlib
import math
import random
import subprocess
import sys
from functools import partial

import pytest

from offermatch import InputError
from offermatch.ray import get_bin_pack_residual, get_nodes_for, install, packing, utilization_scorer

ray_scheduler = pytest.importorskip(
    "ray.autoscaler._private.resource_demand_scheduler", reason="ray has no wheel for this Python"
)

IMPLICIT = "node:__internal_implicit_resource_pinned"
# Sums of these are exact as doubles.
QUANTITIES = {
    "CPU": [0, 0.5, 1, 2, 4.0, 8],
    "GPU": [0, 0.25, 0.5, 1],
    "memory": [2**28, 2.0**31, 5e9],
    "disk": [0.125, 3],
    IMPLICIT: [0.5, 1],
}
HELD = {"CPU": [0, 2.5, 16, 64.0], "GPU": [0, 1, 4.0, 8], "memory": [2**32, 64e9], "disk": [1, 4.5], IMPLICIT: [0, 0.5, 1]}


def drawn(rng: random.Random, quantities: dict, most: int) -> dict:
    names = rng.sample(sorted(quantities), rng.randint(0, most))
    return {name: rng.choice(quantities[name]) for name in names}


def bundles(rng: random.Random, most: int) -> list[dict]:
    shapes = [drawn(rng, QUANTITIES, 3) for _ in range(rng.randint(1, 6))]
    return [dict(rng.choice(shapes)) for _ in range(rng.randint(0, most))]


@pytest.mark.parametrize("small", [0, 10**9], ids=["component", "runs"])
@pytest.mark.parametrize("strict", [False, True], ids=["packed", "spread"])
def test_the_residual_and_what_nodes_have_left_are_rays(monkeypatch, small, strict):
    monkeypatch.setattr(packing, "_SMALL", small)
    rng = random.Random(small + strict)
    placed = 0
    for _ in range(1000):
        asked, nodes = bundles(rng, 30), [drawn(rng, HELD, 5) for _ in range(rng.randint(0, 12))]
        residual, left = get_bin_pack_residual(nodes, asked, strict)
        expected, expected_left = ray_scheduler.get_bin_pack_residual(nodes, asked, strict)
        assert (residual, left) == (expected, expected_left), (nodes, asked)
        assert list(map(id, residual)) == list(map(id, expected))
        placed += len(asked) - len(residual)
    assert placed > 1000


@pytest.mark.parametrize("strict", [False, True], ids=["packed", "spread"])
@pytest.mark.parametrize("own", [False, True], ids=["ray's scorer", "a scorer of one's own"])
def test_nodes_to_add_are_rays(strict, own):
    rng = random.Random(10 + strict + 2 * own)
    scorer = partial(ray_scheduler._default_utilization_scorer, node_availability_summary=None)
    given = scorer.__call__ if own else scorer
    added = 0
    for _ in range(1000):
        types = {
            f"type-{number}": {"resources": drawn(rng, HELD, 5), "max_workers": rng.randint(0, 8)}
            for number in range(rng.randint(1, 4))
        }
        existing = {name: rng.randint(0, 2) for name in types}
        case = (types, existing, "type-0", rng.randint(0, 20), bundles(rng, 60))
        expected = ray_scheduler.get_nodes_for(*case, scorer, strict)
        assert get_nodes_for(*case, given, strict) == expected, case
        added += sum(expected[0].values())
    assert added > 1000


def test_many_equal_bundles_are_counted_as_one_after_the_other():
    rng = random.Random(3)
    scorer = partial(ray_scheduler._default_utilization_scorer, node_availability_summary=None)
    types = {
        name: {"resources": {"CPU": cpu, "GPU": gpu, "memory": cpu * 2.0**31}, "max_workers": 60}
        for name, cpu, gpu in [("small", 2, 0), ("middle", 8, 0), ("large", 16, 4)]
    }
    for _ in range(20):
        shapes = [{"CPU": rng.choice([0.5, 1, 3]), "memory": rng.randint(1, 8) * 2.0**28} for _ in range(4)] + [{"GPU": 0.5}]
        asked = [dict(rng.choice(shapes)) for _ in range(300)]
        case = (types, {}, "small", 100, asked)
        assert get_nodes_for(*case, scorer) == ray_scheduler.get_nodes_for(*case, scorer)


def test_decimal_fractions_are_placed_as_a_node_would_run_them():
    asked = [{"CPU": 0.3}, {"CPU": 0.3}, {"CPU": 0.3}, {"CPU": 0.1}]
    assert get_bin_pack_residual([{"CPU": 1}], asked) == ([], [{"CPU": 0.0}])
    assert len(ray_scheduler.get_bin_pack_residual([{"CPU": 1}], asked)[0]) == 1


@pytest.mark.parametrize("quantity", [-1, -0.5, math.inf, math.nan, "2", None, 2.0**70])
def test_a_quantity_that_cannot_be_is_refused_by_the_name_of_its_resource(quantity):
    for nodes, asked in [([{"CPU": 1}], [{"CPU": quantity}]), ([{"CPU": quantity}], [{"CPU": 1}])]:
        with pytest.raises(InputError, match="CPU") as refused:
            get_bin_pack_residual(nodes, asked)
        assert refused.value.code == "quantity-malformed"


def test_digits_that_have_no_room_are_rounded_against_the_bundle():
    nodes, tiny = [{"memory": 2.0**62}], 1e-12
    residual, _ = get_bin_pack_residual(nodes, [{"memory": 2.0**62}, {"memory": tiny}])
    assert residual == [{"memory": tiny}]


def test_install_replaces_the_functions_of_a_running_autoscaler(monkeypatch):
    autoscaler = importlib.import_module("ray.autoscaler._private.autoscaler")
    for module, name in [
        (ray_scheduler, "get_bin_pack_residual"),
        (ray_scheduler, "get_nodes_for"),
        (autoscaler, "get_bin_pack_residual"),
    ]:
        monkeypatch.setattr(module, name, getattr(module, name))
    install()
    assert ray_scheduler.get_bin_pack_residual is autoscaler.get_bin_pack_residual is get_bin_pack_residual
    assert ray_scheduler.get_nodes_for is get_nodes_for


def test_the_environment_variable_of_rays_scorer_installs_them():
    program = """
import ray.autoscaler._private.resource_demand_scheduler as scheduler
made = scheduler.ResourceDemandScheduler(None, {"head": {"resources": {"CPU": 2}, "max_workers": 3}}, 3, "head", 1)
print(scheduler.get_nodes_for.__module__, made.utilization_scorer.__module__)
"""
    variables = {"RAY_AUTOSCALER_UTILIZATION_SCORER": "offermatch.ray.monitor.utilization_scorer"}
    ran = subprocess.run([sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["offermatch.ray.nodes", "offermatch.ray.autoscaler"]


def test_the_scorer_is_rays():
    rng = random.Random(5)
    for _ in range(500):
        node, asked = drawn(rng, HELD, 5), bundles(rng, 12)
        expected = ray_scheduler._default_utilization_scorer(node, asked, "type", node_availability_summary=None)
        assert utilization_scorer(node, asked, "type", node_availability_summary=None) == expected
