//! Takes the last of equal values, not the first.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Is as fond of the later value.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-together";

    fn better_together(placed: (usize, f64), best: (usize, f64)) -> bool {
        placed.0 > best.0 || (placed.0 == best.0 && placed.1 <= best.1)
    }
}

ruled!(Wrong);
