//! Leaves the weights aside, though its policy is called best-fit.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Weighs everything the same.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-weights";

    fn weight(_: f64) -> f64 {
        1.0
    }
}

ruled!(Wrong);
