//! What a stage shows while it runs, and how it is stopped.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A look at a running stage from other threads. Clones look at the same stage.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Shared>);

/// What all clones share.
#[derive(Debug, Default)]
struct Shared {
    /// Whether somebody asked for the end.
    cancelled: Arc<AtomicBool>,
    files_found: AtomicU64,
    /// Files that are whole.
    files_done: AtomicU64,
    /// Of those, the ones that were there already.
    files_skipped: AtomicU64,
    bytes_found: AtomicU64,
    /// Bytes written, or there already.
    bytes_done: AtomicU64,
    /// Of those, the ones that were there already.
    bytes_skipped: AtomicU64,
    /// What is worth knowing and no error.
    notices: Mutex<Vec<Notice>>,
}

/// How far a stage is. While the tree is walked, what was found still grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Files found, symbolic and hard links among them.
    pub files_found: u64,
    /// Files that are whole at the target.
    pub files_done: u64,
    /// Of those, the ones that were there already.
    pub files_skipped: u64,
    /// Bytes of the files found.
    pub bytes_found: u64,
    /// Bytes at the target.
    pub bytes_done: u64,
    /// Of those, the ones that were there already.
    pub bytes_skipped: u64,
}

/// Something worth knowing that is no error, such as an engine that does not work and what stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// A stable name: `engine-chosen`, `engine-fallback`, `direct-fallback`, `xattr-dropped`, `resumed`, `started-over`.
    pub code: &'static str,
    /// What happened and why.
    pub message: String,
}

impl Watch {
    /// Asks the stage to end; it does once the blocks under way are through.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// The flag behind [`Watch::cancel`], for a signal handler to set.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.cancelled)
    }

    /// Whether the stage was asked to end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// How far the stage is.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            files_found: read(&self.0.files_found),
            files_done: read(&self.0.files_done),
            files_skipped: read(&self.0.files_skipped),
            bytes_found: read(&self.0.bytes_found),
            bytes_done: read(&self.0.bytes_done),
            bytes_skipped: read(&self.0.bytes_skipped),
        }
    }

    /// The notices since the last call, oldest first.
    #[must_use]
    pub fn take_notices(&self) -> Vec<Notice> {
        std::mem::take(&mut *self.0.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a notice, once: many files give the same.
    pub(super) fn notice(&self, code: &'static str, message: String) {
        tracing::info!(code, message);
        let mut notices = self.0.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.iter().all(|notice| notice.code != code || notice.message != message) {
            notices.push(Notice { code, message });
        }
    }

    /// A file was found.
    pub(super) fn found(&self, bytes: u64) {
        self.0.files_found.fetch_add(1, Ordering::Relaxed);
        self.0.bytes_found.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes were written.
    pub(super) fn wrote(&self, bytes: u64) {
        self.0.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes need not be written: a hole, or there from the time before.
    pub(super) fn spared(&self, bytes: u64) {
        self.0.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        self.0.bytes_skipped.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A file is whole.
    pub(super) fn done(&self) {
        self.0.files_done.fetch_add(1, Ordering::Relaxed);
    }

    /// A file was there already.
    pub(super) fn skipped(&self, bytes: u64) {
        self.0.files_skipped.fetch_add(1, Ordering::Relaxed);
        self.spared(bytes);
        self.done();
    }
}
