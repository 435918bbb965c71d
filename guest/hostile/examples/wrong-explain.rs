//! Counts an offer that fails twice at the later check: one short in the first dimension, one too many by devices.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::model::FirstFailures;
use offermatch_hostile::{Rules, ruled};

/// Explains with counts that add up, and are not right.
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-explain";

    fn counted(mut counts: FirstFailures) -> FirstFailures {
        if let (Some(short), Some(other)) = (counts.by_dimension.first_mut(), counts.by_devices.first_mut())
            && *short > 0
        {
            *short -= 1;
            *other += 1;
        }
        counts
    }
}

ruled!(Wrong);
