//! Counts an offer that fails twice at the later check: one short in the first dimension, one too many by devices.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Explanations, Rules, ruled};

/// Explains with counts that add up, and are not right.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-explain";

    fn counted(mut counts: Explanations) -> Explanations {
        // One that fails this only is said to fail something else, too.
        if let Some(alone) = counts.dimension_alone.iter_mut().find(|alone| **alone > 0) {
            *alone -= 1;
        }
        counts
    }
}

ruled!(Wrong);
