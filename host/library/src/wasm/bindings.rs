//! The contracts as Rust sees them, generated from `wit/`: each is used by the module of its name, the current tracing by
//! `spans` and `otel` as well.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::all, reason = "generated")]

/// Contract 0.3.0.
pub(crate) mod current {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "full-matcher",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// Contract 0.2.0.
pub(crate) mod since_0_2_0 {
    wasmtime::component::bindgen!({
        path: "wit/since-0.2.0",
        world: "matcher",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}
