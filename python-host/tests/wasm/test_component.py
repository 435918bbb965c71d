"""Components that are not what they should be, and what a component may do to its host."""

import gc
import hashlib
import math
import re
import threading
from dataclasses import replace

import pytest
from wasmtime import WasmtimeError, wat2wasm

from offermatch import LyingMatcherError, Matcher, MatcherError, Offer, ReferenceMatcher, Task
from offermatch.model import Description, Parameter
from offermatch.policies import BUNDLED
from offermatch.sample import parse_sample
from offermatch.wasm import instance
from offermatch.wasm.component import Code
from offermatch.wasm.contract import INTERFACE
from offermatch.wasm.contract import PACKED as PACKED_INTERFACE
from offermatch.wasm.output import check_description

CONTRACT = Matcher.load().description.contract
MATCHING = f"{INTERFACE}@{CONTRACT}"
PACKED = f"{PACKED_INTERFACE}@{CONTRACT}"

# Of the clock only a type is used, and linkers write it under the patch version that they know.
IMPORTS = ["wasi:clocks/wall-clock@0.2", "wasi:otel/tracing@0.2.0-rc.2", "wasi:otel/types@0.2.0-rc.2"]


def load(tmp_path, content):
    path = tmp_path / "candidate.wasm"
    path.write_bytes(content if isinstance(content, bytes) else bytes(wat2wasm(content)))
    return Matcher.load(path)


def test_the_bundled_component_imports_tracing_and_its_types(packed):
    content = BUNDLED.read_bytes()
    inspection = Code(BUNDLED).inspection
    assert sorted(re.sub(r"(wall-clock@0\.2)\.\d+", r"\1", name) for name in inspection.imports) == IMPORTS
    exported = ("matching", "packed-preemption", "packed", "preemption")
    assert sorted(inspection.exports) == [f"offermatch:matcher/{name}@{CONTRACT}" for name in exported]
    assert packed.digest == inspection.digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert packed.description.contract == CONTRACT
    assert packed.description.modes == ("exclusive", "shared")


