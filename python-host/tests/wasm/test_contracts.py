"""Two versions of the contract: both serve at once, and one takes the place of the other while cycles run."""

import json
import threading
from pathlib import Path

import pytest

from hostile import OFFERS, TASKS, right
from offermatch import LimitError, Limits, Matcher, Slot
from offermatch.policies import BUNDLED
from offermatch.sample import parse_sample

BEFORE = Path(__file__).parents[3] / "target" / "matcher-0.2.0.wasm"


@pytest.fixture(scope="module")
def versions():
    if not BEFORE.exists():
        pytest.fail(f"{BEFORE} is not there: run 'make hostile'")
    return {path: Matcher.load(path) for path in (BUNDLED, BEFORE)}


def manifest(folder, path, matcher):
    found = matcher.description
    content = {"matcher": found.name, "version": found.version, "policy": found.policy}
    target = folder / f"{found.contract}.json"
    target.write_text(json.dumps({**content, "path": str(path), "digest": matcher.digest}))
    return target


def test_both_speak_their_version_and_answer_alike(versions):
    assert [matcher.description.contract for matcher in versions.values()] == ["0.3.0", "0.2.0"]
    assert [matcher.crossing for matcher in versions.values()] == ["packed", "packed"]
    with versions[BUNDLED].open(OFFERS) as current, versions[BEFORE].open(OFFERS) as before:
        for row in range(0, len(TASKS), 5):
            answers = [pool.assign(TASKS[row : row + 5]) for pool in (current, before)]
            assert answers[0].assignments == answers[1].assignments
            for pool in (current, before):
                pool.update(removed=[f"offer-{row}"])


def test_one_takes_the_place_of_the_other_and_back_while_cycles_run(tmp_path, versions):
    slot = Slot(versions[BEFORE])
    manifests = {path: manifest(tmp_path, path, matcher) for path, matcher in versions.items()}
    digests, stop = [], threading.Event()

    def cycles():
        while not stop.is_set():
            answer = slot.match(TASKS, OFFERS)
            digests.append((answer.matcher.contract, answer.digest))

    threads = [threading.Thread(target=cycles) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for path in (BUNDLED, BEFORE, BUNDLED):
            slot.swap(manifests[path])
            before = len(digests)
            while len(digests) < before + 4:
                stop.wait(0.01)
        assert slot.current.description.contract == "0.3.0"
        slot.rollback()
        assert slot.current.description.contract == "0.2.0"
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {digest for _, digest in digests} == {right()}
    assert {contract for contract, _ in digests} == {"0.2.0", "0.3.0"}


def instructions(path, sample):
    """Return the least fuel with which a matcher answers: what its longest call costs, the same on every machine."""
    tasks, offers = parse_sample(sample).rows()
    matcher = Matcher.load(path, limits=Limits(fuel=10**10))
    enough, short = 10**10, 0
    while enough - short > 1:
        matcher._code.limits = Limits(fuel=(enough + short) // 2)
        try:
            matcher.match(tasks, offers)
            enough = matcher.limits.fuel
        except LimitError:
            short = matcher.limits.fuel
    return enough


@pytest.mark.parametrize("sample", ["uniform:1x1", "constrained:300x200"])
def test_a_cycle_without_rules_costs_the_instructions_of_the_contract_before(sample):
    before, current = (instructions(path, sample) for path in (BEFORE, BUNDLED))
    print(f"{sample}: {before:,} instructions by contract 0.2.0, {current:,} by 0.3.0")
    # What nobody asks costs next to nothing: a microsecond a cycle for its columns, and a fiftieth of a larger cycle.
    assert current - before < 2500 + before // 50
