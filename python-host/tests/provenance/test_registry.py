"""Components in registries: a real one, and ones that lie, refuse, redirect or are away."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from offermatch import Limits, Manifest, Matcher, MatcherError, policies
from offermatch.cli.main import run
from offermatch.provenance.registry import Reference, pull
from offermatch.slot.manifest import judged
from registries import digest, liar, manifest, registry

STRAND = policies.component("strand")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def component(tmp_path):
    path = tmp_path / "strand.wasm"
    path.write_bytes(STRAND)
    return path


def pushed(component, address, tag="1.0"):
    command = ["push", str(component), f"oci://{address}/matchers/strand:{tag}", "--json"]
    assert run(command) == 0


def test_what_is_pushed_is_pulled_and_loaded_by_tag_and_by_digest(real, cache, component, capsys):
    pushed(component, real)
    stored = json.loads(capsys.readouterr().out)
    assert stored["digest"] == digest(STRAND)
    for reference in (f"oci://{real}/matchers/strand:1.0", stored["reference"]):
        matcher = Matcher.load(reference)
        assert matcher.description.policy == "strand"
        assert matcher.digest == digest(STRAND)
    assert run(["pull", f"oci://{real}/matchers/strand:1.0", "--json", "--output", str(cache.parent / "copy.wasm")]) == 0
    fetched = json.loads(capsys.readouterr().out)
    assert (fetched["reference"], fetched["digest"]) == (stored["reference"], stored["digest"])
    assert (cache.parent / "copy.wasm").read_bytes() == STRAND


def test_the_artifact_has_the_layout_of_wasm_artifacts(real, cache, component, capsys):
    pushed(component, real)
    reference = Reference.parse(json.loads(capsys.readouterr().out)["reference"])
    pull(reference, Limits())
    kept = json.loads((cache / "oci" / (reference.digest.replace(":", "-") + ".json")).read_text())
    assert kept["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    assert [layer["mediaType"] for layer in kept["layers"]] == ["application/wasm"]


def test_a_digest_that_was_fetched_needs_no_registry(cache, component, capsys, tmp_path):
    (tmp_path / "data").mkdir()
    with registry(tmp_path / "data") as address:
        pushed(component, address)
        pinned = json.loads(capsys.readouterr().out)["reference"]
        Matcher.load(pinned)
    assert Matcher.load(pinned).digest == digest(STRAND)
    with pytest.raises(MatcherError, match="registry-unreachable"):
        Matcher.load(f"oci://{address}/matchers/strand:1.0")


def test_a_copy_in_the_cache_that_was_changed_is_fetched_again(real, cache, component, capsys):
    pushed(component, real)
    pinned = json.loads(capsys.readouterr().out)["reference"]
    path, _ = pull(Reference.parse(pinned), Limits())
    path.write_bytes(STRAND[:-1])
    assert Matcher.load(pinned).digest == digest(STRAND)


def test_a_tag_that_moved_is_another_digest_and_a_manifest_refuses_it(real, cache, component, capsys, tmp_path):
    pushed(component, real, "moving")
    first = json.loads(capsys.readouterr().out)["reference"]
    wanted = tmp_path / "manifest.json"
    described = Matcher.load(policy="strand").description
    said = {"matcher": described.name, "version": described.version, "policy": "strand"}
    wanted.write_text(json.dumps(said | {"path": f"oci://{real}/matchers/strand:moving", "digest": digest(STRAND)}))
    assert judged(Manifest.read(wanted)).digest == digest(STRAND)
    component.write_bytes(policies.component("worst-fit"))
    pushed(component, real, "moving")
    assert json.loads(capsys.readouterr().out)["reference"] != first
    with pytest.raises(MatcherError, match="digest-mismatch"):
        judged(Manifest.read(wanted))
    assert Matcher.load(first).description.policy == "strand"


def test_credentials_are_those_of_docker(cache, component, capsys, tmp_path, monkeypatch):
    hashed = subprocess.run(
        ["htpasswd", "-nbB", "user", "secret"] if shutil.which("htpasswd") else ["python3", "-c", _HASH],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (tmp_path / "htpasswd").write_text(hashed + "\n")
    (tmp_path / "data").mkdir()
    with registry(tmp_path / "data", tmp_path / "htpasswd") as address:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert run(["push", str(component), f"oci://{address}/a:1"]) == 1
        assert "error[registry-refused]" in capsys.readouterr().err
        (tmp_path / "home" / ".docker").mkdir(parents=True)
        encoded = base64.b64encode(b"user:secret").decode()
        (tmp_path / "home" / ".docker" / "config.json").write_text(json.dumps({"auths": {address: {"auth": encoded}}}))
        assert run(["push", str(component), f"oci://{address}/a:1"]) == 0
        assert Matcher.load(f"oci://{address}/a:1").description.policy == "strand"


_HASH = "import crypt; print('user:' + crypt.crypt('secret', crypt.mksalt(crypt.METHOD_BLOWFISH)))"

NAME = "/v2/a/manifests/1"
BLOB = f"/v2/a/blobs/{digest(STRAND)}"


@pytest.mark.parametrize(
    ("answers", "code", "said"),
    [
        ({}, "registry-refused", "404"),
        ({NAME: (503, {}, b"\x1b[31mtired\n")}, "registry-refused", "503"),
        ({NAME: (200, {}, b"no json")}, "registry-lied", "not JSON"),
        ({NAME: (200, {}, b"[]")}, "registry-lied", "not a JSON object"),
        ({NAME: (200, {}, b"{}")}, "registry-lied", "one layer"),
        ({NAME: (200, {}, b" " * (2 << 20))}, "registry-lied", "longer than"),
        ({NAME: (200, {}, manifest(STRAND, mediaType="text/html"))}, "registry-lied", "text/html"),
        ({NAME: (200, {}, manifest(STRAND, size="many"))}, "registry-lied", "no size"),
        ({NAME: (200, {}, manifest(STRAND, digest="md5:1"))}, "registry-lied", "no digest"),
        ({NAME: (200, {}, manifest(STRAND, size=1 << 40))}, "limit-component", "component_bytes"),
        ({NAME: (200, {}, manifest(STRAND)), BLOB: (200, {}, STRAND[:-1])}, "registry-lied", "of digest"),
        ({NAME: (200, {}, manifest(STRAND)), BLOB: (200, {}, STRAND + b"x")}, "registry-lied", "longer than"),
        (
            {NAME: (200, {}, manifest(STRAND)), BLOB: (200, {"Content-Length": str(len(STRAND) + 1000)}, STRAND)},
            "registry-unreachable",
            "",
        ),
        ({NAME: (302, {"Location": NAME}, b"")}, "registry-unreachable", "redirects"),
        ({NAME: (401, {}, b"who are you")}, "registry-refused", "credentials"),
    ],
)
def test_a_registry_that_lies_or_refuses_is_refused_before_anything_is_compiled(cache, answers, code, said):
    with liar(answers) as address, pytest.raises(MatcherError, match=code) as caught:
        Matcher.load(f"oci://{address}/a:1")
    assert caught.value.code == code
    assert said in caught.value.message
    assert "\x1b" not in str(caught.value)
    assert list(cache.rglob("*.wasm")) == []


def test_a_digest_is_not_answered_by_another_manifest(cache):
    asked = "sha256:" + "0" * 64
    answers = {f"/v2/a/manifests/{asked}": (200, {}, manifest(STRAND))}
    with liar(answers) as address, pytest.raises(MatcherError, match="registry-lied"):
        Matcher.load(f"oci://{address}/a@{asked}")


@pytest.mark.parametrize(
    "text",
    [
        "oci://",
        "oci://host",
        "oci://host/",
        "oci://host/name",
        "oci://host/Name:1",
        "oci://host/name@sha256:12",
        "oci://h h/a:1",
        "oci://host/../a:1",
        "oci://host/a:" + "b" * 129,
        "oci://user@host/a:1",
        "oci://host/a:1@md5:00",
    ],
)
def test_a_reference_that_names_nothing_is_refused(text):
    with pytest.raises(MatcherError, match="reference-malformed"):
        Matcher.load(text)


def test_a_push_to_a_digest_is_refused(component, capsys):
    assert run(["push", str(component), "oci://localhost:1/a@sha256:" + "0" * 64]) == 1
    assert "error[reference-malformed]" in capsys.readouterr().err


def test_a_cache_that_cannot_be_written_says_so(real, component, tmp_path, monkeypatch):
    pushed(component, real)
    Path(tmp_path, "file").write_text("")
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(MatcherError, match="component-unreadable"):
        Matcher.load(f"oci://{real}/matchers/strand:1.0")
