//! Following a manifest: when it changes, what it asks for is done.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Slot;
use super::manifest::Manifest;
use crate::error::Error;
use crate::reading::{self, MOST_OF_A_DOCUMENT};
use crate::wasm::elsewhere;

/// A thread that follows a manifest for as long as this is kept.
///
/// ```
/// use std::time::Duration;
///
/// use offermatch::{Matcher, Slot};
///
/// let slot = Slot::new(Matcher::bundled("best-fit")?);
/// let folder = tempfile::tempdir().expect("there is room");
/// let watch = slot.watch(folder.path(), Duration::from_millis(500))?; // follows manifest.json in it
/// drop(watch); // and does so no more
/// # Ok::<(), offermatch::Error>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    /// Dropped to stop the thread.
    stop: Option<Sender<()>>,
    /// Set to have the candidate given up that is being compiled.
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Slot {
    /// Follows a manifest, or the file `manifest.json` of a directory: looks at it every `poll`, 500 ms where nothing
    /// better is known, and swaps when its content has changed. What is refused stands in the history and is tried again
    /// when it changes. A manifest that is not there is waited for, and that is a warning in the log.
    ///
    /// # Errors
    /// [`Error::InstanceUnavailable`] when there is no thread to be had.
    pub fn watch(&self, path: impl AsRef<Path>, poll: Duration) -> Result<Watch, Error> {
        let (stop, told) = channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = stopped.clone();
        let (slot, path) = (self.clone(), path.as_ref().to_owned());
        let run = move || {
            let mut seen = Seen::default();
            loop {
                elsewhere::unless_stopped(&flag, || look(&slot, &path, &mut seen));
                match told.recv_timeout(poll) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("offermatch-watch".to_owned()).spawn(run).map_err(|error| {
            Error::InstanceUnavailable { matcher: self.current().name(), reason: error.to_string() }
        })?;
        Ok(Watch { stop: Some(stop), stopped, thread: Some(thread) })
    }
}

/// When a file was last changed, its length, and its inode where there are such: of two files from an archive or a
/// reproducible build the first is mostly the same.
type Age = (std::time::SystemTime, u64, Option<u64>);

/// What tells a file from another at its place.
fn age(file: &Metadata) -> Option<Age> {
    #[cfg(unix)]
    let inode = Some(std::os::unix::fs::MetadataExt::ino(file));
    #[cfg(not(unix))]
    let inode = None;
    Some((file.modified().ok()?, file.len(), inode))
}

/// What the last look at a manifest saw.
#[derive(Default)]
struct Seen {
    /// Its bytes, and what tells the component that it names from another at its place.
    state: Option<(Vec<u8>, Option<Age>)>,
    /// Whether it could not be read, which is said once.
    is_missing: bool,
}

/// Looks at a manifest once.
fn look(slot: &Slot, path: &Path, seen: &mut Seen) {
    let file: PathBuf = Manifest::file(path);
    let bytes = match reading::read_up_to(&file, MOST_OF_A_DOCUMENT) {
        Ok((bytes, _)) => bytes,
        Err(error) => {
            if !std::mem::replace(&mut seen.is_missing, true) {
                tracing::warn!(file = %file.display(), %error, "slot: the manifest cannot be read (yet)");
            }
            return;
        }
    };
    seen.is_missing = false;
    let manifest = Manifest::of_bytes(&bytes, &file);
    let component = manifest.as_ref().ok().and_then(|manifest| std::fs::metadata(&manifest.path).ok());
    let now = (bytes, component.and_then(|component| age(&component)));
    if seen.state.as_ref() == Some(&now) {
        return;
    }
    seen.state = Some(now);
    // A refusal is in the history and in the log.
    let _ = manifest.map_err(|error| slot.refuse(&file.display().to_string(), error)).and_then(|m| slot.follow(&m));
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }
}
