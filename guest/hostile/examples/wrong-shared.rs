//! Does not subtract in shared mode.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Promises an offer again and again.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-shared";

    fn left(available: u64, _: u64) -> u64 {
        available
    }
}

ruled!(Wrong);
