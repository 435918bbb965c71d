"""The benchmark of judging measures each phase, and its candidate is one."""

from offermatch import Matcher
from offermatch.bench.judge import judge, large, table
from offermatch.policies import BUNDLED
from offermatch.sample import Sample
from offermatch.wasm.elsewhere import is_elsewhere


def test_each_phase_is_measured(tmp_path):
    measured = judge(Sample("uniform", 20, 20), megabytes=1, callers=2, rounds=1)
    assert [row["name"] for row in measured["rows"]] == ["alone", "in this process", "in another"]
    for row in measured["rows"]:
        assert row["calls"] > 0
        assert 0 < row["median_ms"] <= row["p99_ms"] <= row["worst_ms"]
        assert row["name"] in table(measured)
    assert not is_elsewhere()


def test_a_large_candidate_is_the_bundled_matcher_and_more(tmp_path):
    path = tmp_path / "large.wasm"
    path.write_bytes(large(BUNDLED.read_bytes(), 1_000_000))
    assert 900_000 < path.stat().st_size - BUNDLED.stat().st_size < 1_100_000
    assert Matcher.load(path).description == Matcher.load().description
