//! What the host keeps for one instance: its limits, what it was denied, its spans and its WASI.

use std::time::Instant;

use wasmtime::ResourceLimiter;

use crate::limits::{Exceeded, Limit, Limits};
#[cfg(feature = "wasi")]
use crate::wasm::lockdown::{Lockdown, Locked};
use crate::wasm::spans::Spans;

/// What the host keeps for one instance.
#[derive(Debug)]
pub(crate) struct HostState {
    pub(crate) limits: Limits,
    /// When the call that is being made began.
    pub(crate) begin: Instant,
    /// The last thing that it was not given.
    pub(crate) denied: Option<Exceeded>,
    pub(crate) spans: Spans,
    /// Made when the instance first asks for it: most matchers never do.
    #[cfg(feature = "wasi")]
    lockdown: Option<Box<Lockdown>>,
}

impl HostState {
    /// The state of an instance that has not been called.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            limits: *limits,
            begin: Instant::now(),
            denied: None,
            spans: Spans::default(),
            #[cfg(feature = "wasi")]
            lockdown: None,
        }
    }

    /// What the instance printed, for an error; empty where it printed nothing.
    pub(crate) fn printed(&self) -> String {
        #[cfg(feature = "wasi")]
        return self.lockdown.as_ref().map(|lockdown| lockdown.printed()).unwrap_or_default();
        #[cfg(not(feature = "wasi"))]
        String::new()
    }

    /// Whether something is within its limit. What is not is written down.
    fn grant(&mut self, limit: Limit, value: u64, asked: usize) -> bool {
        let asked = asked as u64;
        if asked > value {
            self.denied = Some(Exceeded { limit, value, asked });
        }
        asked <= value
    }
}

impl ResourceLimiter for HostState {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grant(Limit::MemoryBytes, self.limits.memory_bytes, desired))
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grant(Limit::TableElements, self.limits.table_elements, desired))
    }
}

#[cfg(feature = "wasi")]
impl Locked for HostState {
    fn lockdown(&mut self) -> &mut Lockdown {
        self.lockdown.get_or_insert_with(|| Box::new(Lockdown::new(self.limits.output_text_bytes)))
    }
}

#[cfg(feature = "wasi")]
impl wasmtime_wasi::WasiView for HostState {
    fn ctx(&mut self) -> wasmtime_wasi::WasiCtxView<'_> {
        self.lockdown().view()
    }
}
