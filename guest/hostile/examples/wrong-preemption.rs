//! Takes running tasks away that matter as much as the task that asks.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Does not spare what is equal.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-preemption";

    fn is_victim(running: i32, asking: i32) -> bool {
        running <= asking
    }
}

ruled!(Wrong);
