//! One instance of a component, its limits, and the calls into it.

use std::time::{Duration, Instant};

use wasmtime::{Store, Trap, UpdateDeadline};

use crate::limit::{Exceeded, Limit};
use crate::limits::Limits;
use crate::pool::description::Description;
use crate::wasm::component::Linked;
use crate::wasm::engine;
use crate::wasm::exports::{Called, Exports};
use crate::wasm::failure::Failure;
use crate::wasm::refusal::Refused;
use crate::wasm::state::{HostState, MOST_INSTANCES, MOST_MEMORIES, MOST_TABLES};

/// Bytes that an answer may have beyond what is asked for: enough to say by how much it is too long, little enough to be
/// of no harm.
const SLACK: usize = 32 << 20;

/// The error of a call that was interrupted.
#[derive(Debug)]
struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// An instance of a component. Dropped as a whole, with its memory.
pub(crate) struct Instance {
    /// What the instance lives in.
    store: Store<HostState>,
    exports: Exports,
    /// Whether it gets an empty WASI.
    wasi: bool,
    /// Whether it has been told that its calls are traced.
    traced: bool,
}

impl Instance {
    /// Makes an instance of a component.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when there is no room for it; otherwise as [`Instance::call`].
    pub(crate) fn new(linked: &Linked, limits: &Limits) -> Result<Self, Failure> {
        let mut store = Store::new(engine::of(limits), HostState::new(limits));
        store.limiter(|state| state);
        if let Some(time) = limits.call_milliseconds.map(Duration::from_millis) {
            store.set_epoch_deadline(1);
            // Wall clock, not ticks: a ticker that gets no turn must not give a call more time.
            store.epoch_deadline_callback(move |context| {
                if context.data().begin.elapsed() >= time {
                    return Err(wasmtime::Error::new(Interrupted));
                }
                Ok(UpdateDeadline::Continue(1))
            });
        }
        prepare(&mut store, 0)?;
        let instantiate = || {
            let instance = linked.pre.instantiate(&mut store)?;
            Exports::new(&mut store, &instance, &linked.indices)
        };
        match isolated(linked.wasi, instantiate) {
            Ok(exports) => Ok(Self { store, exports, wasi: linked.wasi, traced: false }),
            Err(error) if is_the_guests(&error) || too_many(&error).is_some() || store.data().denied.is_some() => {
                Err(failure(&error, &store))
            }
            Err(error) => Err(Failure::Unavailable(error.root_cause().to_string())),
        }
    }

    /// Asks the component what it is.
    ///
    /// # Errors
    /// As [`Instance::call`].
    pub(crate) fn describe(&mut self) -> Result<Description, Failure> {
        self.run(0, |store, exports| exports.call_describe(store).map(Ok))
    }

    /// Calls the component. An answer has at most `bytes` bytes.
    ///
    /// # Errors
    /// [`Failure`], but not that no instance could be made. The instance is of no more use, unless the call was refused.
    pub(crate) fn call<T: Send>(
        &mut self,
        bytes: usize,
        run: impl FnOnce(&mut Store<HostState>, &Exports) -> Called<T> + Send,
    ) -> Result<T, Failure> {
        let text = self.store.data().limits.output_text_bytes;
        let traced = self.exports.can_trace() && self.store.data_mut().spans.begin(text);
        if traced != self.traced {
            self.run(0, |store, exports| exports.call_set_traced(store, traced).map(Ok))?;
            self.traced = traced;
        }
        self.run(bytes, run)
    }

    /// Runs something in the component, within its limits.
    fn run<T: Send>(
        &mut self,
        bytes: usize,
        run: impl FnOnce(&mut Store<HostState>, &Exports) -> Called<T> + Send,
    ) -> Result<T, Failure> {
        let Self { store, exports, wasi, .. } = self;
        prepare(store, bytes)?;
        let call = || {
            let result = run(store, exports);
            store.data_mut().spans.close();
            result
        };
        match isolated(*wasi, call) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(Refused { refusal, text_bytes })) => {
                let (value, asked) = (store.data().limits.output_text_bytes, text_bytes as u64);
                if asked > value {
                    return Err(Exceeded { limit: Limit::OutputTextBytes, value, asked }.into());
                }
                Err(Failure::Refused(refusal))
            }
            Err(error) => Err(failure(&error, store)),
        }
    }
}

