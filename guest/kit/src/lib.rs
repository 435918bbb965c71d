//! Makes a matcher of a policy.
//!
//! A matcher is a WebAssembly component of world `offermatch:matcher/full-matcher`. With this crate it is one small type
//! with a score, and one line that exports it:
//!
//! ```
//! use offermatch_kit::{Bound, Demand, Leftover, Policy, Ranking};
//!
//! /// Offers with the fewest free devices first.
//! #[derive(Debug, Clone, Copy, Default)]
//! struct FewestDevices;
//!
//! impl Policy for FewestDevices {
//!     const NAME: &'static str = "fewest-devices";
//!     const BOUND: Bound = Bound::Monotone;
//!
//!     fn score(&self, ranking: &Ranking, demand: Demand<'_>, offer: Leftover<'_>) -> f64 {
//!         let last = ranking.scales.len() - 1;
//!         (offer.free_devices - u64::from(demand.devices)) as f64 / ranking.scales[last]
//!     }
//! }
//!
//! offermatch_kit::export!(FewestDevices);
//! ```
//!
//! `no_std`, so that the component imports nothing but the contract's tracing: the standard library would bring files,
//! environment, clocks and randomness along.
//!
//! With the feature `contract-0-2-0` it makes a matcher of the contract before this one.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

#[doc(hidden)]
pub mod bindings;
#[cfg_attr(feature = "contract-0-2-0", path = "since_0_2_0/conversion.rs")]
mod conversion;
mod digits;
mod export;
mod law;
#[cfg_attr(feature = "contract-0-2-0", path = "since_0_2_0/packed.rs")]
mod packed;
#[cfg(not(feature = "contract-0-2-0"))]
mod preemption;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod runtime;
#[cfg_attr(feature = "untraced", path = "untraced.rs")]
mod trace;

pub use export::{Component, Matcher};
pub use law::assert_bound_holds;
pub use offermatch_core::{
    Allowed, Assignments, BestFit, Bound, Changes, Demand, Devices, Error, Explanations, GroupTable, Leftover, Method,
    Mode, Model, OfferTable, Outlook, Parameter, Plan, Policy, Pool, Ranking, RunningTable, Settings, Shape, State,
    TaskTable, TypicalTask, Workload,
};
#[doc(hidden)]
#[cfg(not(feature = "contract-0-2-0"))]
pub use preemption::priorities_of;
