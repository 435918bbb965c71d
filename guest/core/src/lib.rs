//! Matches tasks to resource offers.
//!
//! The rules are those of `docs/semantics.md`. Data passes through the modules in this order: `table` (columns come in and
//! are checked), `ledger` (what the pool holds), `feasible` (which offers can take a task), `policy` (how they are ranked;
//! `best_fit` is the one of the reference), `reference` (the plain loop that says what is right), `pool` (the state from one
//! cycle to the next), `explain` (why a task finds no offer).
//!
//! ```
//! use offermatch_core::{BestFit, OfferTable, Pool, Settings, Shape, TaskTable};
//!
//! let shape = Shape { dimensions: 1, ..Shape::default() };
//! let offers = OfferTable { rows: 2, available: vec![4000, 2000], ..OfferTable::default() };
//! let tasks = TaskTable { rows: 1, demand: vec![1000], ..TaskTable::default() };
//! let mut pool = Pool::open(BestFit, shape, &offers, &Settings::default())?;
//! let assignments = pool.assign(&tasks)?;
//! assert_eq!(assignments.offers, [1]);
//! assert_eq!(assignments.scores, [0.25]);
//! # Ok::<(), offermatch_core::Error>(())
//! ```
#![no_std]

extern crate alloc;

mod best_fit;
mod columns;
mod devices;
mod error;
mod explain;
mod feasible;
mod first_failures;
mod groups;
mod index;
mod learner;
mod ledger;
mod members;
mod method;
mod mode;
mod outlook;
mod placing;
mod policy;
mod pool;
mod preemption;
mod reference;
mod scores;
mod settings;
mod table;
mod trial;

pub use best_fit::BestFit;
pub use columns::{MAX_ROWS, Shape};
pub use devices::{ChangingDevices, Devices, WHOLE};
pub use error::{Cell, Error};
pub use explain::Explanations;
pub use first_failures::FirstFailures;
pub use groups::GroupTable;
pub use method::Method;
pub use mode::Mode;
pub use outlook::{Allowed, Model, Outlook, TypicalTask};
pub use policy::{Bound, Demand, Leftover, Line, Parameter, Policy, Ranking, State};
pub use pool::{Assignments, Pool, Prepared};
pub use preemption::{Plan, RunningTable};
pub use settings::Settings;
pub use table::{Changes, Kind, OfferTable, TaskTable, Workload};
