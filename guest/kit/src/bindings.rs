//! What `wit-bindgen` makes of the contract.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; the contract documents every item")]

#[cfg(all(feature = "untraced", not(feature = "contract-0-2-0")))]
wit_bindgen::generate!({
    inline: "
        package offermatch:kit;
        world untraced {
            export offermatch:matcher/matching@0.3.0;
            export offermatch:matcher/packed@0.3.0;
            export offermatch:matcher/preemption@0.3.0;
            export offermatch:matcher/packed-preemption@0.3.0;
        }
    ",
    path: "wit",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "offermatch_kit::bindings",
});
#[cfg(not(any(feature = "untraced", feature = "contract-0-2-0")))]
wit_bindgen::generate!({
    world: "full-matcher",
    path: "wit",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "offermatch_kit::bindings",
});
#[cfg(feature = "contract-0-2-0")]
wit_bindgen::generate!({
    world: "packed-matcher",
    path: "wit/since-0.2.0",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "offermatch_kit::bindings",
});

/// The contract that a matcher is built against.
pub(crate) const CONTRACT: &str = if cfg!(feature = "contract-0-2-0") { "0.2.0" } else { "0.3.0" };
