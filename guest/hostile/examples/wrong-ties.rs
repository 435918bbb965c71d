//! Gives a tie to the offer that stands last.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Takes the last of equals.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-ties";

    fn better(score: f64, best: f64) -> bool {
        score <= best
    }
}

ruled!(Wrong);
