//! Leaves something over of everything: a demand equal to what is available does not fit.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Takes no exact fit.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-capacity";

    fn fits(_: usize, _: usize, demand: u64, available: u64) -> bool {
        demand < available
    }
}

ruled!(Wrong);
