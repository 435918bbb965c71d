//! What misbehaving matchers share: an honest matcher, of which each overrides what it does wrong.
//!
//! One behaviour is one example of this crate (`examples/`), a component on its own. Those whose names begin with `wasi-`
//! are built with the standard library, for `wasm32-wasip2`; the others without, for `wasm32-unknown-unknown`.
//! `guest/build.sh hostile` builds them all.
//!
//! Those whose names begin with `wrong-` are [`Rules`] that are wrong in one thing, one for each group of conformance cases.
#![cfg_attr(all(target_arch = "wasm32", target_os = "unknown"), no_std)]

extern crate alloc;

mod behaviour;
#[doc(hidden)]
pub mod bindings;
mod conversion;
mod export;
mod rules;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod runtime;

pub use behaviour::{Behaviour, Honest, Verdict};
pub use bindings::exports::offermatch::matcher::matching::{
    Assignments, Changes, Description, Error, Explanations, Mode, OfferTable, Settings, Shape, TaskTable,
};
#[doc(hidden)]
pub use export::Component;
pub use offermatch_core as model;
#[doc(hidden)]
pub use rules::Ruled;
pub use rules::Rules;
