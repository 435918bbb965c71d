"""Signatures: what is loaded with a trust file, and what is refused before a byte is compiled."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from offermatch import Manifest, Matcher, MatcherError, policies
from offermatch.cli.main import run
from offermatch.provenance.trust import Trust
from offermatch.slot.manifest import judged


class Site:
    """A folder with a key, a component that it signed, and a trust file."""

    def __init__(self, folder, capsys):
        self.folder = folder
        self.component = folder / "strand.wasm"
        self.component.write_bytes(policies.component("strand"))
        self.signature = folder / "strand.wasm.minisig"
        assert run(["sign", "--new-key", str(folder / "release.key"), str(self.component)]) == 0
        self.key = capsys.readouterr().out.splitlines()[0]
        self.trust = folder / "trust.json"
        self.believe([{"owner": "release team", "key": self.key}])

    def believe(self, keys, **more):
        self.trust.write_text(json.dumps({"keys": keys, **more}))

    def load(self):
        return Matcher.load(self.component, trust=self.trust)


@pytest.fixture
def site(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_KEY_PASSWORD", "")
    return Site(tmp_path, capsys)


def refused(site, code, *said):
    with pytest.raises(MatcherError, match=code) as caught:
        site.load()
    assert caught.value.code == code
    for text in said:
        assert text in caught.value.message


def test_what_a_trusted_key_signed_is_loaded(site):
    assert site.load().description.policy == "strand"


def test_the_environment_asks_it_of_every_load_and_of_every_manifest(site, monkeypatch):
    monkeypatch.setenv("OFFERMATCH_TRUST", str(site.trust))
    found = Matcher.load(site.component)
    said = {"matcher": found.description.name, "version": found.description.version, "policy": "strand"}
    manifest = site.folder / "manifest.json"
    manifest.write_text(json.dumps(said | {"path": "strand.wasm", "digest": found.digest}))
    assert judged(Manifest.read(manifest)).digest == found.digest
    site.signature.unlink()
    with pytest.raises(MatcherError, match="signature-missing"):
        judged(Manifest.read(manifest))
    assert Matcher.load(policy="strand").description.policy == "strand", "what the package carries needs no signature"


def test_a_component_that_nobody_signed_is_refused(site):
    site.signature.unlink()
    refused(site, "signature-missing")


def test_a_signature_over_other_bytes_is_refused(site):
    content = bytearray(site.component.read_bytes())
    content[-1] ^= 1
    site.component.write_bytes(content)
    refused(site, "signature-mismatch", "release team")


def test_a_trusted_comment_that_was_changed_is_refused(site):
    site.signature.write_text(site.signature.read_text().replace("file:strand", "file:other"))
    refused(site, "signature-mismatch")


@pytest.mark.parametrize("kept", [0, 10, 100, 200])
def test_a_signature_that_is_half_written_is_refused(site, kept):
    site.signature.write_bytes(site.signature.read_bytes()[:kept])
    refused(site, "signature-malformed")


def test_a_key_that_is_not_trusted_is_refused_with_who_was_asked(site, capsys):
    other = Site.__new__(Site)
    folder = site.folder / "other"
    folder.mkdir()
    other.__init__(folder, capsys)
    site.believe([{"owner": "the other team", "key": other.key}])
    refused(site, "signer-untrusted", "the other team")
    site.believe([])
    refused(site, "signer-untrusted", "nobody")


def test_a_key_is_rotated_and_revoked_by_the_file(site, capsys):
    old = {"owner": "release team, 2025", "key": site.key}
    assert run(["sign", "--new-key", str(site.folder / "next.key"), str(site.component)]) == 0
    new = {"owner": "release team, 2026", "key": capsys.readouterr().out.splitlines()[0]}
    site.believe([old, new])
    assert site.load()
    site.believe([old | {"revoked": True}, new])
    assert site.load()
    assert run(["sign", "--key", str(site.folder / "release.key"), str(site.component)]) == 0
    refused(site, "signer-revoked", "release team, 2025")


def test_one_component_is_revoked_without_its_key(site):
    site.believe([{"owner": "release team", "key": site.key}], revoked_components=[Matcher.load(site.component).digest])
    refused(site, "component-revoked", "release team")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": {}}',
        '{"keys": [{}]}',
        '{"keys": [{"owner": "a", "key": "b"}]}',
        '{"keys": [], "more": 1}',
        '{"keys": [], "revoked_components": ["sha256:1"]}',
        '{"keys": [], "keys": []}',
        "{" * 5000,
        "\xff",
    ],
)
def test_a_trust_file_that_is_none_refuses_everything(site, text):
    site.trust.write_text(text, encoding="latin-1")
    refused(site, "trust-malformed")


def test_a_trust_file_that_is_not_there_refuses_everything(site):
    site.trust.unlink()
    refused(site, "trust-malformed")


@pytest.mark.skipif(shutil.which("minisign") is None, reason="Debian's minisign is not installed")
def test_minisign_itself_agrees(site):
    public = f"{site.folder}/release.key.pub"
    checked = subprocess.run(
        ["minisign", "-Vm", site.component, "-p", public], check=False, capture_output=True, text=True, timeout=60
    )
    assert checked.returncode == 0, checked.stderr
    # -W: without a password.
    made = ["minisign", "-GW", "-p", "their.pub", "-s", "their.key"]
    subprocess.run(made, cwd=site.folder, check=True, capture_output=True, timeout=60)
    signed = ["minisign", "-Sm", site.component, "-s", "their.key"]
    subprocess.run(signed, cwd=site.folder, check=True, capture_output=True, timeout=60)
    site.believe([{"owner": "minisign", "key": (site.folder / "their.pub").read_text().splitlines()[1]}])
    assert Trust.read(site.trust).keys[0].owner == "minisign"
    assert site.load().description.policy == "strand"


def test_a_key_with_a_password_opens_with_it_and_with_no_other(site, monkeypatch, capsys):
    monkeypatch.setenv("OFFERMATCH_KEY_PASSWORD", "correct horse")
    key = site.folder / "guarded.key"
    assert run(["sign", "--new-key", str(key)]) == 0
    assert key.stat().st_mode & 0o077 == 0
    assert run(["sign", "--key", str(key), str(site.component)]) == 0
    monkeypatch.setenv("OFFERMATCH_KEY_PASSWORD", "another")
    capsys.readouterr()
    assert run(["sign", "--key", str(key), str(site.component)]) == 1
    assert "error[key-unusable]" in capsys.readouterr().err
    assert run(["sign", "--new-key", str(key)]) == 1
    assert "it is there already" in capsys.readouterr().err


CASES = Path(__file__).parents[3] / "tests" / "cases" / "signatures"


@pytest.mark.parametrize(
    ("trust", "code"),
    [
        ("trusted.json", "wrong-world"),
        ("stranger.json", "signer-untrusted"),
        ("nobody.json", "signer-untrusted"),
        ("revoked.json", "signer-revoked"),
        ("component-revoked.json", "component-revoked"),
    ],
)
def test_the_cases_that_both_hosts_share(trust, code):
    with pytest.raises(MatcherError) as caught:
        Matcher.load(CASES / "signed.wasm", trust=CASES / trust)
    assert caught.value.code == code
