//! What `wit-bindgen` makes of the contract.
#![allow(missing_docs, unreachable_pub, reason = "generated; the contract documents every item")]

wit_bindgen::generate!({ world: "packed-matcher", path: "../../wit" });
