//! What the host keeps for one instance: its limits, what it was denied, its spans and its WASI.

use std::time::Instant;

use wasmtime::ResourceLimiter;

use crate::limit::{Exceeded, Limit};
use crate::limits::Limits;
#[cfg(feature = "wasi")]
use crate::wasm::lockdown::{Lockdown, Locked};
use crate::wasm::spans::Spans;

/// Memories of one instance. The Python host can limit each one only, and both hosts take the same components.
pub(crate) const MOST_MEMORIES: usize = 1;
/// Tables of one instance.
pub(crate) const MOST_TABLES: usize = 16;
/// Core instances that one instance is made of: one with a standard library has four or five.
pub(crate) const MOST_INSTANCES: usize = 64;

/// How much of one thing an instance has, over all of its memories or tables.
#[derive(Debug, Default)]
struct Total {
    granted: u64,
    /// What the last growth added, which is given back when it fails after all.
    last: u64,
}

/// What the host keeps for one instance.
#[derive(Debug)]
pub(crate) struct HostState {
    pub(crate) limits: Limits,
    /// When the call that is being made began.
    pub(crate) begin: Instant,
    /// The last thing that it was not given.
    pub(crate) denied: Option<Exceeded>,
    memory: Total,
    tables: Total,
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
            memory: Total::default(),
            tables: Total::default(),
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

    /// Whether all that an instance has of something is within its limit once one part of it has grown. What is not is
    /// written down.
    fn grant(&mut self, limit: Limit, current: usize, desired: usize) -> bool {
        let (value, total) = match limit {
            Limit::MemoryBytes => (self.limits.memory_bytes, &mut self.memory),
            _ => (self.limits.table_elements, &mut self.tables),
        };
        let more = desired.saturating_sub(current) as u64;
        let asked = total.granted.saturating_add(more);
        if asked > value {
            total.last = 0;
            self.denied = Some(Exceeded { limit, value, asked });
            return false;
        }
        *total = Total { granted: asked, last: more };
        true
    }
}

impl ResourceLimiter for HostState {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grant(Limit::MemoryBytes, current, desired))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory.granted -= std::mem::take(&mut self.memory.last);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grant(Limit::TableElements, current, desired))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.tables.granted -= std::mem::take(&mut self.tables.last);
        Ok(())
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
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
