"""Compiled components on disk: used when they can be trusted, rebuilt when not, and never in the way."""

import logging
import os
import shutil
import subprocess
import sys

import pytest

from offermatch import Limits, Matcher, MatcherError
from offermatch.policies import BUNDLED
from offermatch.sample import parse_sample
from offermatch.wasm import cache
from offermatch.wasm.component import Code
from offermatch.wasm.engine import configuration, shared_engine

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def entry(folder):
    (path,) = folder.glob("*.cwasm")
    return path


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A cache with the bundled component, which takes seconds to compile."""
    folder = tmp_path_factory.mktemp("compiled") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFERMATCH_CACHE", str(folder))
        Code(BUNDLED)
    return folder


@pytest.fixture
def filled(folder, compiled):
    """A copy of it."""
    return shutil.copytree(compiled, folder)


def rebuilt(folder, reason, caplog):
    """Load once: the entry at hand is not used, the next one is."""
    with caplog.at_level(logging.DEBUG, "offermatch"):
        assert not Code(BUNDLED).cached
    assert reason in caplog.text
    assert Code(BUNDLED).cached
    assert len(Matcher.load().match(*parse_sample("ties:20x20").rows())) == 20


def test_the_second_load_comes_from_the_cache(folder, monkeypatch):
    assert [Code(BUNDLED).cached for _ in range(3)] == [False, True, True]
    tasks, offers = parse_sample("constrained:300x200").rows()
    cached = Matcher.load().match(tasks, offers).digest
    monkeypatch.setenv("OFFERMATCH_CACHE", "off")
    assert Matcher.load().match(tasks, offers).digest == cached


@posix
def test_only_the_user_can_read_and_write_the_cache(folder):
    Code(BUNDLED)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert entry(folder).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == [entry(folder).name]


def test_the_cache_can_be_turned_off(folder, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CACHE", "off")
    assert [Code(BUNDLED).cached for _ in range(2)] == [False, False]
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="XDG is a convention of Linux")
def test_the_users_cache_directory_is_the_default(tmp_path, monkeypatch):
    monkeypatch.delenv("OFFERMATCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.directory() == tmp_path / "offermatch"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.directory() == tmp_path / ".cache" / "offermatch"


@pytest.mark.parametrize("length", [0, 5, 60, 82, 83, 84, -1000, -1])
def test_a_truncated_entry_is_rebuilt(filled, caplog, length):
    path = entry(filled)
    path.write_bytes(path.read_bytes()[:length])
    rebuilt(filled, "is not used", caplog)


@pytest.mark.parametrize("at", [3, 25, 60, 100, -1])
def test_a_damaged_entry_is_rebuilt(filled, caplog, at):
    path = entry(filled)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    rebuilt(filled, "is not used", caplog)


def test_machine_code_that_wasmtime_refuses_is_rebuilt(filled, caplog):
    path = entry(filled)
    key = bytes.fromhex(path.stem)
    cache._write(path, key, b"not machine code")
    rebuilt(filled, "is not used", caplog)


def test_an_entry_of_another_component_is_rebuilt(filled, caplog):
    path = entry(filled)
    content = path.read_bytes()
    other = cache.entry_key(b"another component", configuration(Limits()))
    path.write_bytes(content.replace(bytes.fromhex(path.stem), other, 1))
    rebuilt(filled, "another component", caplog)


def test_every_part_of_the_key_counts(monkeypatch):
    content = BUNDLED.read_bytes()
    keys = {
        cache.entry_key(content, ""),
        cache.entry_key(content[:-1], ""),
        cache.entry_key(content, "consume_fuel=True"),
    }
    monkeypatch.setattr(cache, "_wasmtime_version", lambda: "1.2.3")
    keys.add(cache.entry_key(content, ""))
    monkeypatch.setattr("platform.machine", lambda: "another")
    keys.add(cache.entry_key(content, ""))
    assert len(keys) == 5


@posix
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_an_entry_that_others_can_write_to_is_rebuilt(filled, caplog, mode):
    entry(filled).chmod(mode)
    rebuilt(filled, "can be written to by others", caplog)


@posix
def test_an_entry_of_another_user_is_rebuilt(filled, caplog, monkeypatch):
    path = entry(filled)
    if os.geteuid() == 0:
        os.chown(path, 12345, -1)
        rebuilt(filled, "belongs to user 12345", caplog)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        with caplog.at_level(logging.DEBUG, "offermatch"):
            assert not Code(BUNDLED).cached
        assert "not to 12345" in caplog.text


@posix
def test_a_directory_that_others_can_write_to_is_not_used(filled, caplog):
    before = entry(filled).stat().st_mtime_ns
    filled.chmod(0o777)
    with caplog.at_level(logging.DEBUG, "offermatch"):
        assert [Code(BUNDLED).cached for _ in range(2)] == [False, False]
    assert "the directory can be written to by others" in caplog.text
    assert entry(filled).stat().st_mtime_ns == before


@posix
def test_a_link_is_not_followed(filled, caplog, tmp_path):
    path = entry(filled)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    rebuilt(filled, "is not used", caplog)
    assert not path.is_symlink()


def test_a_directory_that_cannot_be_made_is_a_line_in_the_debug_log(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level(logging.DEBUG, "offermatch"):
        assert not Code(BUNDLED).cached
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert "is not kept" in caplog.text


def test_a_full_disk_leaves_nothing_behind(folder, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with caplog.at_level(logging.DEBUG, "offermatch"):
        assert not Code(BUNDLED).cached
    assert "No space left" in caplog.text
    assert list(folder.iterdir()) == []


def test_a_malformed_component_is_refused_as_ever(folder, tmp_path):
    path = tmp_path / "cut.wasm"
    path.write_bytes(BUNDLED.read_bytes()[:1000])
    with pytest.raises(MatcherError) as caught:
        Matcher.load(path)
    assert caught.value.code == "component-malformed"
    assert not folder.exists()


def test_old_entries_and_abandoned_files_are_removed(filled):
    for number in range(40):
        old = filled / f"{number:064x}.cwasm"
        old.touch()
        os.truncate(old, 2**26)  # a hole, so that it takes no room
        os.utime(old, (number, number))
    (filled / ".left.tmp").write_bytes(b"")
    os.utime(filled / ".left.tmp", (0, 0))
    (filled / ".fresh.tmp").write_bytes(b"")
    cache._prune(filled)
    left = {path.name for path in filled.iterdir()}
    assert {f"{number:064x}.cwasm" for number in range(25, 40)} < left
    assert len(left) == 17
    assert ".left.tmp" not in left
    assert ".fresh.tmp" in left
    assert Code(BUNDLED).cached


def test_processes_that_start_at_once_do_not_disturb_each_other(folder):
    code = (
        "from offermatch import Matcher, sample\n"
        "tasks, offers = sample.parse_sample('uniform:200x200').rows()\n"
        "for _ in range(5): print(Matcher.load().match(tasks, offers).digest)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    lines = [process.communicate(timeout=60)[0].splitlines() for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert len({line for found in lines for line in found}) == 1
    assert [path.suffix for path in folder.iterdir()] == [".cwasm"]
    assert Code(BUNDLED).cached


def test_the_engine_is_the_one_the_key_describes():
    limits = Limits(), Limits(fuel=1), Limits(call_milliseconds=None), Limits(call_milliseconds=None, fuel=1)
    assert len({configuration(found) for found in limits}) == len({id(shared_engine(found)) for found in limits}) == 4
    assert shared_engine(Limits()) is shared_engine(Limits(call_milliseconds=7))
