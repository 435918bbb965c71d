"""What strangers may have written is read up to a bound, in time that grows with what is read."""

import gzip
import json

import pytest

from offermatch import InputError, Limits, Manifest, MatcherError, Recording
from offermatch.reading import MOST_OF_A_DOCUMENT, TooLongError, read_bounded, unpacked


def test_no_more_is_read_than_may_be(tmp_path):
    file = tmp_path / "file"
    with file.open("wb") as opened:
        opened.truncate(2**40)
    with pytest.raises(TooLongError, match="longer than 1,000 bytes") as caught:
        read_bounded(file, 1000)
    assert (caught.value.most, caught.value.size) == (1000, 2**40)
    with file.open("wb") as opened:
        opened.truncate(1000)
    assert len(read_bounded(file, 1000)) == 1000


def test_no_more_is_unpacked_than_may_be():
    zeros = gzip.compress(bytes(2**20))
    assert len(zeros) < 2000
    assert len(unpacked(zeros, 2**20)) == 2**20
    with pytest.raises(TooLongError, match="longer than 1,048,575 bytes"):
        unpacked(zeros, 2**20 - 1)


@pytest.mark.parametrize("size", [0, 1, 2**16 - 1, 2**16, 2**16 + 1, 300_000])
def test_members_follow_each_other(size):
    import random

    one = random.Random(size).randbytes(size)
    assert unpacked(gzip.compress(one) + gzip.compress(b"") + gzip.compress(b"end")) == one + b"end"


def test_what_is_cut_short_or_no_member_is_refused():
    whole = gzip.compress(b"ab")
    for packed in (whole[:-1], whole + b"\x1f", whole + b"more", b"\x1f\x8bno"):
        with pytest.raises(ValueError, match="compressed wrongly"):
            unpacked(packed)
    assert unpacked(b"plain") == b"plain"


def test_very_many_members_take_time_that_grows_with_their_number():
    """Each byte of a file is handed to the decompressor once, but for what it leaves over of a chunk."""
    assert unpacked(gzip.compress(b"ab") * 20_000) == b"ab" * 20_000


@pytest.mark.parametrize("name", ["dimensions", "attributes"])
def test_a_shape_that_the_file_cannot_hold_is_refused(tmp_path, name):
    file = tmp_path / "one.recording.json"
    shape = {"dimensions": 1, "attributes": 0, name: 10**9}
    settings = {"mode": "shared", "max_score": 31.0, "weights": [1.0, 1.0], "scales": [0, 0]}
    document = {"format": "offermatch-recording/1", "shape": shape, "settings": settings, "offers": {}, "steps": []}
    file.write_text(json.dumps(document))
    with pytest.raises(InputError, match=rf"shape\.{name} is 1000000000, more than a file of [0-9]+ bytes") as caught:
        Recording.read(file)
    assert (caught.value.code, caught.value.place) == ("file-malformed", str(file))


def test_files_that_people_write_are_short(tmp_path):
    file = tmp_path / "file.json"
    file.write_bytes(b" " * (MOST_OF_A_DOCUMENT + 1))
    with pytest.raises(MatcherError, match="longer than") as caught:
        Manifest.read(file)
    assert caught.value.code == "manifest-malformed"
    with pytest.raises(InputError, match="longer than"):
        Limits.in_force(file)
