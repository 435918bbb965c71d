//! What misbehaving matchers share: an honest matcher, of which each overrides what it does wrong.
//!
//! One behaviour is one example of this crate (`examples/`), a component on its own. Those whose names begin with `wasi-`
//! are built with the standard library, for `wasm32-wasip2`; the others without, for `wasm32-unknown-unknown`.
//! They take the place of `guest/hostile` once the matchers of both hosts are of contract 0.3.0.
//!
//! Those whose names begin with `wrong-` are [`Rules`] that are wrong in one thing, one for each group of conformance cases.
//!
//! Tables are the core's, whichever interface a host calls: the kit converts them.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

mod behaviour;
mod export;
mod rules;

pub use behaviour::{Behaviour, Honest, Verdict};
#[doc(hidden)]
pub use export::{Behaving, Calls, Component};
pub use offermatch_core as model;
pub use offermatch_core::{
    Assignments, Changes, Explanations, OfferTable, Plan, RunningTable, Settings, Shape, TaskTable,
};
#[doc(hidden)]
pub use offermatch_kit as kit;
pub use offermatch_kit::bindings::exports::offermatch::matcher::matching::{
    ColumnLength, Description, Error, Mode, Rule,
};
pub use rules::{Ruled, Rules};
