//! One instance of a component, its limits, and the calls into it.

use std::time::{Duration, Instant};

use wasmtime::component::ResourceAny;
use wasmtime::{ResourceLimiter, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use crate::limits::{Exceeded, Limit, Limits};
use crate::wasm::bindings::exports::offermatch::matcher::matching as contract;
use crate::wasm::component::Linked;
use crate::wasm::conversion::Refusal;
use crate::wasm::engine;
use crate::wasm::exports::{Called, Exports};
use crate::wasm::lockdown::Lockdown;
use crate::wasm::spans::Spans;

/// Bytes that an answer may have beyond what is asked for: enough to say by how much it is too long, little enough to be
/// of no harm.
const SLACK: usize = 32 << 20;

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// No instance could be made.
    Unavailable(String),
    /// The instance trapped and is of no more use.
    Trapped(String),
    /// The instance wanted more than it may have and is of no more use.
    Exceeded {
        /// What it wanted.
        exceeded: Exceeded,
        /// What it printed, for the error.
        printed: String,
    },
    /// The matcher refused the call and is as it was.
    Refused(Refusal),
}

impl From<Exceeded> for Failure {
    fn from(exceeded: Exceeded) -> Self {
        Self::Exceeded { exceeded, printed: String::new() }
    }
}

/// What the host keeps for one instance.
#[derive(Debug)]
pub(crate) struct HostState {
    /// How much of everything it gets.
    limits: Limits,
    /// When the call that is being made began.
    begin: Instant,
    /// The last thing that it was not given.
    denied: Option<Exceeded>,
    /// Whether it may ask for a WASI.
    wasi: bool,
    /// Its WASI, once it has asked for one.
    lockdown: Option<Box<Lockdown>>,
    /// What it tells of its work.
    spans: Spans,
}

impl HostState {
    /// What the instance tells of its work.
    pub(crate) fn spans(&mut self) -> &mut Spans {
        &mut self.spans
    }

    /// The empty WASI of the instance.
    pub(crate) fn lockdown(&mut self) -> &mut Lockdown {
        self.lockdown.get_or_insert_with(|| Box::new(Lockdown::new(self.limits.output_text_bytes)))
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
    /// Its exports.
    exports: Exports,
    /// Whether it has been told that its calls are traced.
    traced: bool,
}

impl Instance {
    /// Makes an instance of a component.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] when there is no room for it; otherwise as [`Instance::call`].
    pub(crate) fn new(linked: &Linked, limits: &Limits) -> Result<Self, Failure> {
        let state = HostState {
            limits: *limits,
            begin: Instant::now(),
            denied: None,
            wasi: linked.wasi,
            lockdown: None,
            spans: Spans::default(),
        };
        let mut store = Store::new(engine::of(limits), state);
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
            Ok(exports) => Ok(Self { store, exports, traced: false }),
            Err(error) if is_the_guests(&error) || store.data().denied.is_some() => Err(failure(&error, &store)),
            Err(error) => Err(Failure::Unavailable(error.root_cause().to_string())),
        }
    }

    /// Asks the component what it is.
    ///
    /// # Errors
    /// As [`Instance::call`].
    pub(crate) fn describe(&mut self) -> Result<contract::Description, Failure> {
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
        let Self { store, exports, .. } = self;
        prepare(store, bytes)?;
        let wasi = store.data().wasi;
        let call = || {
            let result = run(store, exports);
            store.data_mut().spans.close();
            result
        };
        match isolated(wasi, call) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                check_text(&error, store.data().limits.output_text_bytes)?;
                Err(Failure::Refused(error.into()))
            }
            Err(error) => Err(failure(&error, store)),
        }
    }
}

/// A pool in an instance.
pub(crate) struct OpenPool {
    /// The instance.
    pub(crate) instance: Instance,
    /// The pool.
    pub(crate) pool: ResourceAny,
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
fn isolated<T: Send>(wasi: bool, run: impl FnOnce() -> T + Send) -> T {
    if !wasi || tokio::runtime::Handle::try_current().is_err() {
        return run();
    }
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Whether an error is of the component's making.
fn is_the_guests(error: &wasmtime::Error) -> bool {
    error.is::<Trap>() || error.is::<Interrupted>() || error.is::<I32Exit>()
}

/// Why a call failed that gave no answer.
fn failure(error: &wasmtime::Error, store: &Store<HostState>) -> Failure {
    let state = store.data();
    let limits = &state.limits;
    let printed = state.lockdown.as_ref().map(|lockdown| lockdown.printed()).unwrap_or_default();
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
        state.denied
    };
    if let Some(exceeded) = exceeded {
        return Failure::Exceeded { exceeded, printed };
    }
    let reason = match (trap, error.downcast_ref::<I32Exit>()) {
        (Some(trap), _) => trap.to_string(),
        (None, Some(exit)) => format!("it exited with status {}", exit.0),
        (None, None) => error.root_cause().to_string(),
    };
    Failure::Trapped(reason + &printed)
}

/// Refuses a refusal with too much text.
fn check_text(error: &contract::Error, value: u64) -> Result<(), Failure> {
    let asked = match error {
        contract::Error::ColumnLength(length) => length.column.len(),
        contract::Error::OutOfRange(cell) | contract::Error::BrokenDevices(cell) => cell.column.len(),
        contract::Error::BadSetting(setting) => setting.setting.len(),
        _ => 0,
    } as u64;
    if asked <= value { Ok(()) } else { Err(Exceeded { limit: Limit::OutputTextBytes, value, asked }.into()) }
}
