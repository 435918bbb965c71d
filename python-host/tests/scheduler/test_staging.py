"""Staging through the copy engine: progress, errors, digests. Skipped where the program is not built."""

import asyncio
import os
import threading

import pytest

from offermatch.scheduler.staging import Input, StagingError, prepare_inputs, stage
from program import PROGRAM, needs_program


@pytest.fixture
def tree(tmp_path):
    source = tmp_path / "source"
    (source / "inner").mkdir(parents=True)
    (source / "a.bin").write_bytes(os.urandom(300_000))
    (source / "inner" / "b.txt").write_text("b")
    return source


@needs_program
def test_a_tree_is_staged_then_skipped(tree, tmp_path):
    first = stage([tree], tmp_path / "node", program=PROGRAM)
    assert first.targets == ((tmp_path / "node" / "source").resolve(),)
    assert (tmp_path / "node/source/a.bin").read_bytes() == (tree / "a.bin").read_bytes()
    assert (first.progress.files_done, first.progress.files_skipped, first.skipped) == (2, 0, False)
    second = stage([tree], tmp_path / "node", program=PROGRAM)
    assert (second.progress.files_done, second.skipped) == (2, True)


@needs_program
def test_progress_ends_with_everything(tree, tmp_path):
    seen = []
    stage([tree], tmp_path / "node", on_progress=seen.append, program=PROGRAM)
    assert seen[-1].bytes_done == seen[-1].bytes_found == 300_001


@needs_program
def test_an_error_has_its_code_and_hint(tmp_path):
    with pytest.raises(StagingError, match="does not exist") as caught:
        stage([tmp_path / "nothing"], tmp_path / "node", program=PROGRAM)
    assert caught.value.code == "source-vanished"
    assert caught.value.hint


def test_without_a_program_it_says_how_to_get_one(tmp_path):
    with pytest.raises(StagingError) as caught:
        stage([tmp_path], tmp_path / "node", program=tmp_path / "no-such-program")
    assert caught.value.code == "program-missing"


@needs_program
def test_a_path_is_never_an_option(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "--checksum").write_text("data")
    staged = stage(["--checksum"], "node", program=PROGRAM)
    assert (tmp_path / "node" / "--checksum").read_text() == "data"
    assert staged.digests == (None,)


@needs_program
def test_inputs_are_staged_at_once_and_skipped_by_digest(tree, tmp_path):
    digest = stage([tree / "a.bin"], tmp_path / "once", checksum=True, program=PROGRAM).digests[0]
    target = tmp_path / "node" / "weights.bin"
    weights = Input(tree / "a.bin", target, digest)
    inputs = [weights, Input(tree, tmp_path / "node" / "tree"), weights]
    staged = asyncio.run(prepare_inputs(inputs, program=PROGRAM))
    assert [one.skipped for one in staged] == [False, False, False]
    assert target.read_bytes() == (tree / "a.bin").read_bytes()
    # Other times and another source do not matter: the digest tells that it is there.
    os.utime(target, (1, 1))
    again = asyncio.run(prepare_inputs(inputs, program=PROGRAM))
    assert [one.skipped for one in again] == [True, True, True]
    assert again[0].digests == (digest,)


@needs_program
def test_other_bytes_than_promised_are_refused(tree, tmp_path):
    wrong = Input(tree / "a.bin", tmp_path / "node" / "a.bin", "blake3:" + "0" * 64)
    with pytest.raises(StagingError) as caught:
        asyncio.run(prepare_inputs([wrong], program=PROGRAM))
    assert caught.value.code == "digest-mismatch"
    assert not any((tmp_path / "node").iterdir())


def test_two_inputs_cannot_have_one_target(tmp_path):
    inputs = [Input(tmp_path / "a", tmp_path / "c"), Input(tmp_path / "b", tmp_path / "c")]
    with pytest.raises(StagingError) as caught:
        asyncio.run(prepare_inputs(inputs, program="true"))
    assert caught.value.code == "duplicate-name"


@needs_program
def test_a_cancelled_stage_ends_and_can_go_on(tree, tmp_path):
    cancelled = threading.Event()
    timer = threading.Timer(0.3, cancelled.set)
    timer.start()
    with pytest.raises(StagingError) as caught:
        stage([tree], tmp_path / "node", bandwidth=10_000, cancelled=cancelled, program=PROGRAM)
    timer.join()
    assert caught.value.code == "cancelled"
    assert not (tmp_path / "node" / "source").exists()
    stage([tree], tmp_path / "node", program=PROGRAM)
    assert (tmp_path / "node/source/a.bin").read_bytes() == (tree / "a.bin").read_bytes()
