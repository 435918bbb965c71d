//! Counts an offer with occupants once, however many they are.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Does not read how many there are.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-occupants";

    fn occupants(given: u32) -> u32 {
        given.min(1)
    }
}

ruled!(Wrong);
