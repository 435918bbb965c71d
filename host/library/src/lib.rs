//! Hosts offermatch matchers: loads a WebAssembly component, matches tasks to resource offers, verifies every answer.
//!
//! ```text
//! Task, Offer ──(Catalog)──> Tasks, Offers ──> Matcher::open ──> Pool::assign ──> verified Assignments
//!   rows                       columns          component            │
//!                                                                    └─> Update, Explanations
//! ```
//!
//! A [`Matcher`] is one version of a component, compiled once and shared by threads. A [`Pool`] is the offers it holds from
//! one cycle to the next. The component is trusted with nothing: it imports nothing but a way to tell of its work, and every answer is checked against
//! the host's own tables before it is returned.
//!
//! ```
//! use offermatch::{Catalog, Format, Matcher, Mode, Offers, Settings, Tasks, parse_offers, parse_tasks};
//!
//! let offer_rows = parse_offers(r#"[{"name": "a", "available": {"cpu": 4}}]"#, Format::Json, "offers")?;
//! let task_rows = parse_tasks("name,demand.cpu\nfirst,3\nsecond,2\n", Format::Csv, "tasks")?;
//! let catalog = Catalog::of(&offer_rows, &task_rows);
//! let offers = Offers::new(&offer_rows, &catalog)?;
//! let tasks = Tasks::new(&task_rows, &catalog)?;
//!
//! let settings = Settings { mode: Mode::Shared, ..Settings::default() };
//! let mut pool = Matcher::bundled("best-fit")?.open(&offers, &settings)?;
//! let answer = pool.assign(&tasks)?;
//! assert_eq!(answer.assignments.tasks, [0]);
//!
//! let explanations = pool.explain(&tasks)?;
//! let second = explanations.iter().nth(1).expect("one explanation for each task");
//! assert_eq!((second.by_dimension[0].0, second.by_dimension[0].1.fails), ("cpu", 1));
//! # Ok::<(), offermatch::Error>(())
//! ```
#![deny(missing_docs)]

#[cfg(feature = "tokio")]
pub mod asynchronous;
mod conformance;
mod digest;
mod error;
mod fallback;
mod limit;
mod limits;
mod meter;
mod number;
mod pack;
mod pool;
mod read;
mod reading;
mod recording;
mod registry;
mod remedy;
mod sample;
mod slot;
mod table;
mod trust;
mod visible;
mod wasm;
mod worker;
mod writing;

pub use conformance::{
    CaseGroup, Failure, Finding, GroupReport, Level, Report, SkippedCase, Skips, Suite, SuiteReport, Trial, Verdict,
};
pub use error::{Error, Overrun, Place};
pub use fallback::{Breaker, FallbackMatcher};
pub use limit::{Exceeded, Limit};
pub use limits::Limits;
pub use number::shown_number;
pub use offermatch_core::{
    Assignments, Changes, Devices, GroupTable, Mode, OfferTable, Plan, RunningTable, Settings as SettingColumns, Shape,
    TaskTable, Workload,
};
pub use pack::{Kind, Packing, Problem};
pub use pool::answer::{
    Answer, Check, Explanation, Explanations, FallbackReason, Members, Timings, answer_digest, unplaced,
};
pub use pool::counts::{ChecksFailed, Counts, FirstFailures};
pub use pool::description::{Description, Parameter};
pub use pool::ledger::Ledger;
pub use pool::matcher::{DEFAULT_POLICY, Matcher};
pub use pool::matching::{Matching, traced};
pub use pool::remedies::Missing;
pub use pool::session::Session;
pub use pool::{Pool, Update};
pub use read::{Format, Reader, parse_offers, parse_tasks, read_offers, read_tasks};
pub use recording::{Change, Difference, RecordedMatcher, Recorder, Recording, Replay, Rotation, Step};
pub use sample::{Sample, SampleKind};
pub use slot::{Event, EventKind, Manifest, ShadowReport, Slot, WantedLevel, Watch};
pub use table::bad::{BadRow, Rows};
pub use table::bound::Bound;
pub use table::catalog::Catalog;
pub use table::offers::Offers;
pub use table::partition::Partition;
pub use table::quantity::{QuantityError, QuantityErrorKind, Unit, Units, parse_quantity};
pub use table::rows::{DEVICES, Group, OFFER, Offer, Preference, Requirement, Task};
pub use table::rule::Rule;
pub use table::settings::{PoolSettings, Settings};
pub use table::tasks::Tasks;
pub use trust::{SignatureRefusal, Trust};
pub use visible::{visible, visible_name};
pub use wasm::cache::Cache;
pub use wasm::contract::CONTRACT;
pub use wasm::inspection::Inspection;
pub use worker::compile_elsewhere;
