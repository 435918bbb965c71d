//! One target under libFuzzer, the one that the environment variable `FUZZ_TARGET` names.
#![no_main]

use std::sync::LazyLock;

use offermatch_fuzz::{TARGETS, Target};

/// The target that is asked for.
static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let asked = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(name, _)| *name == asked);
    found.unwrap_or_else(|| panic!("FUZZ_TARGET is {asked:?}, which is no target")).1
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| TARGET(bytes));
