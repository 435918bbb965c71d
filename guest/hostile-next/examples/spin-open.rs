//! Never comes back from `open`.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next::{Behaviour, Honest, OfferTable, Settings, Shape, Verdict, hostile};

/// Never comes back.
struct Spinning;

impl Behaviour for Spinning {
    fn open(_: Shape, _: OfferTable, _: Settings) -> Verdict<Honest> {
        loop {
            core::hint::black_box(());
        }
    }
}

hostile!(Spinning);