/// Gives a store what it needs for one call.
fn prepare(store: &mut Store<HostState>, bytes: usize) -> Result<(), Failure> {
    let state = store.data_mut();
    state.begin = Instant::now();
    state.denied = None;
    let limits = state.limits;
    let text = usize::try_from(limits.output_text_bytes).unwrap_or(usize::MAX);
    store.set_hostcall_fuel(bytes.saturating_add(text).saturating_add(SLACK));
    if let Some(fuel) = limits.fuel {
        store.set_fuel(fuel).map_err(|error| Failure::Unavailable(error.to_string()))?;
    }
    Ok(())
}

/// Runs something that may use WASI. Its host functions block on futures, which a thread that drives an asynchronous
/// runtime must not; another one may.
#[cfg(feature = "wasi")]
fn isolated<T: Send>(wasi: bool, run: impl FnOnce() -> T + Send) -> T {
    if !wasi || tokio::runtime::Handle::try_current().is_err() {
        return run();
    }
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Runs something that does not use WASI.
#[cfg(not(feature = "wasi"))]
fn isolated<T: Send>(_: bool, run: impl FnOnce() -> T + Send) -> T {
    run()
}

/// The status with which a component has exited, where it has.
#[cfg(feature = "wasi")]
fn exit_status(error: &wasmtime::Error) -> Option<i32> {
    error.downcast_ref::<wasmtime_wasi::I32Exit>().map(|exit| exit.0)
}

/// Nothing exits without a WASI.
#[cfg(not(feature = "wasi"))]
fn exit_status(_: &wasmtime::Error) -> Option<i32> {
    None
}

/// Whether an error is of the component's making.
fn is_the_guests(error: &wasmtime::Error) -> bool {
    error.is::<Trap>() || error.is::<Interrupted>() || exit_status(error).is_some()
}

/// Which parts a component has too many of, where it has. Wasmtime says so by text alone.
fn too_many(error: &wasmtime::Error) -> Option<Exceeded> {
    let text = error.root_cause().to_string();
    let parts = [
        ("memory", Limit::Memories, MOST_MEMORIES),
        ("table", Limit::Tables, MOST_TABLES),
        ("instance", Limit::Instances, MOST_INSTANCES),
    ];
    parts.into_iter().find_map(|(part, limit, value)| {
        let (_, asked) = text.split_once(&format!("{part} count too high at "))?;
        Some(Exceeded { limit, value: value as u64, asked: asked.trim().parse().unwrap_or(u64::MAX) })
    })
}

/// Why a call failed that gave no answer.
fn failure(error: &wasmtime::Error, store: &Store<HostState>) -> Failure {
    let state = store.data();
    let limits = &state.limits;
    let printed = state.printed();
    let trap = error.downcast_ref::<Trap>();
    let exceeded = if error.is::<Interrupted>() {
        let asked = u64::try_from(state.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let value = limits.call_milliseconds.unwrap_or_default();
        Some(Exceeded { limit: Limit::CallMilliseconds, value, asked })
    } else if trap == Some(&Trap::OutOfFuel) {
        let value = limits.fuel.unwrap_or_default();
        Some(Exceeded { limit: Limit::Fuel, value, asked: value.saturating_add(1) })
    } else if error.root_cause().to_string().contains("fuel allocated for hostcalls") {
        let (value, asked) = (limits.output_text_bytes, store.hostcall_fuel() as u64 + 1);
        Some(Exceeded { limit: Limit::OutputTextBytes, value, asked })
    } else {
        too_many(error).or(state.denied)
    };
    if let Some(exceeded) = exceeded {
        return Failure::Exceeded { exceeded, printed };
    }
    let reason = match (trap, exit_status(error)) {
        (Some(trap), _) => trap.to_string(),
        (None, Some(status)) => format!("it exited with status {status}"),
        (None, None) => error.root_cause().to_string(),
    };
    Failure::Trapped(reason + &printed)
}
