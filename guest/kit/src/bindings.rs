//! What `wit-bindgen` makes of the contract.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated; the contract documents every item")]

wit_bindgen::generate!({
    world: "packed-matcher",
    path: "../../wit",
    pub_export_macro: true,
    default_bindings_module: "offermatch_kit::bindings",
});
