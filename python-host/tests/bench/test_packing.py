"""The packing experiment draws what the published one draws, counts what it says, and refuses files that name other rows."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from offermatch import InputError, OffermatchError
from offermatch.bench import packing
from offermatch.bench.gorandom import GoRandom
from offermatch.cli.main import run

TRACE = Path(__file__).parent / "openb"
"""Three nodes with 8 GPUs, and two lists of pods, in the columns of the trace."""


def measured(listed="small", *, policies=("first-fit",), **options):
    return packing.packing(
        TRACE, lists=[listed], seeds=[5], candidates=[packing.candidate(text) for text in policies], **options
    )


def test_random_numbers_are_those_of_go():
    random = GoRandom(1)
    assert [random.below(100) for _ in range(6)] == [81, 87, 47, 59, 81, 18]
    random = GoRandom(7)
    assert [random.int63(), random.int63(), random.below(1024)] == [8475284246537043955, 2135276795452531224, 429]
    assert random.permutation(8) == [3, 0, 6, 1, 7, 2, 4, 5]
    items = list(range(10))
    random.shuffle(items)
    assert (items, random.below(1_000_000_007)) == ([5, 0, 2, 4, 9, 7, 8, 6, 1, 3], 664061106)
    assert GoRandom(0).int63() == 8717895732742165505
    assert GoRandom(-5).int63() == 1811683815564572222


@pytest.mark.parametrize(
    ("listed", "pods", "nodes"),
    [
        # Fewer GPUs than 130 % are asked for: pods are drawn until the next one would be too much.
        ("small", [4, 0, 1, 3, 2, 1, 1, 4, 1], [1, 0, 2]),
        # More are asked for: pods are taken out.
        ("large", [0], [1, 2, 0]),
    ],
)
def test_arrivals_are_those_of_the_published_simulator(listed, pods, nodes):
    """The expected rows were drawn by its rule in Go 1.19, from the seed 5."""
    read = packing._read(TRACE, listed)
    assert packing.draw(read.pods, read.thousandths, read.nodes, 5) == packing.Order(pods, nodes)


def test_the_curve_is_what_first_fit_allocates():
    """First node-b (G2, 4 GPUs, 32 cores), then node-a and node-c (T4, 2 GPUs, 16 cores each).

    pod-4 takes one GPU of node-b, pod-0 half of another, pod-1 the two that are left, pod-3 its processors; pod-2 wants T4
    and takes a quarter on node-a. One pod-1 fits on node-c; then there are never two GPUs in one place. The second pod-4
    takes node-a's other GPU. Two pods of two GPUs each find nothing.
    """
    [found] = measured()["runs"]
    percent = [12.5, 18.75, 43.75, 43.75, 46.88, 71.88, 71.88, 84.38, 84.38]
    arrived = [12.5, 18.75, 43.75, 43.75, 46.88, 71.88, 96.88, 109.38, 134.38]
    assert (found["placed"], found["arrived"]) == (7, 9)
    assert found["curve"] == [*dict.fromkeys(zip(arrived, percent, strict=True)), (134.38, 84.38)]
    assert found["at_130"] == 84.38


@pytest.mark.parametrize("policy", ["strand", "fragmentation", "best-fit:cpu=0.5,memory=0,devices=0.5"])
def test_batches_change_no_answer(policy):
    digests = {measured(policies=[policy], batch=batch)["runs"][0]["digest"] for batch in (1, 2, 1000)}
    assert len(digests) == 1


def test_memory_can_be_left_out():
    with_it, without = measured(), measured(dimensions=("cpu",))
    assert with_it["runs"][0]["digest"] == without["runs"][0]["digest"], "memory is not scarce here"


def test_arrivals_can_be_read(tmp_path):
    drawn = measured()["runs"][0]["digest"]
    (tmp_path / "small.5.pods").write_text("4\n0\n1\n3\n2\n1\n1\n4\n1\n")
    (tmp_path / "small.5.nodes").write_text("1\n0\n2\n")
    assert measured(arrivals=tmp_path)["runs"][0]["digest"] == drawn


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("0\n5\n", "row-unknown", "line 2: there is no row 5"),
        ("0\n-1\n", "row-unknown", "there is no row -1"),
        ("0\n1.0\n", "row-unknown", "there is no row 1.0"),
        ("\n", "file-malformed", "no row is named"),
    ],
)
def test_arrivals_that_name_other_rows_are_refused(tmp_path, text, code, said):
    (tmp_path / "small.5.pods").write_text(text)
    with pytest.raises(InputError) as caught:
        measured(arrivals=tmp_path)
    assert caught.value.code == code
    assert said in caught.value.line


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError) as caught:
        measured(arrivals=tmp_path)
    assert (caught.value.code, "small.5.pods" in caught.value.line) == ("file-unreadable", True)
    with pytest.raises(InputError) as caught:
        packing.packing(tmp_path, candidates=[])
    assert (caught.value.code, "openb_pod_list_default.csv" in caught.value.line) == ("file-unreadable", True)
    text = (TRACE / "openb_node_list_gpu_node.csv").read_text()
    (tmp_path / "openb_node_list_gpu_node.csv").write_text(text.replace(",2,", ",0,").replace(",4,", ",0,"))
    (tmp_path / "openb_pod_list_small.csv").write_text((TRACE / "openb_pod_list_small.csv").read_text())
    with pytest.raises(InputError, match="there is no GPU"):
        packing.packing(tmp_path, lists=["small"], candidates=[])


@pytest.mark.parametrize(
    "text", ["best-fit:cpu", "best-fit:cpu=much", "best-fit:gpus=1", "no-such-policy", "best-fit:cpu=-1"]
)
def test_a_candidate_that_cannot_take_part_is_refused(text):
    with pytest.raises(OffermatchError):
        measured(policies=[text])


def test_the_command_prints_a_table_writes_json_and_draws(tmp_path, capsys):
    path = tmp_path / "found.json"
    options = ["--list", "small", "--seed", "5", "--policy", "first-fit", "--policy", "strand"]
    status = run(["bench", "packing", "--trace", str(TRACE), *options, "--json", str(path), "--svg", str(tmp_path)])
    out, err = capsys.readouterr()
    assert status == 0
    assert "84.38" in out
    assert "measuring small, seed 5, strand" in err
    document = json.loads(path.read_text())
    assert [mean["policy"] for mean in document["means"]] == ["first-fit", "strand"]
    picture = ElementTree.fromstring((tmp_path / "packing-small.svg").read_text())
    names = [one.text for one in picture.iter() if one.tag.endswith("text")]
    assert {"first-fit", "strand"} <= set(names)


def test_a_workload_is_the_kinds_of_the_list_without_memory():
    found = packing._workload(packing._read(TRACE, "small").pods)
    assert [(task.demand, task.devices, task.device_share, share) for task, share in found] == [
        ({"cpu": "4000m"}, 0, 500, 1.0),
        ({"cpu": "8000m"}, 2, 0, 1.0),
        ({"cpu": "2000m"}, 0, 250, 1.0),
        ({"cpu": "6000m"}, 0, 0, 1.0),
        ({"cpu": "4000m"}, 1, 0, 1.0),
    ]
    assert found[2][0].requirements[0].values == ("T4",)
    assert [share for _, share in packing._workload(packing._read(TRACE, "large").pods)] == [1.0, 1.0, 1.0]


def test_a_workload_goes_to_matchers_that_take_one_and_with_no_rust_host(capsys):
    options = ["--trace", str(TRACE), "--list", "small", "--seed", "5", "--workload"]
    assert run(["bench", "packing", *options, "--rust-host", "anything"]) == 2
    assert "no way to be told a workload" in capsys.readouterr().err
