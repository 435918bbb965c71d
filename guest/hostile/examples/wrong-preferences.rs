//! Takes the dearest preference that does not hold for all of them.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Does not add penalties up.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-preferences";

    fn penalized(score: f64, weight: f64) -> f64 {
        if weight > score { weight } else { score }
    }
}

ruled!(Wrong);
