//! The component and all that runs it: engine, cache, instances, the mapping to and from the contracts.

pub(crate) mod bindings;
pub(crate) mod cache;
pub(crate) mod component;
pub(crate) mod contract;
mod current;
pub(crate) mod elsewhere;
pub(crate) mod engine;
pub(crate) mod exports;
pub(crate) mod failure;
pub(crate) mod inspection;
pub(crate) mod instance;
#[cfg(feature = "wasi")]
pub(crate) mod lockdown;
pub(crate) mod otel;
pub(crate) mod refusal;
mod since_0_2_0;
pub(crate) mod spans;
pub(crate) mod state;
