//! What all workers of a stage share.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::checksum::Digest;
use super::error::StageError;
use super::limit::Bandwidth;
use super::links::Links;
use super::options::{Engine, Options};
use super::transfer::Control;
use super::tree::Queue;
use super::watch::Watch;

/// What all workers share.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) control: Control,
    /// Names of one file.
    pub(super) links: Links,
    /// How data was moved.
    pub(super) used: Mutex<BTreeSet<(&'static str, bool)>>,
    pub(super) error: Mutex<Option<StageError>>,
    /// The digests of sources that are files.
    pub(super) digests: Mutex<Vec<Option<Digest>>>,
    /// Whether sources are opened without a new time of access, which the system lets their owners do.
    pub(super) untouched: AtomicBool,
    /// Bytes of the files that pass the page cache by.
    pub(super) direct: AtomicU64,
    /// Memory the page cache could take when the stage began, in bytes.
    memory: u64,
}

impl Shared {
    /// At the begin of a stage of so many sources.
    pub(super) fn new(options: &Options, watch: &Watch, sources: usize) -> Self {
        Self {
            options: options.clone(),
            control: Control {
                watch: watch.clone(),
                bandwidth: options.bandwidth.map(Bandwidth::new),
                failed: AtomicBool::new(false),
            },
            links: Links::default(),
            used: Mutex::default(),
            error: Mutex::default(),
            digests: Mutex::new(vec![None; sources]),
            untouched: AtomicBool::new(true),
            direct: AtomicU64::new(0),
            memory: available_memory(),
        }
    }

    /// An engine moved a file.
    pub(super) fn used(&self, engine: Engine, direct: bool) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert((engine.name(), direct));
    }

    /// Whether a file of this size, with all before it, would fill half of the memory that is left.
    pub(super) fn crowds_memory(&self, size: u64) -> bool {
        self.control.watch.counts().bytes_done.saturating_add(size) > self.memory / 2
    }

    /// The error of a stage that was asked to end.
    pub(super) fn cancelled(&self) -> StageError {
        let counts = self.control.watch.counts();
        StageError::Cancelled { files: counts.files_done, bytes: counts.bytes_done }
    }

    /// Ends the stage with an error, unless it has one.
    pub(super) fn fail(&self, error: StageError, queue: &Queue) {
        // A worker that is told to stop because another failed has nothing to tell.
        let told = matches!(error, StageError::Cancelled { .. }) && !self.control.watch.is_cancelled();
        if !told {
            self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        self.control.failed.store(true, Ordering::Relaxed);
        queue.close();
    }
}

/// Memory the page cache could take, in bytes; without bound where the system does not say.
fn available_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kibibytes = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kibibytes.map_or(u64::MAX, |kibibytes| kibibytes.saturating_mul(1024))
}
