"""Components are compiled, and candidates judged, in a process of its own that is bounded and never outlives its use."""

import hashlib
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from manifests import manifest
from offermatch import LimitError, Limits, Matcher, MatcherError, Offer, Slot, Task
from offermatch.policies import BUNDLED
from offermatch.slot.manifest import Manifest
from offermatch.wasm import elsewhere
from offermatch.wasm.component import Code
from parts import large

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are looked at in /proc")
TASKS, OFFERS = [Task("t", {"cpu": 1})], [Offer("a", {"cpu": 4})]
MEGABYTES = 20


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A place for the files of other processes, so that what is left is seen; and an empty cache."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def candidate(tmp_path):
    """A component that takes seconds to compile."""
    path = tmp_path / "large.wasm"
    path.write_bytes(large(BUNDLED.read_bytes(), MEGABYTES * 1_000_000))
    return path


def wanted(path):
    said = Matcher.load().description
    digest = "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    return Manifest(said.name, said.version, said.policy, path, digest)


def others(folder):
    """Return the processes whose files lie in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(f"{folder}/offermatch-".encode()) for word in words):
            found.append(int(path.parent.name))
    return found


def wait_for(what, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def nothing_is_left(folder):
    wait_for(lambda: not others(folder))
    assert not [path for path in folder.iterdir() if path.name.startswith("offermatch-")]


def is_kept_out(slot, path, limit):
    before = slot.current
    with pytest.raises(LimitError, match=limit) as caught:
        slot.swap(wanted(path))
    assert (caught.value.code, caught.value.limit, caught.value.place) == ("limit-component", limit, str(path))
    assert (slot.current, slot.history[-1].code) == (before, "limit-component")
    assert len(slot.match(TASKS, OFFERS)) == 1


def test_a_candidate_that_compiles_for_too_long_is_ended(folder, candidate):
    slot = Slot(Matcher.load(), limits=Limits(compile_milliseconds=700))
    is_kept_out(slot, candidate, "compile_milliseconds")
    nothing_is_left(folder)


def test_a_candidate_whose_compiler_needs_too_much_memory_is_ended(folder, candidate):
    slot = Slot(Matcher.load(), limits=Limits(compile_memory_bytes=150_000_000))
    is_kept_out(slot, candidate, "compile_memory_bytes")
    nothing_is_left(folder)


def test_the_first_load_is_bounded_likewise(folder, candidate):
    with pytest.raises(LimitError, match="compile_memory_bytes"):
        Matcher.load(candidate, limits=Limits(compile_memory_bytes=150_000_000))
    nothing_is_left(folder)


def test_a_candidate_that_is_judged_for_too_long_is_ended(folder):
    slot = Slot(Matcher.load(), limits=Limits(compile_milliseconds=300))
    asked = wanted(BUNDLED)
    # Its machine code is there, and its cases take longer than that.
    with pytest.raises(LimitError, match="still being judged"):
        slot.swap(asked)
    nothing_is_left(folder)


def test_what_a_judge_raises_is_raised_here(folder):
    slot = Slot(Matcher.load())
    asked = Manifest("other", "1", "best-fit", BUNDLED, wanted(BUNDLED).digest)
    with pytest.raises(MatcherError, match="its name is 'offermatch-matcher', the manifest asks for 'other'") as caught:
        slot.swap(asked)
    assert (type(caught.value), caught.value.code) == (MatcherError, "manifest-malformed")
    assert caught.value.hint
    nothing_is_left(folder)


def test_what_is_no_component_is_refused_by_its_own_code(folder):
    broken = folder / "broken.wasm"
    broken.write_bytes(BUNDLED.read_bytes()[:-7])
    with pytest.raises(MatcherError) as caught:
        Matcher.load(broken)
    assert (caught.value.code, caught.value.place) == ("component-malformed", str(broken))


def test_leaving_a_watch_does_not_wait_for_a_compiler(folder, candidate):
    slot = Slot(Matcher.load())
    with slot.watch(manifest(folder, BUNDLED, path=str(candidate), digest=wanted(candidate).digest)):
        (other,) = wait_for(lambda: others(folder))
        begin = time.monotonic()
    assert time.monotonic() - begin < 1
    assert not Path(f"/proc/{other}").exists()
    nothing_is_left(folder)
    assert slot.history == []


def test_the_other_process_ends_with_its_parent(folder, candidate):
    program = f"from offermatch import Matcher; Matcher.load({str(candidate)!r})"
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        wait_for(lambda: others(folder))
        parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not others(folder))


FORKED = """
import os, sys
from pathlib import Path
from offermatch import Matcher, Offer, Task
from offermatch.policies import BUNDLED
from offermatch.wasm import elsewhere
from offermatch.wasm.component import Code

