//! What a broken copy leaves for the next: how far it came, and whether that can be believed.
//!
//! After a crash of the process everything it wrote is there. After a crash of the machine only what had reached the
//! device is, so a record holds the machine's boot: from another boot only a synchronised copy is believed.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use rustix::fs::{AtFlags, Mode, OFlags, openat, unlinkat};
use serde::{Deserialize, Serialize};

use super::metadata::Identity;

/// A record, one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// The source as it was.
    pub(super) source: Identity,
    /// Everything below this offset is written, in bytes; 0 for a tree.
    pub(super) written: u64,
    /// Whether what is written has also reached the device.
    pub(super) durable: bool,
    /// The boot of the machine.
    pub(super) boot: String,
}

impl Record {
    /// A record of nothing written.
    pub(super) fn new(source: Identity, durable: bool) -> Self {
        Self { source, written: 0, durable, boot: boot().to_owned() }
    }

    /// Whether a copy of this source may go on from here.
    pub(super) fn serves(&self, source: &Identity) -> bool {
        self.source == *source && self.believable()
    }

    /// Whether what it says is written is there for sure.
    pub(super) fn believable(&self) -> bool {
        self.durable || (!self.boot.is_empty() && self.boot == boot())
    }
}

/// A record in a file.
#[derive(Debug)]
pub(super) struct Journal(File);

impl Journal {
    /// Opens or makes it.
    pub(super) fn create(directory: impl AsFd, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(Self(File::from(openat(directory, name, flags, Mode::from_raw_mode(0o600))?)))
    }

    /// The record in a file, if it has a sound one.
    pub(super) fn read(directory: impl AsFd, name: &OsStr) -> Option<Record> {
        let fd = openat(directory, name, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW, Mode::empty()).ok()?;
        let mut line = [0; LENGTH];
        let found = File::from(fd).read_at(&mut line, 0).ok()?;
        serde_json::from_slice(&line[..found]).ok()
    }

    /// Writes the record over the one before, in one call.
    pub(super) fn write(&self, record: &Record) -> io::Result<()> {
        let mut line = serde_json::to_vec(record)?;
        line.resize(LENGTH, b' ');
        self.0.write_all_at(&line, 0)
    }
}

/// Bytes of a record: spaces follow, so that a shorter one covers a longer one.
const LENGTH: usize = 512;

/// Removes a record. That it stays does no harm.
pub(super) fn remove(directory: impl AsFd, name: &OsStr) {
    let _ = unlinkat(directory, name, AtFlags::empty());
}

/// The temporary name beside this one.
pub(super) fn partial(name: &OsStr) -> OsString {
    beside(name, ".offermatch-partial")
}

/// The name of the record beside this one.
pub(super) fn journal(name: &OsStr) -> OsString {
    beside(name, ".offermatch-journal")
}

/// A hidden name that no other name gives, short enough for any file system.
fn beside(name: &OsStr, ending: &str) -> OsString {
    const LONGEST: usize = 200;
    let mut made = OsString::from(".");
    if name.len() <= LONGEST {
        made.push(name);
    } else {
        made.push(&blake3::hash(name.as_bytes()).to_hex()[..32]);
    }
    made.push(ending);
    made
}

/// What tells this boot of the machine from others; empty where the system does not say.
fn boot() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_boot_is_believed_if_it_is_durable() {
        let source = Identity { device: 1, inode: 2, size: 3, seconds: 4, nanoseconds: 5 };
        let mut record = Record { boot: "another".to_owned(), ..Record::new(source, false) };
        assert!(!record.serves(&source));
        record.durable = true;
        assert!(record.serves(&source));
        assert!(!record.serves(&Identity { size: 4, ..source }), "the source changed");
    }

    #[test]
    fn a_long_name_gets_a_short_temporary_name() {
        let long = OsString::from("x".repeat(255));
        assert!(partial(&long).len() < 255);
        assert_ne!(partial(&long), partial(&OsString::from("x".repeat(254))));
    }
}
