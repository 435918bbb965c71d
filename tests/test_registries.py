"""Components in OCI registries: both hosts fetch the same, keep it in the same files, and refuse the same by name."""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from conftest import ROOT, Host
from offermatch import policies

_SPEC = importlib.util.spec_from_file_location("registries", ROOT / "python-host" / "tests" / "support" / "registries.py")
assert _SPEC is not None
assert _SPEC.loader is not None
registries = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(registries)

STRAND = policies.component("strand")
DIGEST = registries.digest(STRAND)
NAME = "/v2/a/manifests/1"
BLOB = f"/v2/a/blobs/{DIGEST}"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registries.registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture(scope="module")
def compiled(hosts: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What both hosts compile the components of these tests to."""
    folder = tmp_path_factory.mktemp("compiled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OFFERMATCH_CACHE", str(folder / "cache"))
        for policy in ("strand", "worst-fit"):
            (folder / "component.wasm").write_bytes(policies.component(policy))
            for host in hosts:
                loaded(host, str(folder / "component.wasm"))
    return folder / "cache"


@pytest.fixture
def cache(empty: Path, compiled: Path) -> Path:
    """A cache that has the components compiled, but none that was fetched."""
    shutil.copytree(compiled, empty)
    return empty


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it, for both hosts."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OFFERMATCH_TRUST", raising=False)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    return tmp_path / "cache"


def pushed(python: Host, address: str, component: Path, tag: str = "1.0") -> str:
    """Push a component and return the reference by its digest."""
    done = python.run("push", component, f"oci://{address}/matchers/strand:{tag}", "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["reference"])


def stored(folder: Path, content: bytes = STRAND) -> Path:
    path = folder / "strand.wasm"
    path.write_bytes(content)
    return path


def loaded(host: Host, reference: str) -> dict[str, Any]:
    return host.answer("match", "--matcher", reference, "--sample", "realistic:20x10:3")


def refusal(host: Host, reference: str | Path) -> tuple[str, str, str]:
    """Return code, message and remedy of a load that is refused, with nothing on standard output."""
    done = host.run("match", "--matcher", reference, "--sample", "realistic:20x10:3")
    assert (done.returncode, done.stdout) == (1, ""), f"{host.name}: {done.stdout}{done.stderr}"
    found = re.search(r"^error\[([a-z-]+)\]: (.+)\nhint: (.+)$", done.stderr, re.MULTILINE)
    assert found, f"{host.name}: {done.stderr}"
    assert "\x1b" not in done.stderr
    return found[1], found[2], found[3]


def test_what_is_pushed_is_loaded_by_tag_and_by_digest(hosts: Any, real: str, cache: Path, tmp_path: Path) -> None:
    pinned = pushed(hosts[1], real, stored(tmp_path))
    for reference in (f"oci://{real}/matchers/strand:1.0", pinned):
        answers = [loaded(host, reference) for host in hosts]
        assert answers[0] == answers[1]
        assert answers[0]["matcher"]["digest"] == DIGEST


@pytest.mark.parametrize("first", [0, 1])
def test_what_one_host_fetched_by_digest_the_other_has_without_a_registry(
    hosts: Any, cache: Path, tmp_path: Path, first: int
) -> None:
    (tmp_path / "data").mkdir()
    with registries.registry(tmp_path / "data") as address:
        pinned = pushed(hosts[1], address, stored(tmp_path))
        loaded(hosts[first], pinned)
    for host in hosts:
        assert loaded(host, pinned)["matcher"]["digest"] == DIGEST
        code, _, hint = refusal(host, f"oci://{address}/matchers/strand:1.0")
        assert code == "registry-unreachable"
        assert "a digest that was fetched before" in hint


@pytest.mark.parametrize("what", ["component", "manifest"])
def test_a_copy_that_was_changed_is_fetched_again(hosts: Any, real: str, cache: Path, tmp_path: Path, what: str) -> None:
    pinned = pushed(hosts[1], real, stored(tmp_path))
    for host in hosts:
        loaded(host, pinned)
        (kept,) = (cache / "oci").glob("*.wasm" if what == "component" else "*.json")
        kept.write_bytes(kept.read_bytes()[:-1])
        assert loaded(host, pinned)["matcher"]["digest"] == DIGEST


def test_a_tag_that_moved_is_refused_by_a_manifest(hosts: Any, real: str, cache: Path, tmp_path: Path) -> None:
    pushed(hosts[1], real, stored(tmp_path), "moving")
    said = json.loads(hosts[0].run("inspect", tmp_path / "strand.wasm", "--json").stdout)
    described = {key: said["description"][key] for key in ("version", "policy")} | {"matcher": said["description"]["name"]}
    wanted = tmp_path / "manifest.json"
    wanted.write_text(json.dumps(described | {"path": f"oci://{real}/matchers/strand:moving", "digest": DIGEST}))
    for host in hosts:
        done = host.run("swap", "--manifest", wanted)
        assert done.returncode == 0, f"{host.name}: {done.stderr}"
    pushed(hosts[1], real, stored(tmp_path, policies.component("worst-fit")), "moving")
    for host in hosts:
        done = host.run("swap", "--manifest", wanted)
        assert done.returncode == 1
        assert "digest-mismatch" in done.stdout + done.stderr, host.name


def test_credentials_are_those_of_docker(hosts: Any, cache: Path, tmp_path: Path) -> None:
    hashed = "import crypt; print('user:' + crypt.crypt('secret', crypt.mksalt(crypt.METHOD_BLOWFISH)))"
    made = subprocess.run(["python3", "-W", "ignore", "-c", hashed], check=True, capture_output=True, text=True)
    (tmp_path / "htpasswd").write_text(made.stdout)
    (tmp_path / "data").mkdir()
    with registries.registry(tmp_path / "data", tmp_path / "htpasswd") as address:
        reference = f"oci://{address}/matchers/strand:1.0"
        refusals = [refusal(host, reference) for host in hosts]
        assert [one[0] for one in refusals] == ["registry-refused"] * 2
        assert refusals[0][2] == refusals[1][2]
        assert all("docker login" in one[2] for one in refusals)
        logged_in(tmp_path, address)
        pushed(hosts[1], address, stored(tmp_path))
        for host in hosts:
            assert loaded(host, reference)["matcher"]["digest"] == DIGEST
        logged_in(tmp_path, address, "guessed")
        assert [refusal(host, reference)[0] for host in hosts] == ["registry-refused"] * 2


def logged_in(home: Path, address: str, password: str = "secret") -> None:
    (home / ".docker").mkdir(exist_ok=True)
    encoded = base64.b64encode(f"user:{password}".encode()).decode()
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": {address: {"auth": encoded}}}))


@pytest.mark.parametrize("login", [False, True])
def test_a_token_is_asked_where_the_registry_says(hosts: Any, cache: Path, tmp_path: Path, login: bool) -> None:
    """With the name and password of docker login where there are such, and else without: what is public needs none."""
    asked: list[str] = []
    with guarded_by_tokens(asked) as address:
        if login:
            logged_in(tmp_path, address)
        for host in hosts:
            assert loaded(host, f"oci://{address}/a:1")["matcher"]["digest"] == DIGEST
    wanted = "Basic " + base64.b64encode(b"user:secret").decode() if login else "nobody"
    assert set(asked) == {wanted}


@contextmanager
def guarded_by_tokens(asked: list[str]) -> Iterator[str]:
    """Yield the address of a registry that wants a token; who asks for one is added to the list."""

    def guarded(content: bytes) -> Any:
        def answer(headers: Any) -> tuple[int, dict[str, str], bytes]:
            if headers.get("Authorization") == "Bearer given":
                return 200, {}, content
            challenge = f'Bearer realm="http://{address}/token",service="reg",scope="repository:a:pull"'
            return 401, {"WWW-Authenticate": challenge}, b"{}"

        return answer

    def token(headers: Any) -> tuple[int, dict[str, str], bytes]:
        asked.append(headers.get("Authorization", "nobody"))
        return 200, {}, json.dumps({"token": "given"}).encode()

    answers = {NAME: guarded(registries.manifest(STRAND)), BLOB: guarded(STRAND)}
    answers["/token?*"] = token
    with registries.liar(answers) as address:
        yield address


HELPERS = {
    "keeps them": ('echo \'{"ServerURL": "", "Username": "user", "Secret": "secret"}\'', "Basic dXNlcjpzZWNyZXQ="),
    "keeps none": ("echo credentials not found in native keychain; exit 1", "nobody"),
    "is not there": ("", "nobody"),
}


@pytest.mark.parametrize("helper", HELPERS)
def test_a_helper_of_docker_is_asked_and_may_have_nothing(
    hosts: Any, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helper: str
) -> None:
    asked: list[str] = []
    script, wanted = HELPERS[helper]
    if script:
        program = tmp_path / "docker-credential-tests"
        program.write_text(f"#!/bin/sh\ncat >/dev/null\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # The variable decides, not the home folder.
    logged_in(tmp_path, "127.0.0.1", "guessed")
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(json.dumps({"credsStore": "tests"}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    with guarded_by_tokens(asked) as address:
        for host in hosts:
            assert loaded(host, f"oci://{address}/a:1")["matcher"]["digest"] == DIGEST
    assert set(asked) == {wanted}


@pytest.mark.parametrize("content", ["no json", "[]", '{"auths": {"%s": {"auth": "!"}}}', '{"auths": 1}'])
def test_a_configuration_of_docker_that_cannot_be_read_is_said_so(
    hosts: Any, cache: Path, tmp_path: Path, content: str
) -> None:
    with guarded_by_tokens([]) as address:
        (tmp_path / ".docker").mkdir()
        (tmp_path / ".docker" / "config.json").write_text(content.replace("%s", address))
        refusals = [refusal(host, f"oci://{address}/a:1") for host in hosts]
    assert [one[0] for one in refusals] == ["registry-refused"] * 2
    assert refusals[0][2] == refusals[1][2]


def stated(content: bytes = STRAND, **changes: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {}, registries.manifest(content, **changes)


# What a registry answers, and how both hosts refuse it: the code, and what the message says.
LIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "has it not": ({}, "registry-refused", "404"),
    "is tired": ({NAME: (503, {}, b"\x1b[31mtired\n")}, "registry-refused", r"503 to GET: \\x1b\[31mtired\\n"),
    "writes no end of errors": ({NAME: (500, {}, b"x" * (8 << 20))}, "registry-lied", "longer than"),
    "sends no JSON": ({NAME: (200, {}, b"no json")}, "registry-lied", "not JSON"),
    "sends a list": ({NAME: (200, {}, b"[]")}, "registry-lied", "not a JSON object"),
    "sends no layers": ({NAME: (200, {}, b"{}")}, "registry-lied", "one layer"),
    "sends two layers": ({NAME: (200, {}, b'{"layers": [{}, {}]}')}, "registry-lied", "one layer"),
    "nests without end": ({NAME: (200, {}, b"[" * 100_000)}, "registry-lied", "not JSON"),
    "sends an endless manifest": ({NAME: (200, {}, b" " * (2 << 20))}, "registry-lied", "longer than"),
    "has a page for a layer": ({NAME: stated(mediaType="text/html")}, "registry-lied", "text/html"),
    "has no size": ({NAME: stated(size="many")}, "registry-lied", "no size"),
    "has a negative size": ({NAME: stated(size=-1)}, "registry-lied", "no size"),
    "has another digest": ({NAME: stated(digest="md5:1")}, "registry-lied", "no digest"),
    "has too much": ({NAME: stated(size=1 << 40)}, "limit-component", "component_bytes|component-bytes|component"),
    "cuts the layer short": ({NAME: stated(), BLOB: (200, {}, STRAND[:-1])}, "registry-lied", "of digest"),
    "adds to the layer": ({NAME: stated(), BLOB: (200, {}, STRAND + b"x")}, "registry-lied", "longer than"),
    "sends another layer": ({NAME: stated(), BLOB: (200, {}, b"x" * len(STRAND))}, "registry-lied", "of digest"),
    "states a size that it does not send": (
        {NAME: stated(size=len(STRAND) - 1), BLOB: (200, {}, STRAND)},
        "registry-lied",
        "longer than",
    ),
    "breaks off": (
        {NAME: stated(), BLOB: (200, {"Content-Length": str(len(STRAND) + 1000)}, STRAND)},
        "registry-unreachable",
        "",
    ),
    "redirects for ever": ({NAME: (302, {"Location": NAME}, b"")}, "registry-unreachable", "redirects"),
    "asks who is there": ({NAME: (401, {}, b"who are you")}, "registry-refused", "credentials"),
    "asks for what is not kept": (
        {NAME: (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"who are you")},
        "registry-refused",
        "credentials",
    ),
    "gives no tokens": (
        {NAME: (401, {"WWW-Authenticate": 'Bearer realm="http://127.0.0.1:1/token"'}, b"")},
        "registry-unreachable",
        "",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_registry_that_lies_or_refuses_is_refused_alike(hosts: Any, empty: Path, lie: str) -> None:
    answers, code, said = LIES[lie]
    with registries.liar(answers) as address:
        refusals = [refusal(host, f"oci://{address}/a:1") for host in hosts]
        for found, message, _ in refusals:
            assert re.fullmatch(code, found), f"{found}: {message}"
            assert re.search(said, message), message
            assert address in message
            assert len(message) < 1000
    assert refusals[0][0] == refusals[1][0]
    assert refusals[0][2] == refusals[1][2]
    assert list(empty.rglob("*.wasm")) == list(empty.rglob("*.cwasm")) == []


def test_a_digest_is_not_answered_by_another_manifest(hosts: Any, cache: Path) -> None:
    asked = "sha256:" + "0" * 64
    with registries.liar({f"/v2/a/manifests/{asked}": stated()}) as address:
        for host in hosts:
            assert refusal(host, f"oci://{address}/a@{asked}")[0] == "registry-lied"


def test_a_layer_may_lie_at_another_address(hosts: Any, cache: Path) -> None:
    with (
        registries.liar({"/elsewhere": (200, {}, STRAND)}) as other,
        registries.liar({NAME: stated(), BLOB: (307, {"Location": f"http://{other}/elsewhere"}, b"")}) as address,
    ):
        for host in hosts:
            assert loaded(host, f"oci://{address}/a:1")["matcher"]["digest"] == DIGEST


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """TLS for a registry that is not called as this machine, and an authority that both hosts believe."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("0.0.0.0").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(variable, str(tmp_path / "authority.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return context


def test_a_registry_elsewhere_is_asked_with_tls(
    hosts: Any, cache: Path, secure: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    with registries.liar({NAME: stated(), BLOB: (200, {}, STRAND)}, secure) as address:
        reference = f"oci://{address.replace('127.0.0.1', '0.0.0.0')}/a:1"
        for host in hosts:
            assert loaded(host, reference)["matcher"]["digest"] == DIGEST
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(variable, "/etc/ssl/certs/ca-certificates.crt")
        for host in hosts:
            assert refusal(host, reference)[0] == "registry-unreachable"
    with registries.liar({NAME: stated(), BLOB: (200, {}, STRAND)}) as address:
        for host in hosts:
            assert refusal(host, f"oci://{address.replace('127.0.0.1', '0.0.0.0')}/a:1")[0] == "registry-unreachable"


def test_tls_is_not_left_by_a_redirection(hosts: Any, cache: Path, secure: ssl.SSLContext) -> None:
    with (
        registries.liar({"/elsewhere": (200, {}, STRAND)}) as other,
        registries.liar({NAME: stated(), BLOB: (307, {"Location": f"http://{other}/elsewhere"}, b"")}, secure) as address,
    ):
        for host in hosts:
            assert refusal(host, f"oci://{address.replace('127.0.0.1', '0.0.0.0')}/a:1")[0] == "registry-unreachable"


@pytest.mark.parametrize(
    "text",
    ["oci://", "oci://host", "oci://host/Name:1", "oci://host/name@sha256:12", "oci://host/../a:1", "oci://u@host/a:1"],
)
def test_a_reference_that_names_nothing_is_refused(hosts: Any, cache: Path, text: str) -> None:
    refusals = [refusal(host, text) for host in hosts]
    assert [one[0] for one in refusals] == ["reference-malformed"] * 2
    assert refusals[0][2] == refusals[1][2]


def test_a_cache_that_cannot_be_kept_or_is_anybodys_says_so(hosts: Any, real: str, cache: Path, tmp_path: Path) -> None:
    pinned = pushed(hosts[1], real, stored(tmp_path))
    shutil.rmtree(cache)
    cache.write_text("a file")
    refusals = [refusal(host, pinned) for host in hosts]
    assert [one[0] for one in refusals] == ["component-unreadable"] * 2
    assert refusals[0][2] == refusals[1][2]
    cache.unlink()
    (cache / "oci").mkdir(parents=True)
    (cache / "oci").chmod(0o777)
    for host in hosts:
        assert refusal(host, pinned)[0] == "component-unreadable"


def test_the_signature_comes_with_the_component(
    hosts: Any, real: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFERMATCH_KEY_PASSWORD", "")
    component = stored(tmp_path)
    unsigned = pushed(hosts[1], real, component, "unsigned")
    done = hosts[1].run("sign", "--new-key", tmp_path / "key", component)
    assert done.returncode == 0, done.stderr
    pinned = pushed(hosts[1], real, component, "signed")
    keys = [{"owner": "release team", "key": done.stdout.splitlines()[0]}]
    trust = tmp_path / "trust.json"
    monkeypatch.setenv("OFFERMATCH_TRUST", str(trust))
    for host in hosts:
        monkeypatch.setenv("OFFERMATCH_CACHE", str(tmp_path / host.name))
        trust.write_text(json.dumps({"keys": keys}))
        assert refusal(host, unsigned)[0] == "signature-missing"
        assert loaded(host, pinned)["matcher"]["digest"] == DIGEST
        for signature in (tmp_path / host.name / "oci").glob("*.minisig"):
            signature.unlink()
        assert loaded(host, pinned)["matcher"]["digest"] == DIGEST, "the manifest has the signature still"
        trust.write_text(json.dumps({"keys": [keys[0] | {"revoked": True}]}))
        assert refusal(host, pinned)[0] == "signer-revoked"


def test_where_nothing_is_cached_what_is_fetched_lies_in_a_folder_of_ones_own(
    hosts: Any, real: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OFFERMATCH_CACHE", "off")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    pinned = pushed(hosts[1], real, stored(tmp_path))
    for host in hosts:
        assert loaded(host, pinned)["matcher"]["digest"] == DIGEST
    assert list((tmp_path / f"offermatch-{os.getuid()}" / "oci").glob("*.wasm"))