def load(note):
    content = BUNDLED.read_bytes() + b"\\0\\2\\1" + note
    matcher = Matcher(Code(Path("other.wasm"), content=content))
    assert len(matcher.match([Task("t", {"cpu": 1})], [Offer("a", {"cpu": 4})])) == 1

load(b"a")
child = os.fork()
if not child:
    load(b"b")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
load(b"c")
"""


def test_a_process_that_is_forked_from_one_that_loaded_loads_others(folder):
    done = subprocess.run([sys.executable, "-c", FORKED], check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len([path for path in (folder / "cache").iterdir() if path.suffix == ".cwasm"]) >= 3


def test_without_room_for_a_process_the_first_load_goes_on_here_and_no_candidate_does(folder, monkeypatch, caplog):
    matcher = Matcher.load()
    monkeypatch.setattr(subprocess, "Popen", no_room)
    assert not Code(Path("other.wasm"), content=BUNDLED.read_bytes() + b"\0\2\1o").cached
    assert "is compiled in this process" in caplog.text
    slot = Slot(matcher)
    with pytest.raises(MatcherError, match="No room") as caught:
        slot.swap(wanted(BUNDLED))
    assert caught.value.code == "component-unreadable"
    nothing_is_left(folder)


def no_room(*_, **__):
    raise OSError(11, "No room")


PANIC = "\\nthread 'a' panicked at /src/fact.rs:7:9:\\nno adapter\\nnote: run with\\n"


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (f"sys.stderr.write({PANIC!r}.encode().decode('unicode_escape')); sys.stderr.flush(); os.abort()", "no adapter"),
        ("os.write(2, b'one\\ntwo\\x1b[2J\\n\\n'); os._exit(101)", "two\\x1b[2J"),
        ("os.kill(os.getpid(), 11)", "it ended with signal SIGSEGV"),
        ("os._exit(7)", "it ended with exit code 7"),
    ],
)
def test_a_compiler_that_gives_up_has_its_own_words(folder, monkeypatch, end, words):
    monkeypatch.setattr(elsewhere, "_PROGRAM", f"import os, sys; {end}")
    with pytest.raises(MatcherError) as caught:
        Matcher.load(BUNDLED)
    assert (caught.value.code, caught.value.place) == ("compiler-failed", str(BUNDLED))
    assert caught.value.message == f"it cannot be compiled: the compiler gave up: {words}"
    assert "no limit is to blame" in caught.value.hint
    nothing_is_left(folder)


@pytest.mark.parametrize(
    "end",
    [
        "os.write(2, b'memory allocation of 17 bytes failed\\n'); os.abort()",
        "raise MemoryError",
        "os.write(2, b'no thread: Resource temporarily unavailable (os error 11)\\n'); os.abort()",
        "os.kill(os.getpid(), 9)",
    ],
)
def test_only_an_allocator_or_the_system_tells_of_memory(folder, monkeypatch, end):
    monkeypatch.setattr(elsewhere, "_PROGRAM", f"import os; {end}")
    with pytest.raises(LimitError, match="it needed more than 4,294,967,296 bytes of memory to be compiled") as caught:
        Matcher.load(BUNDLED)
    assert (caught.value.code, caught.value.limit) == ("limit-component", "compile_memory_bytes")
    nothing_is_left(folder)


def test_a_judge_that_ends_without_an_answer_is_no_matter_of_memory(folder, monkeypatch):
    slot = Slot(Matcher.load())
    monkeypatch.setattr(elsewhere, "_PROGRAM", "import os; os._exit(7)")
    with pytest.raises(MatcherError, match=r"it cannot be judged: .* gave up: it ended with exit code 7") as caught:
        slot.swap(wanted(BUNDLED))
    assert caught.value.code == "compiler-failed"
    nothing_is_left(folder)
