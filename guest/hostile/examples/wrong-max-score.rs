//! Chooses offers at the maximal score, too.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Is at the limit where it should be below it.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-max-score";

    fn below(score: f64, max_score: f64) -> bool {
        score <= max_score
    }
}

ruled!(Wrong);
