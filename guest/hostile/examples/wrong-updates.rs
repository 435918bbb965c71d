//! Keeps the old values of a changed row.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Hears of changes and forgets them.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-updates";

    fn changes() -> bool {
        false
    }
}

ruled!(Wrong);
