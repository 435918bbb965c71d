"""Whatever bytes come: a recording or a manifest is read, or refused with an error of its own."""

import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from offermatch import InputError, MatcherError, Recording, ReferenceMatcher, replay
from offermatch.errors import OffermatchError
from offermatch.slot.manifest import Manifest

RECORDING = {
    "format": "offermatch-recording/1",
    "name": "n",
    "matcher": {"name": "m", "version": "0.1.0", "policy": "p", "contract": "0.1.0", "digest": None},
    "shape": {"dimensions": 1, "attributes": 1},
    "settings": {"mode": "shared", "max_score": 31.0, "weights": [1, 0.5], "scales": [4000, 0]},
    "offers": {"rows": 2, "available": [4000, 2000], "attributes": [0, 7], "device_offsets": [0, 1, 1], "device_free": [9]},
    "steps": [
        {"assign": {"rows": 1, "demand": [1000]}, "answer": {"tasks": [0], "offers": [1], "scores": [0.25]}},
        {"update": {"removed": [0], "changed_rows": [], "changed": {"rows": 0}, "added": {"rows": 0}}, "answer": {}},
        {"explain": {"rows": 1, "demand": [1000]}, "answer": {"by_dimension": [1], "candidates": [0]}},
        {"assign": {"rows": 1, "demand": []}, "error": "column-length"},
    ],
}
MANIFEST = {"matcher": "m", "version": "1", "policy": "p", "path": "m.wasm", "digest": "sha256:" + "0a" * 32}
PIECES = ["{", "}", "[", "]", ",", ":", '"', "null", "true", "NaN", "-0", "1e3", "1e999", "0.5", "4294967296", "[" * 200_000]
PIECES += ["18446744073709551616", "9" * 5000, "\\ud800", "\x00", "﻿", '"rows":', '"answer":', "\udcff"]


@st.composite
def changed(draw, document):
    """Draw the bytes of a document with some of them changed."""
    text = json.dumps(document)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 12))
        text = text[:start] + draw(st.sampled_from([*PIECES, ""])) + text[end:]
    return text.encode(errors="surrogateescape")


@seed(1)
@settings(max_examples=600, database=None)
@given(content=changed(RECORDING), packed=st.booleans())
def test_a_recording_is_read_or_refused(tmp_path, content, packed):
    file = tmp_path / "r.recording.json"
    file.write_bytes(gzip.compress(content)[: None if len(content) % 7 else -3] if packed else content)
    try:
        recording = Recording.read(file)
    except InputError as error:
        assert error.code == "file-malformed"  # noqa: PT017 - either outcome is right
        return
    recording.write(file)
    assert Recording.read(file) == recording
    if recording.offers.get("rows", 0) < 1000:
        with suppress(OffermatchError):
            replay(recording, ReferenceMatcher())


@seed(1)
@settings(max_examples=300, database=None)
@given(content=changed(MANIFEST))
def test_a_manifest_is_read_or_refused(tmp_path, content):
    file = tmp_path / "manifest.json"
    file.write_bytes(content)
    try:
        assert Manifest.read(file).digest.startswith("sha256:")
    except MatcherError as error:
        assert error.code == "manifest-malformed"  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"n"', '"\\ud800"'),
        ("31.0", "NaN"),
        ("31.0", "1e999"),
        ("4000,", "-0,"),
        ("4000,", "4e3,"),
        ("4000,", "true,"),
        ("4000,", "18446744073709551616,"),
        ('{"rows": 2', '{"rows": 2, "rows": 2'),
        ('{"rows": 2', '{"rows": 4294967296'),
        ('{"rows": 2', '{"row": 2'),
        ('"mode": "shared"', '"mode": null'),
        ('"answer": {}', '"answer": {}, "error": "x"'),
        ('"answer": {}', '"answer": {"tasks": []}'),
        ('"name": "n"', '"name": null'),
        ('"group"', '"groop"'),
    ],
)
def test_what_the_format_does_not_have_is_refused(tmp_path, before, after):
    text = json.dumps({**RECORDING, "group": "g"})
    assert before in text
    file = tmp_path / "r.recording.json"
    file.write_text(text)
    Recording.read(file)
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(InputError) as caught:
        Recording.read(file)
    assert caught.value.code == "file-malformed"


@pytest.mark.parametrize(
    ("before", "after"), [('"m"', '"\\ud800"'), ('"matcher": "m"', '"matcher": "m", "matcher": "m"'), ('"1"', "NaN")]
)
def test_what_a_manifest_does_not_have_is_refused(tmp_path, before, after):
    file = tmp_path / "manifest.json"
    text = json.dumps(MANIFEST)
    assert before in text
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(MatcherError) as caught:
        Manifest.read(file)
    assert caught.value.code == "manifest-malformed"
