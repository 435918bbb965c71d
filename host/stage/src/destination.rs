//! Where each source goes, and the checks before anything is written.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, fstat, openat, statat};
use rustix::io::Errno;

use super::error::StageError;
use super::journal::{Journal, Record, journal, partial};
use super::metadata::Identity;
use super::options::{Options, Request, Sync};
use super::tree::{Directory, Found, Job, Landing, Style, directory_flags, make};
use super::watch::Watch;

/// A source and its place.
#[derive(Debug)]
pub(super) struct Destination {
    /// The source without symbolic links.
    pub(super) source: PathBuf,
    /// The directory that the copy goes into.
    parent: PathBuf,
    /// The name of the copy there.
    name: OsString,
}

impl Destination {
    /// The final path of the copy.
    pub(super) fn path(&self) -> PathBuf {
        self.parent.join(&self.name)
    }

    /// The first job: makes the directories above, and the root of a tree.
    pub(super) fn begin(&self, item: usize, options: &Options, watch: &Watch) -> Result<Job, StageError> {
        let of_target = |error: io::Error| StageError::of_target("create", &self.parent, error);
        let of_source = |error: Errno| StageError::of_source("read", &self.source, error);
        fs::create_dir_all(&self.parent).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => StageError::TargetConflict {
                path: self.parent.clone(),
                found: "not a directory",
                wanted: "a directory",
            },
            _ => of_target(error),
        })?;
        let parent =
            openat(CWD, &self.parent, directory_flags(true), Mode::empty()).map_err(|error| of_target(error.into()))?;
        let source = openat(CWD, &self.source, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty());
        let source = source.map_err(of_source)?;
        let stat = fstat(&source).map_err(of_source)?;
        let device = Identity::from(&fstat(&parent).map_err(|error| of_target(error.into()))?).device;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                let (target, target_path, style, landing) = self.root(parent, options, watch)?;
                Ok(Job::Scan(Arc::new(Directory {
                    parent: None,
                    item,
                    source,
                    target,
                    source_path: self.source.clone(),
                    target_path,
                    device,
                    style,
                    stat: Some(stat),
                    renamed: None,
                    landing,
                    pending: AtomicUsize::new(1),
                })))
            }
            kind => {
                let above = self.source.parent().unwrap_or(Path::new("/"));
                let holder = Directory {
                    parent: None,
                    item,
                    source: openat(CWD, above, directory_flags(true), Mode::empty()).map_err(of_source)?,
                    target: parent,
                    source_path: above.to_owned(),
                    target_path: self.parent.clone(),
                    device,
                    style: Style::Visible,
                    stat: None,
                    renamed: self.source.file_name().map(OsStr::to_owned),
                    landing: None,
                    pending: AtomicUsize::new(1),
                };
                Ok(Job::Copy(Arc::new(holder), Vec::from([Found { kind, name: self.name.clone() }])))
            }
        }
    }

    /// Opens the root of a tree: what is there, or a hidden one, new or left by a broken copy.
    fn root(
        &self,
        parent: OwnedFd,
        options: &Options,
        watch: &Watch,
    ) -> Result<(OwnedFd, PathBuf, Style, Option<Landing>), StageError> {
        let path = self.path();
        match statat(&parent, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => {
                let (root, _) = make(&parent, &self.name, &path)?;
                lock(&root, &parent, &self.name, &path)?;
                return Ok((root, path, Style::Visible, None));
            }
            Err(Errno::NOENT) => {}
            Err(error) => return Err(StageError::of_target("look at", &path, error)),
        }
        let (hidden, record) = (partial(&self.name), journal(&self.name));
        let hidden_path = self.parent.join(&hidden);
        let (mut root, mut made) = make(&parent, &hidden, &hidden_path)?;
        lock(&root, &parent, &hidden, &path)?;
        let before = Journal::read(&parent, &record);
        if !made && !before.as_ref().is_some_and(Record::believable) {
            watch.notice("started-over", format!("{}: what is left of a broken copy may be damaged", path.display()));
            fs::remove_dir_all(&hidden_path).map_err(|error| StageError::of_target("remove", &hidden_path, error))?;
            (root, made) = make(&parent, &hidden, &hidden_path)?;
            lock(&root, &parent, &hidden, &path)?;
        }
        if made {
            let identity =
                Identity::from(&fstat(&root).map_err(|error| StageError::of_target("look at", &path, error))?);
            let written = Journal::create(&parent, &record)
                .and_then(|journal| journal.write(&Record::new(identity, options.sync == Sync::Each)));
            written.map_err(|error| StageError::of_target("create", &path, error))?;
        } else {
            watch.notice("resumed", format!("{} goes on where it stopped", path.display()));
        }
        let style = match (options.keep.times, made) {
            // Without times nothing tells a whole file from a broken one but its name.
            (false, _) => Style::Visible,
            (true, true) => Style::Fresh,
            (true, false) => Style::Hidden,
        };
        let landing = Landing { parent, hidden, name: self.name.clone(), path };
        Ok((root, hidden_path, style, Some(landing)))
    }
}

