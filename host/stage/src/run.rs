//! A stage from its request to its outcome.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FileType, Stat, renameat};

use super::checksum::Digest;
use super::destination::destinations;
use super::engine::Engines;
use super::error::StageError;
use super::file::SMALL;
use super::journal::{self, journal};
use super::links;
use super::metadata;
use super::options::{Engine, Options, Request, Sync};
use super::passage::Passage;
use super::shared::Shared;
use super::storage::read_ahead;
use super::tree::{Directory, Found, Job, Landing, Queue, kind_name};
use super::watch::{Counts, Watch};

/// What was staged.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// One for each source.
    pub items: Vec<Item>,
    /// Files and bytes.
    pub counts: Counts,
    /// How data was moved, such as `io-uring, direct`.
    pub engines: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

/// A source and its copy.
#[derive(Debug, Clone)]
pub struct Item {
    /// The source without symbolic links.
    pub source: PathBuf,
    /// The copy.
    pub target: PathBuf,
    /// The digest of a file, where one was taken.
    pub digest: Option<Digest>,
}

/// Stages files and trees.
///
/// # Errors
///
/// What [`StageError`] lists. Files that are whole by then stay, as does what the next call with the same request needs
/// to go on; nothing unfinished has its final name, and no source is changed.
pub fn stage(request: &Request, options: &Options, watch: &Watch) -> Result<Outcome, StageError> {
    let begin = Instant::now();
    let ring = Engine::IoUring.probe();
    match (options.engine, &ring) {
        (Some(engine), _) => engine.probe()?,
        (None, Err(error)) => watch.notice("engine-fallback", format!("{error}: blocking stands in")),
        (None, Ok(())) => {}
    }
    let places = destinations(request, options)?;
    let shared = Shared::new(options, watch, places.len());
    let jobs: Result<VecDeque<Job>, StageError> =
        places.iter().enumerate().map(|(item, place)| place.begin(item, options, watch)).collect();
    let jobs = jobs?;
    let roots: Vec<Arc<Directory>> = jobs.iter().map(|job| Arc::clone(job.directory())).collect();
    let workers = options.jobs.max(1);
    let queue = Queue::new(jobs, workers);
    thread::scope(|scope| {
        if options.sync == Sync::End {
            scope.spawn(|| flush_along(&shared, &queue, &roots));
        }
        for _ in 0..workers {
            scope.spawn(|| work(&shared, &queue, ring.is_ok()));
        }
    });
    finish_links(&shared, &queue);
    if options.sync != Sync::Never && !shared.control.is_over() {
        for root in &roots {
            if let Err(error) = synchronise(root) {
                shared.fail(error, &queue);
            }
        }
    }
    if let Some(error) = shared.error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let digests = shared.digests.into_inner().unwrap_or_else(PoisonError::into_inner);
    let items = places.into_iter().zip(digests);
    let used = shared.used.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Outcome {
        items: items.map(|(place, digest)| Item { target: place.path(), source: place.source, digest }).collect(),
        counts: watch.counts(),
        engines: used.iter().map(|(name, direct)| format!("{name}{}", if *direct { ", direct" } else { "" })).collect(),
        elapsed: begin.elapsed(),
    })
}

/// What one worker does until nothing is left.
fn work(shared: &Shared, queue: &Queue, ring_works: bool) {
    let mut engines = Engines::new(&shared.options, ring_works);
    while let Some(job) = queue.pop() {
        let done = match job {
            Job::Enter(parent, name) => {
                let entered = parent.descend(&name, !shared.options.keep.symlinks);
                entered.and_then(|directory| scan(shared, queue, &mut engines, &Arc::new(directory)))
            }
            Job::Scan(directory) => scan(shared, queue, &mut engines, &directory),
            Job::Copy(directory, found) => copy_all(shared, queue, &mut engines, &directory, found),
        };
        if let Err(error) = done {
            shared.fail(error, queue);
        }
    }
}

/// How many bytes are written before the device is to have them.
const FLUSHED: u64 = 64 << 20;

/// About the bytes of a name, in the page cache.
const NAME: u64 = 4096;

/// Has the device take what is in the page cache while more is copied, so that little is left to wait for at the end.
fn flush_along(shared: &Shared, queue: &Queue, roots: &[Arc<Directory>]) {
    let mut flushed = 0;
    while !queue.is_closed_within(Duration::from_millis(10)) {
        let Counts { files_done, files_skipped, bytes_done, bytes_skipped, .. } = shared.control.watch.counts();
        let past = bytes_skipped + shared.direct.load(Ordering::Relaxed);
        let written = bytes_done.saturating_sub(past) + files_done.saturating_sub(files_skipped) * NAME;
        if written >= flushed + FLUSHED {
            flushed = written;
            // The system tells of a block that the device did not take once, to the first who asks.
            if let Err(error) = roots.first().map_or(Ok(()), |root| synchronise(root)) {
                return shared.fail(error, queue);
            }
        }
    }
}

/// Looks into a directory, leaves its subdirectories to the queue and copies its files.
fn scan(shared: &Shared, queue: &Queue, engines: &mut Engines, directory: &Arc<Directory>) -> Result<(), StageError> {
    let found = directory.list(!shared.options.keep.symlinks)?;
    let (inner, files): (Vec<Found>, Vec<Found>) =
        found.into_iter().partition(|found| found.kind == FileType::Directory);
    for found in inner {
        queue.push(Job::Enter(Arc::clone(directory), found.name));
    }
    copy_all(shared, queue, engines, directory, files)
}

/// Small files that are open at once, so that the device reads ahead while the first of them are copied.
const AHEAD: usize = 16;

