//! Signatures: what is loaded with a trust file, and what is refused before a byte is compiled. The keys and signatures under
//! tests/cases/signatures were made by minisign.

use std::fs;
use std::path::{Path, PathBuf};

use offermatch::{Error, Limits, Matcher, Trust};
use tempfile::TempDir;

/// The cases that both hosts share.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/cases/signatures");

/// A folder with the component of the cases and its signature.
fn site() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("signed.wasm");
    for name in ["signed.wasm", "signed.wasm.minisig"] {
        fs::copy(Path::new(CASES).join(name), folder.path().join(name)).unwrap();
    }
    (folder, component)
}

/// The code that loading ends with, by a trust file of the cases.
fn refused(component: &Path, trust: &str) -> &'static str {
    let trust = Trust::read(Path::new(CASES).join(trust)).unwrap();
    Matcher::load_trusted(component, &trust, &Limits::default()).map(drop).unwrap_err().code()
}

#[test]
fn what_a_trusted_key_signed_is_compiled() {
    let (_folder, component) = site();
    // It is the smallest component and no matcher: what refuses it is what comes after its signature.
    assert_eq!(refused(&component, "trusted.json"), "wrong-world");
}

#[test]
fn what_others_signed_or_nobody_is_not() {
    let (_folder, component) = site();
    assert_eq!(refused(&component, "stranger.json"), "signer-untrusted");
    assert_eq!(refused(&component, "nobody.json"), "signer-untrusted");
    assert_eq!(refused(&component, "revoked.json"), "signer-revoked");
    assert_eq!(refused(&component, "component-revoked.json"), "component-revoked");
}

#[test]
fn a_refusal_says_who_signed_and_who_was_asked() {
    let (_folder, component) = site();
    let trust = Trust::read(Path::new(CASES).join("stranger.json")).unwrap();
    let error = Matcher::load_trusted(&component, &trust, &Limits::default()).map(drop).unwrap_err();
    let number = fs::read_to_string(Path::new(CASES).join("signed.pub")).unwrap();
    let number = number.lines().next().unwrap().rsplit(' ').next().unwrap();
    assert!(error.to_string().contains(number), "{error}");
    assert!(error.to_string().contains("a stranger"), "{error}");
}

#[test]
fn a_signature_over_other_bytes_or_cut_short_is_refused() {
    let (folder, component) = site();
    let signature = folder.path().join("signed.wasm.minisig");
    let whole = fs::read(&signature).unwrap();
    for kept in [0, 10, 100, 200] {
        fs::write(&signature, &whole[..kept]).unwrap();
        assert_eq!(refused(&component, "trusted.json"), "signature-malformed", "{kept} bytes");
    }
    fs::write(&signature, &whole).unwrap();
    fs::write(&component, [&fs::read(&component).unwrap()[..], &[0, 1, 0]].concat()).unwrap();
    assert_eq!(refused(&component, "trusted.json"), "signature-mismatch");
    fs::remove_file(&signature).unwrap();
    assert_eq!(refused(&component, "trusted.json"), "signature-missing");
}

#[test]
fn a_trust_file_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trust.json");
    let malformed = |error: Error| error.code() == "trust-malformed";
    assert!(Trust::read(&file).is_err_and(malformed));
    let texts: &[&[u8]] = &[
        b"",
        b"[]",
        b"{}",
        br#"{"keys": {}}"#,
        br#"{"keys": [{}]}"#,
        br#"{"keys": [{"owner": "a", "key": "b"}]}"#,
        br#"{"keys": [], "more": 1}"#,
        br#"{"keys": [], "revoked_components": ["sha256:1"]}"#,
        br#"{"keys": [], "keys": []}"#,
        &[b'{'; 5000],
        b"\xff",
    ];
    for text in texts {
        fs::write(&file, text).unwrap();
        assert!(Trust::read(&file).is_err_and(malformed), "{}", String::from_utf8_lossy(text));
    }
}
