//! Lets one member more into a place than there may be.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Counts from zero.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-limits";

    fn admits(members: u64, most: u64) -> bool {
        members <= most
    }
}

ruled!(Wrong);