/// Copies files of a directory, and gives half of them away when others wait for work.
fn copy_all(
    shared: &Shared,
    queue: &Queue,
    engines: &mut Engines,
    directory: &Arc<Directory>,
    mut files: Vec<Found>,
) -> Result<(), StageError> {
    while !files.is_empty() {
        for opened in open_some(shared, directory, &mut files)? {
            if shared.control.is_over() {
                return Err(shared.cancelled());
            }
            if !files.is_empty() && queue.is_hungry() {
                let half = files.split_off(files.len() / 2);
                queue.push(Job::Copy(Arc::clone(directory), half));
            }
            copy_one(shared, engines, directory, &opened)?;
        }
    }
    finish(shared, directory)
}

/// A file whose source is open.
struct Opened {
    name: OsString,
    source: File,
    /// What the source is.
    stat: Stat,
}

/// Opens the next files, up to the first that is not small, and makes the symbolic links between them.
fn open_some(shared: &Shared, directory: &Arc<Directory>, files: &mut Vec<Found>) -> Result<Vec<Opened>, StageError> {
    let mut opened = Vec::with_capacity(files.len().min(AHEAD));
    while opened.len() < AHEAD
        && let Some(Found { kind, name }) = files.pop()
    {
        match kind {
            FileType::RegularFile => {
                let (source, stat) = Passage { shared, directory, name: &name }.open()?;
                let small = metadata::size(&stat) <= SMALL;
                opened.push(Opened { name, source, stat });
                if !small {
                    break;
                }
            }
            FileType::Symlink => {
                shared.control.watch.found(0);
                if links::symbolic(directory, &name, shared.options.keep)? {
                    shared.control.watch.done();
                } else {
                    shared.control.watch.skipped(0);
                }
            }
            kind => {
                let path = directory.source_path.join(directory.source_name(&name));
                return Err(StageError::SourceUnsupported { path, kind: kind_name(kind) });
            }
        }
    }
    // One file is read at once anyway.
    if opened.len() > 1 {
        opened.iter().for_each(|file| read_ahead(&file.source, 0..metadata::size(&file.stat).min(SMALL)));
    }
    Ok(opened)
}

/// Copies a file that is open.
fn copy_one(
    shared: &Shared,
    engines: &mut Engines,
    directory: &Arc<Directory>,
    Opened { name, source, stat }: &Opened,
) -> Result<(), StageError> {
    if stat.st_nlink > 1 && shared.options.keep.hard_links && !shared.links.is_first(directory, name, stat) {
        shared.control.watch.found(0);
        return Ok(());
    }
    shared.control.watch.found(metadata::size(stat));
    let digest = Passage { shared, directory, name }.copy(engines, source, stat)?;
    if directory.stat.is_none() {
        shared.digests.lock().unwrap_or_else(PoisonError::into_inner)[directory.item] = digest;
    }
    Ok(())
}

/// Makes the names that were kept for later.
fn finish_links(shared: &Shared, queue: &Queue) {
    for later in shared.links.take() {
        if shared.control.is_over() {
            return;
        }
        let done = later.link().and_then(|made| {
            if made {
                shared.control.watch.done();
            } else {
                shared.control.watch.skipped(0);
            }
            finish(shared, &later.directory)
        });
        if let Err(error) = done {
            shared.fail(error, queue);
        }
    }
}

/// A job in a directory is through: the last one gives the directory its metadata, and its name to the root of a tree.
fn finish(shared: &Shared, directory: &Arc<Directory>) -> Result<(), StageError> {
    let mut here = Some(directory);
    while let Some(directory) = here {
        if !directory.end() {
            return Ok(());
        }
        let Some(stat) = &directory.stat else { return Ok(()) };
        let place = (directory.target_path.as_path(), &shared.control.watch);
        let keep = shared.options.keep;
        metadata::apply(&directory.source, stat, &directory.target, keep, false, place)?;
        if !keep.permissions {
            open_to_others(directory)?;
        }
        if let Some(landing) = &directory.landing {
            land(shared, directory, landing)?;
        }
        here = directory.parent.as_ref();
    }
    Ok(())
}

/// Gives a directory, private until now, the permissions a new one has.
fn open_to_others(directory: &Directory) -> Result<(), StageError> {
    let mode = metadata::mode_of_new_directory();
    let changed = rustix::fs::fchmod(&directory.target, mode);
    changed.map_err(|error| StageError::of_target("set permissions of", &directory.target_path, error))
}

/// Gives a hidden tree its final name.
fn land(shared: &Shared, directory: &Directory, landing: &Landing) -> Result<(), StageError> {
    if shared.options.sync != Sync::Never {
        synchronise(directory)?;
    }
    renameat(&landing.parent, &landing.hidden, &landing.parent, &landing.name).map_err(|error| match error {
        rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY | rustix::io::Errno::NOTDIR => {
            StageError::TargetConflict { path: landing.path.clone(), found: "there by now", wanted: "missing" }
        }
        error => StageError::of_target("rename", &landing.path, error),
    })?;
    journal::remove(&landing.parent, &journal(&landing.name));
    if shared.options.sync != Sync::Never {
        let synced = rustix::fs::fsync(&landing.parent);
        synced.map_err(|error| StageError::of_target("synchronise", &landing.path, error))?;
    }
    Ok(())
}

/// Waits until everything on the file system of a target has reached the device.
fn synchronise(directory: &Directory) -> Result<(), StageError> {
    #[cfg(target_os = "linux")]
    let synced = rustix::fs::syncfs(&directory.target);
    #[cfg(not(target_os = "linux"))]
    let synced = {
        rustix::fs::sync();
        rustix::fs::fsync(&directory.target)
    };
    synced.map_err(|error| StageError::of_target("synchronise", &directory.target_path, error))
}
