//! What a file has beside its data.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Gid, Mode, Stat, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::error::StageError;
use super::options::Keep;
use super::watch::Watch;

/// What tells a source from what it is after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// The device it is on.
    pub(super) device: u64,
    pub(super) inode: u64,
    /// Its size in bytes.
    pub(super) size: u64,
    /// When it was last modified, in seconds since 1970.
    pub(super) seconds: i64,
    pub(super) nanoseconds: i64,
}

#[allow(clippy::unnecessary_cast, reason = "the fields have other types on other systems")]
impl From<&Stat> for Identity {
    fn from(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: stat.st_size as u64,
            seconds: stat.st_mtime as i64,
            nanoseconds: stat.st_mtime_nsec as i64,
        }
    }
}

/// Whether two files were last modified at the same time.
pub(super) fn same_time(one: &Stat, other: &Stat) -> bool {
    one.st_mtime == other.st_mtime && one.st_mtime_nsec == other.st_mtime_nsec
}

/// Permission bits.
#[allow(clippy::unnecessary_cast, reason = "the field has another type on other systems")]
pub(super) fn mode(stat: &Stat) -> Mode {
    Mode::from_raw_mode((stat.st_mode as u32 & 0o7777) as rustix::fs::RawMode)
}

/// The permission bits of a new file: those kept, or the usual ones.
pub(super) fn mode_of_new(stat: &Stat, keep: Keep) -> Mode {
    if keep.permissions {
        mode(stat) & Mode::from_raw_mode(0o777)
    } else {
        Mode::from_raw_mode(0o666) & (mode(stat) | Mode::from_raw_mode(0o600))
    }
}

/// The permission bits of a new directory.
pub(super) fn mode_of_new_directory() -> Mode {
    Mode::from_raw_mode(0o777).difference(umask()) | Mode::RWXU
}

/// Gives a new file or directory what is kept of its source, the time of the modification last: in a hidden tree it says
/// that the file is whole. `created` says that the file was made with [`mode_of_new`].
pub(super) fn apply(
    source: impl AsFd,
    stat: &Stat,
    target: impl AsFd,
    keep: Keep,
    created: bool,
    place: (&Path, &Watch),
) -> Result<(), StageError> {
    let (path, watch) = place;
    if keep.xattrs {
        copy_xattrs(source, &target, path, watch)
            .map_err(|error| StageError::of_target("set attributes of", path, error))?;
    }
    if keep.owner {
        let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
        rustix::fs::fchown(&target, Some(owner), Some(group))
            .map_err(|error| StageError::of_target("set the owner of", path, error))?;
    }
    let wanted = mode(stat);
    let special = !wanted.intersection(Mode::from_raw_mode(0o7000)).is_empty();
    if keep.permissions && (!created || special || keep.owner || wanted.intersects(umask())) {
        rustix::fs::fchmod(&target, wanted)
            .map_err(|error| StageError::of_target("set permissions of", path, error))?;
    }
    if keep.times {
        rustix::fs::futimens(&target, &times(stat))
            .map_err(|error| StageError::of_target("set times of", path, error))?;
    }
    Ok(())
}

/// The times of a source.
#[allow(clippy::unnecessary_cast, reason = "the fields have other types on other systems")]
pub(super) fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: stat.st_atime as _, tv_nsec: stat.st_atime_nsec as _ },
        last_modification: Timespec { tv_sec: stat.st_mtime as _, tv_nsec: stat.st_mtime_nsec as _ },
    }
}

/// The bits that this process never gives a new file; all where the system does not say.
fn umask() -> Mode {
    static UMASK: OnceLock<u32> = OnceLock::new();
    let bits = *UMASK.get_or_init(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        line.and_then(|bits| u32::from_str_radix(bits.trim(), 8).ok()).unwrap_or(0o777)
    });
    Mode::from_raw_mode(bits as rustix::fs::RawMode)
}

/// Copies the extended attributes that the target takes.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn copy_xattrs(source: impl AsFd, target: impl AsFd, path: &Path, watch: &Watch) -> io::Result<()> {
    let length = match rustix::fs::flistxattr_query(&source) {
        Ok(0) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(()),
        Ok(length) => length,
        Err(error) => return Err(error.into()),
    };
    let mut names = Vec::with_capacity(length);
    rustix::fs::flistxattr(&source, rustix::buffer::spare_capacity(&mut names))?;
    for name in names.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
        let length = match rustix::fs::fgetxattr_query(&source, name) {
            Ok(length) => length,
            Err(Errno::NODATA | Errno::ACCESS | Errno::PERM) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut value = Vec::with_capacity(length);
        if length > 0 {
            rustix::fs::fgetxattr(&source, name, rustix::buffer::spare_capacity(&mut value))?;
        }
        match rustix::fs::fsetxattr(&target, name, &value, XattrFlags::empty()) {
            Ok(()) => {}
            // Labels of the security module and the like are the target's own affair.
            Err(error @ (Errno::OPNOTSUPP | Errno::PERM | Errno::ACCESS)) => {
                let name = String::from_utf8_lossy(name);
                watch.notice("xattr-dropped", format!("{}: attribute {name} is not kept: {error}", path.display()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Other systems have other attributes.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn copy_xattrs(_source: impl AsFd, _target: impl AsFd, _path: &Path, _watch: &Watch) -> io::Result<()> {
    let _ = (XattrFlags::empty(), Errno::NOENT);
    Ok(())
}

/// The size of a file in bytes.
pub(super) fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0)
}

/// Bytes a file takes on its device.
pub(super) fn stored(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512)
}

/// Whether an open file is still what it was.
///
/// # Errors
///
/// [`StageError::SourceChanged`] if somebody wrote to it, [`StageError::SourceVanished`] if somebody removed it.
pub(super) fn unchanged(file: &File, before: &Stat, path: impl Fn() -> PathBuf) -> Result<(), StageError> {
    let now = rustix::fs::fstat(file).map_err(|error| StageError::of_source("look at", &path(), error))?;
    let reason = match (size(before), size(&now)) {
        (before, now) if before < now => format!("it grew from {before} to {now} bytes"),
        (before, now) if before > now => format!("it shrank from {before} to {now} bytes"),
        _ if !same_time(before, &now) => "it was written to".to_owned(),
        // Some file systems count no names at all.
        _ if before.st_nlink > 0 && now.st_nlink == 0 => return Err(StageError::SourceVanished { path: path() }),
        _ => return Ok(()),
    };
    Err(StageError::SourceChanged { path: path(), reason })
}
