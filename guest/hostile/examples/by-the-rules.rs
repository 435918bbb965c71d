//! Follows every rule, by a loop of its own: what the wrong ones are beside their one mistake.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile::{Rules, ruled};

/// Overrides nothing.
#[derive(Clone)]
struct Right;

impl Rules for Right {
    const NAME: &'static str = "by-the-rules";
}

ruled!(Right);
