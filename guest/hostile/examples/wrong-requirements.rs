//! Takes an unset value for one of the set.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Has everything in every set that is unset.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-requirements";

    fn is_in(value: u32, set: &[u32]) -> bool {
        value == 0 || set.contains(&value)
    }
}

ruled!(Wrong);
