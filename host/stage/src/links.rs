//! Links. Of the names of one file the first one found gets the data, the others become links to it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{AtFlags, CWD, Stat, linkat, readlinkat, renameat, statat, symlinkat, unlinkat, utimensat};
use rustix::io::Errno;

use super::error::StageError;
use super::journal::{self, journal, partial};
use super::metadata::times;
use super::options::Keep;
use super::tree::{Directory, Style};

/// A file, by item, device and number: links do not cross items.
type Key = (usize, u64, u64);

/// The names found so far.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// Where the data of each file goes.
    first: Mutex<HashMap<Key, PathBuf>>,
    /// Names to link once the data is there.
    later: Mutex<Vec<Later>>,
}

/// A name that becomes a link.
#[derive(Debug)]
pub(super) struct Later {
    /// Where it stands; not finished before the link is made.
    pub(super) directory: Arc<Directory>,
    pub(super) name: OsString,
    /// The name with the data.
    first: PathBuf,
}

impl Links {
    /// Whether this name gets the data. Otherwise it is kept for later, and the directory must wait.
    #[allow(clippy::unnecessary_cast, reason = "the fields have other types on other systems")]
    pub(super) fn is_first(&self, directory: &Arc<Directory>, name: &OsString, stat: &Stat) -> bool {
        let key = (directory.item, stat.st_dev as u64, stat.st_ino as u64);
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = first.get(&key) {
            directory.begin();
            let later = Later { directory: Arc::clone(directory), name: name.clone(), first: first.clone() };
            self.later.lock().unwrap_or_else(PoisonError::into_inner).push(later);
            return false;
        }
        first.insert(key, directory.target_of(name));
        true
    }

    /// The names to link.
    pub(super) fn take(&self) -> Vec<Later> {
        std::mem::take(&mut *self.later.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Later {
    /// Makes the link. `false` if it was there already.
    pub(super) fn link(&self) -> Result<bool, StageError> {
        let path = self.directory.target_of(&self.name);
        let failed = |error| StageError::of_target("link", &path, error);
        let here = &self.directory.target;
        if self.directory.style != Style::Fresh {
            // In the stage before, this name may have been the one to get the data.
            journal::remove(here, &journal(&self.name));
            journal::remove(here, &partial(&self.name));
        }
        let no_follow = AtFlags::SYMLINK_NOFOLLOW;
        let first = statat(CWD, &self.first, no_follow).map_err(failed)?;
        match statat(here, &self.name, no_follow) {
            Ok(stat) if (stat.st_dev, stat.st_ino) == (first.st_dev, first.st_ino) => return Ok(false),
            Ok(_) => {}
            Err(Errno::NOENT) => {
                return linkat(CWD, &self.first, here, &self.name, AtFlags::empty()).map(|()| true).map_err(failed);
            }
            Err(error) => return Err(failed(error)),
        }
        let temporary = partial(&self.name);
        linkat(CWD, &self.first, here, &temporary, AtFlags::empty()).map_err(failed)?;
        renameat(here, &temporary, here, &self.name).map_err(failed)?;
        Ok(true)
    }
}

/// Makes a symbolic link like that of the source. `false` if it was there already.
pub(super) fn symbolic(directory: &Directory, name: &OsString, keep: Keep) -> Result<bool, StageError> {
    let (from, to) = (directory.source_path.join(name), directory.target_of(name));
    let failed = |error: Errno| StageError::of_target("link", &to, error);
    let here = &directory.target;
    let pointed = readlinkat(&directory.source, name, Vec::new());
    let pointed = pointed.map_err(|error| StageError::of_source("read", &from, error))?;
    let keep_times = |at: &OsString| -> Result<(), StageError> {
        if keep.times {
            let stat = statat(&directory.source, name, AtFlags::SYMLINK_NOFOLLOW);
            let stat = stat.map_err(|error| StageError::of_source("look at", &from, error))?;
            // Some file systems keep no times of links.
            let _ = utimensat(here, at, &times(&stat), AtFlags::SYMLINK_NOFOLLOW);
        }
        Ok(())
    };
    match readlinkat(here, name, Vec::new()) {
        // A stage that was killed may have made it, and not come to its times.
        Ok(there) if there == pointed => return keep_times(name).map(|()| false),
        _ => {}
    }
    let made = if directory.style == Style::Visible { partial(name) } else { name.clone() };
    match symlinkat(&pointed, here, &made) {
        Err(Errno::EXIST) => {
            unlinkat(here, &made, AtFlags::empty()).map_err(failed)?;
            symlinkat(&pointed, here, &made).map_err(failed)?;
        }
        result => result.map_err(failed)?,
    }
    keep_times(&made)?;
    if made != *name {
        match renameat(here, &made, here, name) {
            Err(Errno::ISDIR) => {
                let _ = unlinkat(here, &made, AtFlags::empty());
                return Err(StageError::TargetConflict { path: to, found: "a directory", wanted: "a symbolic link" });
            }
            result => result.map_err(failed)?,
        }
    }
    Ok(true)
}
