//! Stages data: copies files and trees to where a task will run, safely and at the speed of the device.
//!
//! ```text
//! Request ──> destinations ──> tree walk ──> queue ──> workers ──> one file: temporary name, data, checks, metadata, rename
//!                                                        │
//!                                                        └─ data by an engine: blocking, tokio, copy_file_range, io_uring
//! ```
//!
//! Nothing unfinished ever has its final name. A new tree grows under a temporary name beside its place and is renamed
//! when it is whole; in a tree that is already there every file is. What a broken copy leaves behind is used by the next.
//!
//! ```
//! use offermatch_stage::{Options, Request, Watch, stage};
//!
//! # let place = tempfile::tempdir()?;
//! let source = place.path().join("input.bin");
//! std::fs::write(&source, b"data")?;
//! let request = Request { sources: vec![source], target: place.path().join("staged"), exact: false };
//! let outcome = stage(&request, &Options::default(), &Watch::default())?;
//! assert_eq!(outcome.counts.bytes_done, 4);
//! assert_eq!(std::fs::read(place.path().join("staged/input.bin"))?, b"data");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg(unix)]
#![deny(missing_docs)]

mod asynchronous;
mod begun;
mod blocking;
mod buffer;
mod checksum;
mod destination;
mod engine;
mod error;
mod extents;
mod file;
mod journal;
mod kernel;
mod limit;
mod links;
mod metadata;
mod options;
mod passage;
#[cfg(target_os = "linux")]
mod ring;
mod run;
mod shared;
mod storage;
mod transfer;
mod tree;
mod watch;

pub use checksum::{Digest, digest_of};
pub use error::StageError;
pub use options::{Direct, Engine, Keep, Options, Request, Sync};
pub use run::{Item, Outcome, stage};
pub use watch::{Counts, Notice, Watch};
