//! Takes a share of the first device that holds it, not of the tightest.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Breaks whole devices without need.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-devices";

    fn device(holding: &[(u32, usize)]) -> Option<usize> {
        holding.first().map(|&(_, number)| number)
    }
}

ruled!(Wrong);