/// How long a lock of somebody else is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Keeps other stages out for as long as the file is open.
pub(super) fn lock(file: impl AsFd, parent: impl AsFd, name: &OsStr, path: &Path) -> Result<(), StageError> {
    let busy = || StageError::TargetBusy { path: path.to_owned() };
    // A child that another thread has just forked holds a copy of every open file until it runs its own program, and with
    // it the lock of a stage that has ended.
    let until = Instant::now() + PATIENCE;
    // File systems without locks have to do without: only a lock of somebody else counts.
    while rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) == Err(Errno::WOULDBLOCK) {
        if Instant::now() > until {
            return Err(busy());
        }
        thread::sleep(Duration::from_millis(10));
    }
    // Another stage may have finished in between, and taken what was opened to its final name.
    let opened = fstat(&file).map_err(|error| StageError::of_target("look at", path, error))?;
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(named) if (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino) => Ok(()),
        _ => Err(busy()),
    }
}

/// Checks the request and finds the place of each source. Nothing is written.
pub(super) fn destinations(request: &Request, options: &Options) -> Result<Vec<Destination>, StageError> {
    let unusable = |option, reason: &str| Err(StageError::OptionUnusable { option, reason: reason.to_owned() });
    if request.sources.is_empty() {
        return unusable("sources", "there is none");
    }
    if request.exact && request.sources.len() > 1 {
        return unusable("exact", "one target cannot be the copy of several sources");
    }
    if options.block == 0 || !options.block.is_multiple_of(4096) || options.block > 1 << 30 {
        return unusable("block", "it must be a multiple of 4096 bytes, at most 1 GiB");
    }
    let target = resolve(&request.target).map_err(|error| StageError::of_target("look at", &request.target, error))?;
    let mut taken = HashSet::new();
    let mut found = Vec::new();
    for given in &request.sources {
        let source = fs::canonicalize(given).map_err(|error| StageError::of_source("look at", given, error))?;
        let is_directory = source.is_dir();
        if options.expect.is_some() && (is_directory || request.sources.len() > 1) {
            return unusable("expect", "a digest is that of one file");
        }
        let name = given.file_name().or_else(|| source.file_name()).map(OsStr::to_owned);
        let (parent, name) = match (request.exact, target.parent(), target.file_name(), name) {
            (true, Some(parent), Some(name), _) => (parent.to_owned(), name.to_owned()),
            (false, _, _, Some(name)) => (target.clone(), name),
            _ => return unusable("target", "it has no name"),
        };
        let destination = Destination { source, parent, name };
        let path = destination.path();
        if path == destination.source || (is_directory && path.starts_with(&destination.source)) {
            return Err(StageError::TargetInsideSource { path, origin: destination.source });
        }
        if !taken.insert(path.clone()) {
            return Err(StageError::SameTarget { path });
        }
        found.push(destination);
    }
    Ok(found)
}

/// A path without symbolic links, of which the end need not exist.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = path.parent().unwrap_or(Path::new(""));
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            match path.file_name() {
                Some(name) => Ok(resolve(above)?.join(name)),
                None => Err(error),
            }
        }
        result => result,
    }
}
