//! Keeps the scales of opening when a larger offer comes.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Does not raise scales.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-scales";

    fn raised(scale: u64, _: u64) -> u64 {
        scale
    }
}

ruled!(Wrong);
