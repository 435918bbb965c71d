//! The engine that compiles and runs components: one for the whole process.
//!
//! Limits on memory, time and output belong here: the engine's configuration, and what each store is given.

use std::sync::OnceLock;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store};

/// Pools that can be open at once, in the whole process.
const MOST_INSTANCES: u32 = 1000;

/// What the host keeps for one instance.
#[derive(Debug, Default)]
pub(crate) struct HostState {}

/// The engine of this process.
pub(crate) fn shared() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        // Pooled instances reserve address space ahead. Where there is not enough of it, instances are made one by one.
        Engine::new(&config(true)).unwrap_or_else(|error| {
            tracing::warn!(%error, "no address space for pooled instances");
            Engine::new(&config(false)).expect("the configuration suits every platform that wasmtime supports")
        })
    })
}

/// A store for one instance.
pub(crate) fn store() -> Store<HostState> {
    Store::new(shared(), HostState::default())
}

/// How components are compiled and run.
fn config(pooled: bool) -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    if pooled {
        let mut pooling = PoolingAllocationConfig::new();
        pooling.total_component_instances(MOST_INSTANCES);
        pooling.total_core_instances(MOST_INSTANCES);
        pooling.total_memories(MOST_INSTANCES);
        pooling.total_tables(MOST_INSTANCES);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    }
    config
}
