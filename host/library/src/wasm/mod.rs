//! The component and all that runs it: engine, cache, instances, the mapping to and from the contract.

pub(crate) mod bindings;
pub(crate) mod cache;
pub(crate) mod component;
pub(crate) mod contract;
pub(crate) mod conversion;
pub(crate) mod engine;
pub(crate) mod exports;
pub(crate) mod failure;
pub(crate) mod inspection;
pub(crate) mod instance;
#[cfg(feature = "wasi")]
pub(crate) mod lockdown;
pub(crate) mod otel;
pub(crate) mod spans;
pub(crate) mod state;