BAD = {
    "empty": (b"", "component-malformed"),
    "text": (b"(component)", "component-malformed"),
    "core module": ("(module)", "component-malformed"),
    "another world": ("(component)", "wrong-world"),
    "an empty interface": (f'(component (instance $i) (export "{MATCHING}" (instance $i)))', "wrong-world"),
    "an import": (
        f'(component (import "host" (func)) (instance $i) (export "{MATCHING}" (instance $i)))',
        "wrong-world",
    ),
    "a later contract": (
        f'(component (instance $i) (export "{INTERFACE}@0.4.0" (instance $i)))',
        "contract-version",
    ),
    "a trap at the start": (
        f"""(component
        (core module $m (func $s unreachable) (start $s) (func (export "f")) (func (export "g") (param i32)))
        (core instance $c (instantiate $m))
        (type $pool (resource (rep i32)))
        (func $f (canon lift (core func $c "f")))
        (func $g (param "self" (borrow $pool)) (canon lift (core func $c "g")))
        (component $named
            (import "pool" (type $own (sub resource)))
            (import "f" (func $f))
            (import "g" (func $g (param "self" (borrow $own))))
            (export $pool "pool" (type $own))
            (export "describe" (func $f))
            (export "set-traced" (func $f))
            (export "[static]pool.open" (func $f))
            (export "[method]pool.assign" (func $g) (func (param "self" (borrow $pool))))
            (export "[method]pool.update" (func $g) (func (param "self" (borrow $pool))))
            (export "[method]pool.explain" (func $g) (func (param "self" (borrow $pool)))))
        (instance $i (instantiate $named
            (with "pool" (type $pool)) (with "f" (func $f)) (with "g" (func $g))))
        (export "{MATCHING}" (instance $i)))""",
        "matcher-trapped",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_component_is_refused(tmp_path, kind):
    content, code = BAD[kind]
    with pytest.raises(MatcherError) as caught:
        load(tmp_path, content)
    assert caught.value.code == code
    assert "candidate.wasm" in str(caught.value)
    assert caught.value.hint


def test_a_truncated_component_is_refused(tmp_path):
    content = BUNDLED.read_bytes()
    for length in (9, len(content) // 2, len(content) - 1):
        with pytest.raises(MatcherError) as caught:
            load(tmp_path, content[:length])
        assert caught.value.code == "component-malformed"


@pytest.mark.parametrize("name", ["nothing-here.wasm", "."])
def test_an_unreadable_component_is_refused(tmp_path, name):
    with pytest.raises(MatcherError) as caught:
        Matcher.load(tmp_path / name)
    assert caught.value.code == "component-unreadable"


def renamed(content, before, after):
    """Return the component with another text of the same length; it must be there."""
    assert before in content
    assert len(before) == len(after)
    return content.replace(before, after)


def test_a_contract_that_only_resolves_as_compatible_is_refused(tmp_path):
    content = renamed(BUNDLED.read_bytes(), b"matching@0.3.0", b"matching@0.3.9")
    with pytest.raises(MatcherError, match=r"0\.3\.9") as caught:
        load(tmp_path, content)
    assert caught.value.code == "contract-version"


@pytest.mark.parametrize(("claim", "message"), [(b"0.3.9", "0.3.9"), (b"0.2.0", "0.2.0 by its description and 0.3.0")])
def test_a_matcher_that_states_another_contract_is_refused(tmp_path, claim, message):
    # The names of the interfaces stay; what `describe` says is changed in the data of the component.
    content = renamed(renamed(BUNDLED.read_bytes(), b"@0.3.0", b"@KEEP!"), b"0.3.0", claim)
    with pytest.raises(MatcherError) as caught:
        load(tmp_path, renamed(content, b"@KEEP!", b"@0.3.0"))
    assert caught.value.code == "contract-version"
    assert message in caught.value.message


@pytest.mark.parametrize("other", [b"wasi:otel/tracing@0.2.0-rc.3", b"wasi:otel/logging@0.2.0-rc.2"])
def test_telemetry_that_the_contract_does_not_name_is_refused(tmp_path, other):
    content = renamed(BUNDLED.read_bytes(), b"wasi:otel/tracing@0.2.0-rc.2", other)
    with pytest.raises(MatcherError, match=other.decode()) as caught:
        load(tmp_path, content)
    assert caught.value.code == "wrong-world"


def test_a_component_with_other_types_is_refused(tmp_path):
    # A column of the explanations has another name, in the component's own types.
    content = BUNDLED.read_bytes()
    assert content.count(b"score-fails") > 0
    with pytest.raises(MatcherError, match="score-falls") as caught:
        load(tmp_path, content.replace(b"score-fails", b"score-falls"))
    assert caught.value.code == "wrong-world"


def test_a_trap_costs_the_pool_and_nothing_else(monkeypatch):
    matcher = Matcher.load()
    pool, other = matcher.open([Offer("a", {"cpu": 1})]), matcher.open([Offer("b", {"cpu": 1})])

    def trap(*_, **__):
        raise WasmtimeError("error while executing at wasm backtrace:\n\nCaused by:\n    wasm trap: unreachable")

    with monkeypatch.context() as patch:
        patch.setattr("offermatch.wasm.direct.enter_wasm", trap)
        with pytest.raises(MatcherError, match="wasm trap: unreachable") as caught:
            pool.assign([Task("t")])
    assert caught.value.code == "matcher-trapped"
    with pytest.raises(MatcherError, match="gone"):
        pool.assign([Task("t")])
    assert len(other.assign([Task("t")])) == 1
    assert len(matcher.match([Task("t")], [Offer("a", {"cpu": 1})])) == 1


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("hexlify", lambda column: b"zz" * len(bytes(column)), "failed its check"),
        ("unhexlify", lambda digits: bytes(len(digits) // 2), "changed an answer"),
    ],
)
def test_a_packed_interface_that_changes_an_answer_is_not_used(monkeypatch, caplog, name, wrong, reason):
    monkeypatch.delenv("OFFERMATCH_CROSSING", raising=False)
    monkeypatch.setattr(f"offermatch.wasm.conversion.{name}", wrong)
    matcher = Matcher.load()
    assert matcher.crossing == "public"
    assert reason in caplog.text
    tasks, offers = parse_sample("constrained:60x60").rows()
    assert matcher.match(tasks, offers).digest == ReferenceMatcher().match(tasks, offers).digest


def test_a_matcher_without_the_packed_interface_is_reached_by_lists(tmp_path, monkeypatch):
    monkeypatch.delenv("OFFERMATCH_CROSSING", raising=False)
    # The interfaces are still there, but under names that no host looks for.
    content = BUNDLED.read_bytes()
    for before, after in ((b"matcher/packed@", b"matcher/pocket@"), (b"matcher/packed-", b"matcher/pocket-")):
        content = content.replace(before, after)
    assert load(tmp_path, content).crossing == "public"
    monkeypatch.setenv("OFFERMATCH_CROSSING", "packed")
    with pytest.raises(MatcherError, match="packed") as caught:
        load(tmp_path, content)
    assert caught.value.code == "wrong-world"


def test_a_packed_interface_of_another_version_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv("OFFERMATCH_CROSSING", raising=False)
    content = renamed(BUNDLED.read_bytes(), b"matcher/packed@0.3.0", b"matcher/packed@0.3.9")
    assert load(tmp_path, content).crossing == "public"


def test_a_packed_interface_of_other_types_is_refused(monkeypatch):
    before = instance.functions

    def functions(version, *, packed):
        types = before(version, packed=packed)
        return {name: text.replace("device-free:string", "device-left:string") for name, text in types.items()}

    monkeypatch.setattr(instance, "functions", functions)
    with pytest.raises(MatcherError, match=r"open is .*device-free:string") as caught:
        Matcher.load()
    assert caught.value.code == "wrong-world"


def test_a_closed_pool_takes_no_calls(matcher):
    with matcher.open([Offer("a", {"cpu": 1})]) as pool:
        pass
    pool.close()
    with pytest.raises(ValueError, match="closed"):
        pool.assign([])


@pytest.mark.parametrize("mode", ["exclusive", "shared"])
def test_what_a_call_leaves_to_the_garbage_collector_does_not_grow_with_its_rows(packed, mode):
    def left(size):
        """Objects of wasmtime-py's conversions that nothing but a collection frees."""
        tasks, offers = parse_sample(f"devices:{size}x{size}").rows()
        packed.match(tasks, offers, mode=mode)
        found = []
        for _ in range(5):
            gc.collect()
            packed.match(tasks, offers, mode=mode)
            # Threads of other tests may leave something, too; what calls leave, they leave every time.
            found.append(gc.collect())
        return min(found)

    gc.disable()
    try:
        few, many = left(20), left(400)
    finally:
        gc.enable()
    assert many < few + 50


def test_threads_share_a_matcher(component):
    tasks, offers = parse_sample("constrained:400x300").rows()
    expected = ReferenceMatcher().match(tasks, offers).digest
    digests = []
    threads = [threading.Thread(target=lambda: digests.append(component.match(tasks, offers).digest)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == [expected] * 4


def test_a_row_that_a_matcher_calls_repeated_is_its_own_mistake():
    from wasmtime.component import Variant

    from offermatch.limits import Limits
    from offermatch.wasm.refusal import refusal

    # The pool has checked that an update names no row twice, and an assignment names none.
    error = refusal(Variant("repeated-row", 3), Limits())
    assert (type(error).__name__, error.code) == ("LyingMatcherError", "answer-refused")


def test_a_description_that_no_matcher_can_mean_is_refused_by_name():
    good = Description("best", "1.0.0", "best-fit", "0.3.0", ("exclusive", "shared"), ("measures",), ())
    check_description(good, "new.wasm")
    for change, reason in (
        ({"name": ""}, "its name is empty"),
        ({"version": ""}, "its version is empty"),
        ({"policy": ""}, "its policy is empty"),
        ({"modes": ()}, "it has no mode"),
        ({"modes": ("shared",) * 3000}, "the mode shared stands twice"),
        ({"rules": ("measures",) * 2}, "the rule measures stands twice"),
        ({"parameters": (Parameter("", 0.0, 0.0, 1.0),)}, "the name of a parameter is empty"),
        ({"parameters": (Parameter("one", 0.0, 0.0, 1.0),) * 2}, "the parameter one stands twice"),
        ({"parameters": (Parameter("one", math.nan, 0.0, 1.0),)}, "the default nan of one is not within 0.0 to 1.0"),
    ):
        with pytest.raises(LyingMatcherError, match=reason) as caught:
            check_description(replace(good, **change), "new.wasm")
        assert caught.value.code == "answer-refused"
