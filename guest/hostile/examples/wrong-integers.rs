//! Compares quantities as signed integers: from 2^63 on they are negative.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Has one bit too few.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-integers";

    fn fits(_: usize, _: usize, demand: u64, available: u64) -> bool {
        demand.cast_signed() <= available.cast_signed()
    }
}

ruled!(Wrong);
