//! One file, safely: temporary name, data, checks, metadata, final name.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, renameat, statat};
use rustix::io::Errno;

use super::begun::{Begun, RECORDED};
use super::blocking::fill;
use super::checksum::{ContentHash, Digest, of_file};
use super::engine::Engines;
use super::error::StageError;
use super::journal::{self, journal};
use super::metadata::{self, Identity};
use super::options::{Direct, Engine, Sync};
use super::passage::Passage;
use super::storage::{drop_cache, reserve, set_direct};
use super::transfer::{Failure, Transfer};
use super::tree::Style;
use super::{extents, tree};

/// Files of at most this many bytes are read and written in one call each.
pub(super) const SMALL: u64 = 256 << 10;

/// Opens a source without a new time of access.
#[cfg(target_os = "linux")]
const UNTOUCHED: OFlags = OFlags::NOATIME;
/// Other systems have no such flag.
#[cfg(not(target_os = "linux"))]
const UNTOUCHED: OFlags = OFlags::empty();

impl Passage<'_> {
    /// Opens the source; gives it with what it is.
    pub(super) fn open(&self) -> Result<(File, Stat), StageError> {
        let failed = |error: Errno| StageError::of_source("read", &self.source_path(), error);
        let follow = if self.options().keep.symlinks { OFlags::NOFOLLOW } else { OFlags::empty() };
        // A pipe in place of the file must not hold the worker.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | follow;
        let name = self.directory.source_name(self.name);
        let open = |flags| openat(&self.directory.source, name, flags, Mode::empty());
        let untouched = if self.shared.untouched.load(Ordering::Relaxed) { UNTOUCHED } else { OFlags::empty() };
        let opened = match open(flags | untouched) {
            Err(Errno::PERM) if !untouched.is_empty() => {
                self.shared.untouched.store(false, Ordering::Relaxed);
                open(flags)
            }
            opened => opened,
        };
        let file = File::from(opened.map_err(failed)?);
        let stat = fstat(&file).map_err(failed)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Ok((file, stat)),
            kind => Err(StageError::SourceUnsupported { path: self.source_path(), kind: tree::kind_name(kind) }),
        }
    }

    /// Copies the file, unless it is there already. Gives its digest where one was taken.
    pub(super) fn copy(&self, engines: &mut Engines, source: &File, stat: &Stat) -> Result<Option<Digest>, StageError> {
        if self.directory.style != Style::Fresh
            && let Some(digest) = self.already_there(source, stat)?
        {
            if metadata::size(stat) >= RECORDED {
                // The stage before may have ended between the file's name and its record.
                journal::remove(&self.directory.target, &journal(self.name));
            }
            self.shared.control.watch.skipped(metadata::size(stat));
            return Ok(digest);
        }
        let size = metadata::size(stat);
        let options = self.options();
        let plain = matches!(options.engine, None | Some(Engine::Blocking)) && !self.digests();
        let mut begun = self.begin(stat, size)?;
        let result = if size <= SMALL && plain && begun.record.is_none() && size < options.block as u64 {
            self.copy_small(engines, source, size, &begun).map(|()| None)
        } else {
            self.copy_data(engines, source, stat, &mut begun)
        };
        let result = result.and_then(|digest| self.settle(source, stat, &begun).map(|()| digest));
        if let Err(error) = &result {
            self.clean_up(&begun, error);
        } else {
            self.shared.control.watch.done();
        }
        result
    }

    /// Whether the target is whole; with its digest where one was taken.
    fn already_there(&self, source: &File, stat: &Stat) -> Result<Option<Option<Digest>>, StageError> {
        let path = self.target_path();
        let failed = |error: Errno| StageError::of_target("look at", &path, error);
        let there = match statat(&self.directory.target, self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(there) => there,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        match FileType::from_raw_mode(there.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => {
                return Err(StageError::TargetConflict { path, found: "a directory", wanted: "a file" });
            }
            _ => return Ok(None),
        }
        if metadata::size(&there) != metadata::size(stat) {
            return Ok(None);
        }
        if !self.digests() {
            let keep = self.options().keep;
            let later = (there.st_mtime, there.st_mtime_nsec) >= (stat.st_mtime, stat.st_mtime_nsec);
            let same = if keep.times { metadata::same_time(&there, stat) } else { later };
            return Ok(same.then_some(None));
        }
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let target = File::from(openat(&self.directory.target, self.name, flags, Mode::empty()).map_err(failed)?);
        let found = of_file(&target).map_err(|error| StageError::of_target("read", &path, error))?;
        let wanted = match self.options().expect {
            Some(expected) => expected,
            None => of_file(source).map_err(|error| StageError::of_source("read", &self.source_path(), error))?,
        };
        if found != wanted {
            return Ok(None);
        }
        metadata::apply(source, stat, &target, self.options().keep, false, (&path, &self.shared.control.watch))?;
        Ok(Some(Some(found)))
    }

    /// Copies a small file with one read and one write. A byte too many tells that it grew.
    fn copy_small(&self, engines: &mut Engines, source: &File, size: u64, begun: &Begun) -> Result<(), StageError> {
        let control = &self.shared.control;
        control.admit(size).map_err(|failure| self.error(failure))?;
        let length = size as usize;
        let buffer = &mut engines.memory().get(0)[..=length];
        let found = read_once(source, buffer, length).map_err(|error| self.error(Failure::Read(error)))?;
        if found != length {
            let changed = if found > length { "it grew beyond" } else { "it is shorter than" };
            let reason = format!("{changed} the {size} bytes it had");
            return Err(StageError::SourceChanged { path: self.source_path(), reason });
        }
        let mut target = &begun.file;
        std::io::Write::write_all(&mut target, &buffer[..length]).map_err(|error| self.error(Failure::Write(error)))?;
        control.watch.wrote(size);
        Ok(())
    }

    /// Copies the data with an engine, and compares digests where that is asked.
    fn copy_data(
        &self,
        engines: &mut Engines,
        source: &File,
        stat: &Stat,
        begun: &mut Begun,
    ) -> Result<Option<Digest>, StageError> {
        let (options, control) = (self.options(), &self.shared.control);
        let (target, size) = (&begun.file, metadata::size(stat));
        let of_target = |error: std::io::Error| StageError::of_target("write", &self.target_path(), error);
        let of_source = |error: std::io::Error| StageError::of_source("read", &self.source_path(), error);
        let from = begun.record.as_ref().map_or(0, |(_, record)| record.written.min(size));
        let sparse = options.keep.sparse && metadata::stored(stat) < size;
        let data = extents::data(source, size, sparse).map_err(of_source)?;
        let data = extents::from(&data, from);
        let mut hash = self.digests().then(ContentHash::default);
        if let Some(hash) = &mut hash {
            hash.read(source, from).map_err(of_source)?;
        }
        let direct = self.make_direct(engines, source, target, size);
        if sparse {
            target.set_len(size).map_err(of_target)?;
        } else if size > SMALL && from == 0 {
            reserve(target, size).map_err(of_target)?;
        }
        control.watch.spared(size - extents::length(&data));
        let devices = (Identity::from(stat).device, self.directory.device);
        let mut recorded = from;
        let mut record = begun.record.as_mut();
        let mut written = |end: u64| {
            let Some((journal, record)) = &mut record else { return Ok(()) };
            if end >= recorded + RECORDED {
                if record.durable {
                    rustix::fs::fdatasync(target).map_err(|error| Failure::Write(error.into()))?;
                }
                (record.written, recorded) = (end, end);
                journal.write(record).map_err(Failure::Write)?;
            }
            Ok(())
        };
        let (block, depth) = (options.block, options.depth);
        let extents = &data;
        let hasher = hash.as_mut();
        let transfer =
            Transfer { source, target, extents, direct, hash: hasher, block, depth, control, written: &mut written };
        let engine = if from == 0 && engines.reflink(&transfer, devices) {
            control.watch.wrote(extents::length(&data));
            Engine::CopyFileRange
        } else {
            engines.copy(transfer, devices).map_err(|failure| self.error(failure))?
        };
        self.shared.used(engine, direct);
        // An engine on O_DIRECT writes whole blocks.
        if direct || from > 0 {
            target.set_len(size).map_err(of_target)?;
        }
        let Some(hash) = hash else { return Ok(None) };
        self.verify(hash, engine, source, size, begun).map(Some)
    }

    /// Reads the target back and compares it with the source and what was promised.
    fn verify(
        &self,
        mut hash: ContentHash,
        engine: Engine,
        source: &File,
        size: u64,
        begun: &Begun,
    ) -> Result<Digest, StageError> {
        let path = self.target_path();
        if engine == Engine::CopyFileRange {
            hash.read(source, size).map_err(|error| StageError::of_source("read", &self.source_path(), error))?;
        }
        let digest = hash.finish(size);
        let mismatch = |path: PathBuf, expected: Digest, found: Digest| {
            Err(StageError::DigestMismatch { path, expected: expected.to_string(), found: found.to_string() })
        };
        if let Some(expected) = self.options().expect
            && expected != digest
        {
            return mismatch(self.source_path(), expected, digest);
        }
        drop_cache(&begun.file).map_err(|error| StageError::of_target("write", &path, error))?;
        let found = of_file(&begun.file).map_err(|error| StageError::of_target("read", &path, error))?;
        if found == digest { Ok(digest) } else { mismatch(path, digest, found) }
    }

    /// Opens both files for passing the page cache by, where that pays and works.
    fn make_direct(&self, engines: &Engines, source: &File, target: &File, size: u64) -> bool {
        let options = self.options();
        let Some(engine) = engines.direct_engine() else { return false };
        let wanted = match options.direct {
            Direct::Never => false,
            Direct::Always => size >= options.block as u64,
            Direct::Auto => {
                engine == Engine::IoUring && size >= options.block as u64 && self.shared.crowds_memory(size)
            }
        };
        if !wanted {
            return false;
        }
        if let Err(error) = set_direct(source, true).and_then(|()| set_direct(target, true)) {
            let _ = set_direct(source, false);
            let message = format!("O_DIRECT does not work here ({error}): data passes through the page cache");
            self.shared.control.watch.notice("direct-fallback", message);
            return false;
        }
        self.shared.direct.fetch_add(size, Ordering::Relaxed);
        true
    }

    /// Checks the source, and gives the file its metadata and its name.
    fn settle(&self, source: &File, stat: &Stat, begun: &Begun) -> Result<(), StageError> {
        let path = self.target_path();
        metadata::unchanged(source, stat, || self.source_path())?;
        let options = self.options();
        if options.sync == Sync::Each {
            rustix::fs::fdatasync(&begun.file).map_err(|error| StageError::of_target("synchronise", &path, error))?;
        }
        metadata::apply(source, stat, &begun.file, options.keep, begun.created, (&path, &self.shared.control.watch))?;
        if begun.name != *self.name {
            if options.sync == Sync::Each {
                rustix::fs::fsync(&begun.file).map_err(|error| StageError::of_target("synchronise", &path, error))?;
            }
            let here = &self.directory.target;
            renameat(here, &begun.name, here, self.name)
                .map_err(|error| StageError::of_target("rename", &path, error))?;
        }
        if begun.record.is_some() {
            journal::remove(&self.directory.target, &journal(self.name));
        }
        Ok(())
    }

    /// Removes what is of no use to the next stage.
    fn clean_up(&self, begun: &Begun, error: &StageError) {
        let useful = begun.record.as_ref().is_some_and(|(_, record)| record.written > 0)
            && !matches!(error, StageError::SourceChanged { .. } | StageError::DigestMismatch { .. });
        if !useful {
            journal::remove(&self.directory.target, &begun.name);
            journal::remove(&self.directory.target, &journal(self.name));
        }
    }

    /// The error of data that did not arrive.
    fn error(&self, failure: Failure) -> StageError {
        match failure {
            Failure::Read(error) => StageError::of_source("read", &self.source_path(), error),
            Failure::Write(error) => StageError::of_target("write", &self.target_path(), error),
            Failure::Short(bytes) => {
                let reason = format!("it ends after {bytes} bytes");
                StageError::SourceChanged { path: self.source_path(), reason }
            }
            Failure::Cancelled => self.shared.cancelled(),
            Failure::Unsupported(error) => self.options().engine.unwrap_or(Engine::Blocking).unavailable(&error),
        }
    }
}

/// Reads a file of this length into memory that has room for one byte more; gives the bytes that were there.
fn read_once(source: &File, memory: &mut [u8], length: usize) -> io::Result<usize> {
    // A read that ends where the file is said to end has seen its end: asking once more would tell nothing new.
    match source.read_at(memory, 0) {
        Ok(found) if found >= length => Ok(found),
        Ok(_) => fill(source, memory, 0),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => fill(source, memory, 0),
        Err(error) => Err(error),
    }
}
