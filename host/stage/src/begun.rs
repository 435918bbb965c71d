//! The file that data is written to: new, or what a broken copy left.

use std::ffi::{OsStr, OsString};
use std::fs::File;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, openat, unlinkat};
use rustix::io::Errno;

use super::destination::lock;
use super::error::StageError;
use super::journal::{Journal, Record, journal, partial};
use super::metadata::{self, Identity};
use super::options::Sync;
use super::passage::Passage;
use super::tree::Style;

/// Files of at least this many bytes leave a record of how far they came, this often.
pub(super) const RECORDED: u64 = 64 << 20;

/// A file being written.
pub(super) struct Begun {
    pub(super) file: File,
    /// Its name for now.
    pub(super) name: OsString,
    /// Whether it was made just now, with the permissions it is to have.
    pub(super) created: bool,
    /// The record, and what it says, where the file is large.
    pub(super) record: Option<(Journal, Record)>,
}

impl Passage<'_> {
    /// Makes the file to write, or opens what a broken copy left.
    pub(super) fn begin(&self, stat: &Stat, size: u64) -> Result<Begun, StageError> {
        let failed = |error: Errno| StageError::of_target("create", &self.target_path(), error);
        let here = &self.directory.target;
        let large = size >= RECORDED;
        let own_name = self.directory.style != Style::Visible && !large;
        let name = if own_name { self.name.clone() } else { partial(self.name) };
        let mode = metadata::mode_of_new(stat, self.options().keep);
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mut record = None;
        if large {
            let identity = Identity::from(stat);
            let before = Journal::read(here, &journal(self.name)).filter(|record| record.serves(&identity));
            let durable = self.options().sync == Sync::Each;
            record = Some(before.unwrap_or_else(|| Record::new(identity, durable)));
        }
        let opened = openat(here, &name, flags, mode);
        let created = opened.is_ok();
        let file = match opened {
            Ok(made) => {
                if let Some(record) = &mut record {
                    record.written = 0;
                }
                let made = File::from(made);
                if self.directory.stat.is_none() {
                    lock(&made, here, &name, &self.target_path())?;
                }
                made
            }
            Err(Errno::EXIST) => {
                let resumed = record.as_ref().is_some_and(|record| record.written > 0);
                self.reopen(&name, resumed, (flags, mode))?
            }
            Err(error) => return Err(failed(error)),
        };
        let record = match record {
            None => None,
            Some(record) => {
                let opened = Journal::create(here, &journal(self.name)).and_then(|journal| {
                    journal.write(&record)?;
                    Ok(journal)
                });
                let opened = opened.map_err(|error| StageError::of_target("create", &self.target_path(), error))?;
                if record.written > 0 {
                    let message = format!("{} goes on at byte {}", self.target_path().display(), record.written);
                    self.shared.control.watch.notice("resumed", message);
                }
                Some((opened, record))
            }
        };
        Ok(Begun { file, name, created, record })
    }

    /// What a broken copy left, to go on with or to replace. Trees are locked as a whole, a file by itself.
    fn reopen(&self, name: &OsStr, resumed: bool, new: (OFlags, Mode)) -> Result<File, StageError> {
        let path = self.target_path();
        let failed = |error: Errno| StageError::of_target("create", &path, error);
        let here = &self.directory.target;
        let alone = self.directory.stat.is_none();
        if !resumed && !alone {
            unlinkat(here, name, AtFlags::empty()).map_err(failed)?;
            return Ok(File::from(openat(here, name, new.0, new.1).map_err(failed)?));
        }
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = File::from(openat(here, name, flags, Mode::empty()).map_err(failed)?);
        if alone {
            lock(&file, here, name, &path)?;
        }
        if !resumed {
            file.set_len(0).map_err(|error| StageError::of_target("write", &path, error))?;
        }
        Ok(file)
    }
}
