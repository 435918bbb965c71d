"""A pool that lives for long is recorded in files that rotate; each is replayed on its own."""

import logging

import pytest

from offermatch import (
    FallbackMatcher,
    InputError,
    Offer,
    Recording,
    ReferenceMatcher,
    Rotation,
    Running,
    Slot,
    Task,
    is_in,
    replay,
)


def live(pool, cycles):
    """Calls of every kind on a pool that was opened with ``offers(0)``; returns the digests of its answers."""
    digests = []
    for cycle in range(1, cycles + 1):
        pool.update(removed=[f"s{cycle - 1}-{at}" for at in range(0, 6, 2)], added=offers(cycle)[::2])
        tasks = [
            Task(f"t{at}", {"gpu": at % 3}, [is_in("zone", "b")] if at % 4 == 1 else [], device_share=100 * (at % 2))
            for at in range(4)
        ]
        digests.append(pool.assign(tasks).digest)
        pool.upsert([Offer(f"s{cycle}-0", {"gpu": 9}, attributes={"zone": f"host-{cycle}"}, devices=[700, 300])])
        pool.explain(tasks[:2])
        if pool.settings.mode == "shared":
            pool.preempt([Task("urgent", {"gpu": 7})], [5], [Running("s0-1", 1, cycle, {"gpu": 2})])
    return digests


def offers(cycle):
    return [
        Offer(f"s{cycle}-{at}", {"gpu": 3 + (cycle + at) % 4}, {"gpu": 8}, {"zone": "ab"[at % 2]}, devices=1 + at % 2)
        for at in range(6)
    ]


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("wrap", [lambda one: one, Slot, FallbackMatcher], ids=["alone", "slot", "fallback"])
def test_each_file_is_replayed_on_its_own(tmp_path, packed, mode, wrap):
    rotation = Rotation(tmp_path / "day.recording.json.gz", steps=7, keep=100)
    with wrap(packed).open(offers(0), mode=mode, record=rotation) as pool:
        found = live(pool, 9)
    with packed.open(offers(0), mode=mode) as pool:
        assert found == live(pool, 9)
    files = sorted(tmp_path.iterdir(), key=lambda path: int(path.name.split("-")[1].split(".")[0]))
    assert [path.name for path in files] == [f"day-{number}.recording.json.gz" for number in range(1, len(files) + 1)]
    recordings = [Recording.read(path) for path in files]
    assert len(recordings) > 5
    asked = sum("assign" in step for recording in recordings for step in recording.steps)
    assert asked == 9
    planned = sum("preempt" in step for recording in recordings for step in recording.steps)
    assert planned == (9 if mode == "shared" else 0)
    for recording in recordings:
        assert recording.steps[0].get("answer") is not None
        for matcher in (packed, ReferenceMatcher()):
            assert replay(recording, matcher) == []


def test_the_oldest_files_are_removed(tmp_path, packed):
    with packed.open(offers(0), mode="shared", record=Rotation(tmp_path / "day.json", steps=4, keep=2)) as pool:
        live(pool, 20)
        assert len(list(tmp_path.iterdir())) == 2
    names = sorted(path.name for path in tmp_path.iterdir())
    assert len(names) == 2
    assert all(replay(Recording.read(path), packed) == [] for path in tmp_path.iterdir())


def test_a_file_that_cannot_be_written_costs_no_answer(tmp_path, packed, caplog):
    folder = tmp_path / "gone"
    folder.mkdir()
    pool = packed.open(offers(0), mode="shared", record=Rotation(folder / "day.json", steps=2))
    folder.rmdir()
    with caplog.at_level(logging.WARNING):
        found = live(pool, 3)
    assert len(found) == 3
    assert "file-unwritable" in caplog.text
    folder.mkdir()
    pool.close()
    assert len(list(folder.iterdir())) == 1


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"keep": 0}, {"steps": 1.5}, {"keep": True}])
def test_a_rotation_has_files_and_steps(wrong):
    with pytest.raises(InputError) as caught:
        Rotation("day.json", **wrong)
    assert caught.value.code == "setting-malformed"
