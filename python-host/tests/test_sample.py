import pytest

from offermatch import ReferenceMatcher
from offermatch.sample import KINDS, Sample, SplitMix64, parse_sample


def test_the_generator_gives_the_published_numbers():
    # The first outputs of SplitMix64 for the seed 1234567, as every implementation gives them.
    draw = SplitMix64(1234567)
    assert [draw.next() for _ in range(3)] == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_below_stays_below():
    draw = SplitMix64(1)
    drawn = [draw.below(7) for _ in range(1000)]
    assert set(drawn) == set(range(7))


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_matched_as_the_reference_does(packed, kind, mode):
    tasks, offers = Sample(kind, 300, 100, 7).rows()
    assert (len(tasks), len(offers)) == (300, 100)
    answer = packed.match(tasks, offers, mode=mode, explain=True)
    expected = ReferenceMatcher().match(tasks, offers, mode=mode, explain=True)
    assert answer.digest == expected.digest
    assert answer.explanations == expected.explanations


def test_a_sample_is_its_text():
    assert parse_sample("ties:2x3") == Sample("ties", 2, 3, 1)
    assert str(parse_sample("nothing-fits:2x3:9")) == "nothing-fits:2x3:9"
    assert Sample("uniform", 5, 5).rows() == parse_sample("uniform:5x5:1").rows()


@pytest.mark.parametrize(
    "text", ["", "uniform", "uniform:5", "odd:5x5", "uniform:-5x5", "uniform:5x5:x", f"uniform:5x5:{2**64}"]
)
def test_text_that_is_no_sample(text):
    with pytest.raises(ValueError, match="KIND"):
        parse_sample(text)
