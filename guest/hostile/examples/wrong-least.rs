//! Takes a group for complete that lacks one member.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Is content with one less.
#[derive(Clone)]
struct Wrong;

impl Rules for Wrong {
    const NAME: &'static str = "wrong-least";

    fn enough(members: u64, least: u64) -> bool {
        members + 1 >= least
    }
}

ruled!(Wrong);
