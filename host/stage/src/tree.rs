//! Directories, and the queue that all workers take from.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, mkdirat, openat, statat};
use rustix::io::Errno;

use super::error::StageError;

/// How files of a directory come by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// In a hidden tree that this stage made: at once, as nobody looks.
    Fresh,
    /// In a hidden tree that a broken copy left: likewise; the time of modification tells which are whole.
    Hidden,
    /// In a tree that is there: a temporary name first.
    Visible,
}

/// A directory on its way.
#[derive(Debug)]
pub(super) struct Directory {
    /// The directory around it, within the same source.
    pub(super) parent: Option<Arc<Directory>>,
    /// Which source it belongs to.
    pub(super) item: usize,
    /// Where files come from.
    pub(super) source: OwnedFd,
    pub(super) target: OwnedFd,
    /// The path of the source.
    pub(super) source_path: PathBuf,
    /// The path of the target, hidden or not.
    pub(super) target_path: PathBuf,
    /// The device of the target.
    pub(super) device: u64,
    /// How files come by their names.
    pub(super) style: Style,
    /// What it is in the source; nothing if it only holds a file.
    pub(super) stat: Option<Stat>,
    /// The name in the source of the file it holds, where that differs.
    pub(super) renamed: Option<OsString>,
    /// What to do once it is whole, at the root of a tree.
    pub(super) landing: Option<Landing>,
    /// Jobs in it that are not finished.
    pub(super) pending: AtomicUsize,
}

impl Directory {
    /// The path a name has at the target.
    pub(super) fn target_of(&self, name: &OsStr) -> PathBuf {
        self.target_path.join(name)
    }

    /// The name that a name at the target has in the source.
    pub(super) fn source_name<'a>(&'a self, name: &'a OsString) -> &'a OsString {
        self.renamed.as_ref().unwrap_or(name)
    }

    /// A job in this directory begins.
    pub(super) fn begin(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// A job in this directory is through. Whether it was the last.
    pub(super) fn end(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// Whether this is, or is in, the directory with this number.
    pub(super) fn is_within(&self, stat: &Stat) -> bool {
        let mut here = Some(self);
        while let Some(directory) = here {
            if directory.stat.as_ref().is_some_and(|own| (own.st_dev, own.st_ino) == (stat.st_dev, stat.st_ino)) {
                return true;
            }
            here = directory.parent.as_deref();
        }
        false
    }

    /// Opens a directory within this one and makes it at the target.
    pub(super) fn descend(self: &Arc<Self>, name: &OsStr, follow: bool) -> Result<Self, StageError> {
        let (source_path, target_path) = (self.source_path.join(name), self.target_of(name));
        let of_source = |error: Errno| StageError::of_source("read", &source_path, error);
        let source = openat(&self.source, name, directory_flags(follow), Mode::empty()).map_err(of_source)?;
        let stat = rustix::fs::fstat(&source).map_err(of_source)?;
        if follow && self.is_within(&stat) {
            return Err(StageError::SourceUnsupported {
                path: source_path,
                kind: "symbolic link to a directory around it",
            });
        }
        let (target, made) = make(&self.target, name, &target_path)?;
        let style = match self.style {
            Style::Hidden if made => Style::Fresh,
            style => style,
        };
        Ok(Self {
            parent: Some(Arc::clone(self)),
            item: self.item,
            source,
            target,
            source_path,
            target_path,
            device: self.device,
            style,
            stat: Some(stat),
            renamed: None,
            landing: None,
            pending: AtomicUsize::new(1),
        })
    }

    /// What is in the source, in the order of the device.
    pub(super) fn list(&self, follow: bool) -> Result<Vec<Found>, StageError> {
        let failed = |error: Errno| StageError::of_source("read", &self.source_path, error);
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.source).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown || (kind == FileType::Symlink && follow) {
                let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
                let stat = statat(&self.source, name, flags);
                let stat = stat.map_err(|error| StageError::of_source("read", &self.source_path.join(name), error))?;
                kind = FileType::from_raw_mode(stat.st_mode);
            }
            entries.push((entry.ino(), Found { kind, name: name.to_owned() }));
        }
        entries.sort_unstable_by_key(|(inode, _)| *inode);
        Ok(entries.into_iter().map(|(_, found)| found).collect())
    }
}

/// How a hidden tree becomes visible.
#[derive(Debug)]
pub(super) struct Landing {
    /// The directory it stands in.
    pub(super) parent: OwnedFd,
    /// Its name for now.
    pub(super) hidden: OsString,
    pub(super) name: OsString,
    pub(super) path: PathBuf,
}

