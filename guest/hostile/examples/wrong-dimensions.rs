//! Does not look at the last of several dimensions.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Forgets one dimension.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-dimensions";

    fn fits(dimension: usize, dimensions: usize, demand: u64, available: u64) -> bool {
        demand <= available || (dimensions > 1 && dimension + 1 == dimensions)
    }
}

ruled!(Wrong);
