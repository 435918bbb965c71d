//! A matcher of a contract that no host of this version serves.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next as _;

/// Generated.
mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
    wit_bindgen::generate!({
        inline: "package offermatch:matcher@0.4.0; interface matching { describe: func() -> u32; } world matcher { export matching; }",
    });
}

/// The component.
struct Newer;

impl bindings::exports::offermatch::matcher::matching::Guest for Newer {
    fn describe() -> u32 {
        2
    }
}

bindings::export!(Newer with_types_in bindings);