/// An entry of a source directory.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: FileType,
    pub(super) name: OsString,
}

/// The flags that open a directory.
pub(super) fn directory_flags(follow: bool) -> OFlags {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    if follow { flags } else { flags | OFlags::NOFOLLOW }
}

/// Makes and opens a directory, and says whether it was not there.
pub(super) fn make(parent: &OwnedFd, name: &OsStr, path: &std::path::Path) -> Result<(OwnedFd, bool), StageError> {
    let failed = |error: Errno| StageError::of_target("create", path, error);
    let made = match mkdirat(parent, name, Mode::RWXU) {
        Ok(()) => true,
        Err(Errno::EXIST) => false,
        Err(error) => return Err(failed(error)),
    };
    match openat(parent, name, directory_flags(false), Mode::empty()) {
        Ok(target) => {
            let stat = rustix::fs::fstat(&target).map_err(failed)?;
            let own = Mode::RWXU;
            if !made && !super::metadata::mode(&stat).contains(own) {
                // Closed by a stage before; opened again until this one is through.
                let _ = rustix::fs::fchmod(&target, super::metadata::mode(&stat) | own);
            }
            Ok((target, made))
        }
        Err(Errno::NOTDIR | Errno::LOOP) => {
            Err(StageError::TargetConflict { path: path.to_owned(), found: "not a directory", wanted: "a directory" })
        }
        Err(error) => Err(failed(error)),
    }
}

/// What something that is no file is called.
pub(super) fn kind_name(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "directory",
        FileType::Symlink => "symbolic link",
        FileType::Fifo => "pipe",
        FileType::Socket => "socket",
        FileType::BlockDevice | FileType::CharacterDevice => "device",
        _ => "thing of an unknown kind",
    }
}

/// What a worker does next.
#[derive(Debug)]
pub(super) enum Job {
    /// Look into the directory of this name.
    Enter(Arc<Directory>, OsString),
    /// Look into this directory.
    Scan(Arc<Directory>),
    /// Copy what has these names.
    Copy(Arc<Directory>, Vec<Found>),
}

impl Job {
    /// The directory that waits for this job.
    pub(super) fn directory(&self) -> &Arc<Directory> {
        match self {
            Self::Enter(directory, _) | Self::Scan(directory) | Self::Copy(directory, _) => directory,
        }
    }
}

/// Jobs for all workers. The newest goes first, so that few directories are open at once.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// Wakes those who wait for a job.
    wake: Condvar,
    /// Wakes those who wait for the end.
    over: Condvar,
    idle: AtomicUsize,
}

/// What the lock of a queue protects.
#[derive(Debug)]
struct State {
    /// What is to be done.
    jobs: VecDeque<Job>,
    /// Workers that may add jobs.
    busy: usize,
    /// Whether nothing more is to be done.
    closed: bool,
}

impl Queue {
    /// A queue for so many workers.
    pub(super) fn new(jobs: VecDeque<Job>, workers: usize) -> Self {
        let state = Mutex::new(State { jobs, busy: workers, closed: false });
        Self { state, wake: Condvar::new(), over: Condvar::new(), idle: AtomicUsize::new(0) }
    }

    /// Whether somebody waits for work.
    pub(super) fn is_hungry(&self) -> bool {
        self.idle.load(Ordering::Relaxed) > 0
    }

    /// Waits at most so long for the end of all work. Whether it has come.
    pub(super) fn is_closed_within(&self, longest: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.over.wait_timeout_while(state, longest, |state| !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Adds a job.
    pub(super) fn push(&self, job: Job) {
        job.directory().begin();
        self.state.lock().unwrap_or_else(PoisonError::into_inner).jobs.push_back(job);
        self.wake.notify_one();
    }

    /// The next job; none once all workers wait or the queue is closed.
    pub(super) fn pop(&self) -> Option<Job> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.busy -= 1;
        self.idle.fetch_add(1, Ordering::Relaxed);
        loop {
            if state.closed || (state.busy == 0 && state.jobs.is_empty()) {
                self.shut(&mut state);
                return None;
            }
            if let Some(job) = state.jobs.pop_back() {
                state.busy += 1;
                self.idle.fetch_sub(1, Ordering::Relaxed);
                return Some(job);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends all work.
    pub(super) fn close(&self) {
        self.shut(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Tells all who wait that nothing more is to be done.
    fn shut(&self, state: &mut State) {
        state.closed = true;
        self.wake.notify_all();
        self.over.notify_all();
    }
}
