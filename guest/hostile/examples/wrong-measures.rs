//! Wants more than the bound where the bound is enough.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Takes no measure that is just met.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-measures";

    fn at_least(value: f64, bound: f64) -> bool {
        value > bound
    }
}

ruled!(Wrong);
