//! The engines that compile and run components: one for the whole process, and others where limits ask for fuel to be counted
//! or for no limit of time.
//!
//! An engine that limits time has one thread that moves its epoch on, every [`TICK`], so that a call that takes too long is
//! interrupted. Compiled code then looks at the epoch in every loop and every function, which costs a matcher about a fifth of
//! its time.

use std::sync::OnceLock;
use std::time::Duration;

use wasmtime::{Config, Engine, EngineWeak, InstanceAllocationStrategy, PoolingAllocationConfig, WasmFeatures};

use crate::limits::Limits;

/// Pools that can be open at once, in the whole process.
const MOST_INSTANCES: u32 = 1000;
/// Modules of one component.
const MOST_PARTS: u32 = 4;
/// The most elements of a pooled table. Address space only: what is not used is not there.
const MOST_TABLE_ELEMENTS: usize = 1 << 20;
/// How often an engine's epoch moves on.
const TICK: Duration = Duration::from_millis(10);
/// The part of a memory, in bytes, that is wiped for the next instance instead of being given back to the system: enough for
/// 20,000 tasks and offers. Getting pages anew costs a tenth of such a cycle.
const KEPT_RESIDENT: usize = 16 << 20;

/// What a matcher may use of WebAssembly: the list of `tests/facts/proposals.toml`, and what came before proposals.
const ALLOWED: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::TAIL_CALL)
    .union(WasmFeatures::COMPONENT_MODEL);

/// What limits ask of an engine.
#[derive(Debug, Clone, Copy)]
struct Counts {
    /// Whether calls are ended after some time.
    time: bool,
    /// Whether fuel is counted.
    fuel: bool,
}

/// The engine of matchers with these limits.
pub(crate) fn of(limits: &Limits) -> &'static Engine {
    static ENGINES: [OnceLock<Engine>; 4] = [const { OnceLock::new() }; 4];
    let counts = Counts { time: limits.call_milliseconds.is_some(), fuel: limits.fuel.is_some() };
    ENGINES[usize::from(counts.time) * 2 + usize::from(counts.fuel)].get_or_init(|| start(counts))
}

/// An engine and, where it limits time, its ticker.
fn start(counts: Counts) -> Engine {
    // Pooled instances reserve address space ahead. Where there is not enough of it, instances are made one by one.
    let engine = Engine::new(&config(true, counts)).unwrap_or_else(|error| {
        tracing::warn!(%error, "no address space for pooled instances");
        Engine::new(&config(false, counts)).expect("the configuration suits every platform that wasmtime supports")
    });
    if counts.time {
        let ticked = engine.weak();
        let ticker = std::thread::Builder::new().name("offermatch-epochs".to_owned()).spawn(move || tick(&ticked));
        if let Err(error) = ticker {
            tracing::error!(%error, "no thread for the clock: calls are not limited in time");
        }
    }
    engine
}

/// Moves an engine's epoch on for as long as there is the engine.
fn tick(engine: &EngineWeak) {
    while let Some(engine) = engine.upgrade() {
        engine.increment_epoch();
        drop(engine);
        std::thread::sleep(TICK);
    }
}

/// How components are compiled and run.
fn config(pooled: bool, counts: Counts) -> Config {
    let mut config = Config::new();
    config.wasm_features(WasmFeatures::all().difference(ALLOWED), false);
    config.wasm_features(ALLOWED, true);
    // Else the results of some instructions depend on the machine.
    config.relaxed_simd_deterministic(true);
    config.epoch_interruption(counts.time);
    config.consume_fuel(counts.fuel);
    if pooled {
        let mut pooling = PoolingAllocationConfig::new();
        pooling.linear_memory_keep_resident(KEPT_RESIDENT);
        pooling.total_component_instances(MOST_INSTANCES);
        // One with a standard library is made of several modules.
        pooling.total_core_instances(MOST_INSTANCES * MOST_PARTS);
        pooling.total_memories(MOST_INSTANCES);
        pooling.total_tables(MOST_INSTANCES * MOST_PARTS);
        // How many an instance has in all is the limiter's to say, by the name of the limit.
        pooling.max_memories_per_module(MOST_INSTANCES);
        pooling.max_tables_per_module(MOST_INSTANCES);
        pooling.table_elements(MOST_TABLE_ELEMENTS);
        // The address space is reserved anyway; how much of it an instance gets is the limiter's to say.
        pooling.max_memory_size(1 << 32);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
    }
    config
}
