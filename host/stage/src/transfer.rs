//! The data of one file on its way, as every engine sees it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::checksum::ContentHash;
use super::limit::Bandwidth;
use super::watch::Watch;

/// The data of one file, and who wants to know about it.
pub(super) struct Transfer<'a> {
    /// Where the data is.
    pub(super) source: &'a File,
    pub(super) target: &'a File,
    /// What to copy, in order, in bytes.
    pub(super) extents: &'a [Range<u64>],
    /// Whether both files are open with `O_DIRECT`: memory, offsets and lengths must be aligned.
    pub(super) direct: bool,
    /// Digests the data as it passes.
    pub(super) hash: Option<&'a mut ContentHash>,
    /// Bytes of one read or write.
    pub(super) block: usize,
    /// Blocks under way at once.
    pub(super) depth: usize,
    pub(super) control: &'a Control,
    /// Is told an offset below which everything is written.
    pub(super) written: &'a mut dyn FnMut(u64) -> Result<(), Failure>,
}

/// Why data did not arrive.
#[derive(Debug)]
pub(super) enum Failure {
    /// The source cannot be read.
    Read(io::Error),
    /// The target cannot be written.
    Write(io::Error),
    /// The source ends here, in bytes, which is too early.
    Short(u64),
    /// Somebody asked for the end.
    Cancelled,
    /// The engine does not work with these files; nothing was written.
    Unsupported(io::Error),
}

/// Limits and listeners of a stage.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) watch: Watch,
    /// The bound on bytes a second.
    pub(super) bandwidth: Option<Bandwidth>,
    /// Whether some worker failed, so that the others may stop.
    pub(super) failed: AtomicBool,
}

impl Control {
    /// Whether to go no further.
    pub(super) fn is_over(&self) -> bool {
        self.watch.is_cancelled() || self.failed.load(Ordering::Relaxed)
    }

    /// Waits until these bytes may be written.
    pub(super) fn admit(&self, bytes: u64) -> Result<(), Failure> {
        let mut wait = self.bandwidth.as_ref().map_or(Duration::ZERO, |limit| limit.claim(bytes));
        loop {
            if self.is_over() {
                return Err(Failure::Cancelled);
            }
            if wait.is_zero() {
                return Ok(());
            }
            let nap = wait.min(Duration::from_millis(50));
            sleep(nap);
            wait -= nap;
        }
    }
}
