//! A component of another world.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

use offermatch_hostile_next as _;

/// Generated.
mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]
    wit_bindgen::generate!({
        inline: "package other:thing@1.0.0; interface greeting { greet: func() -> u32; } world thing { export greeting; }",
    });
}

/// The component.
struct Thing;

impl bindings::exports::other::thing::greeting::Guest for Thing {
    fn greet() -> u32 {
        42
    }
}

bindings::export!(Thing with_types_in bindings);
