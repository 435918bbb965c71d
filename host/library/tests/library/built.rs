//! What `make policies` and `guest/build.sh hostile` have built.

use std::path::PathBuf;

use offermatch::Matcher;

/// The path of a component in `target/`.
pub(crate) fn path(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target").join(name);
    assert!(path.is_file(), "{name} is missing: run `make policies` and `guest/build.sh hostile`");
    path
}

/// The matcher of such a component.
pub(crate) fn matcher(name: &str) -> Matcher {
    Matcher::load(path(name)).unwrap()
}
