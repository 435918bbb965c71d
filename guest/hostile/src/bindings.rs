//! What `wit-bindgen` makes of contract 0.1.0: what a host is told and not told is the same in both.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; the contract documents every item")]

wit_bindgen::generate!({
    world: "matcher",
    path: "../../wit/since-0.1.0",
    pub_export_macro: true,
    default_bindings_module: "offermatch_hostile::bindings",
});
