//! The contract as Rust sees it, generated from `wit/since-0.2.0/`. Only `conversion`, `exports`, `instance` and `spans` use it.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit/since-0.2.0",
    world: "matcher",
    ownership: Borrowing { duplicate_if_necessary: false },
});
