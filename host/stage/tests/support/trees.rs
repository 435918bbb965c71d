//! Whether a tree equals another.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Looking must not change what is looked at.
#[cfg(target_os = "linux")]
const UNTOUCHED: OFlags = OFlags::NOATIME.union(OFlags::NOFOLLOW);
/// Other systems have no such flag.
#[cfg(not(target_os = "linux"))]
const UNTOUCHED: OFlags = OFlags::NOFOLLOW;

/// A regular file, held open: somebody may rename another to its place meanwhile.
pub(crate) struct Regular {
    /// The file.
    file: File,
    /// What it was when it was opened.
    meta: Metadata,
}

impl Regular {
    /// Opens it.
    pub(crate) fn open(path: &Path) -> Self {
        let opened = File::options().read(true).custom_flags(UNTOUCHED.bits() as i32).open(path);
        let file = opened.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { meta: file.metadata().unwrap(), file }
    }

    /// Whether it holds these bytes.
    pub(crate) fn holds(&self, bytes: &[u8]) -> bool {
        let mut found = vec![0; bytes.len()];
        self.meta.len() == bytes.len() as u64 && self.file.read_exact_at(&mut found, 0).is_ok() && found == bytes
    }

    /// What of it is not as in the other.
    pub(crate) fn difference(&self, other: &Self) -> Option<&'static str> {
        let differ = [
            (self.meta.mode() != other.meta.mode(), "kind or permissions"),
            (self.times() != other.times(), "times"),
            (attributes(&self.file) != attributes(&other.file), "extended attributes"),
            (self.meta.len() != other.meta.len() || !self.has_contents_of(other), "contents"),
        ];
        differ.into_iter().find_map(|(differs, what)| differs.then_some(what))
    }

    /// Times of the last access, on Linux only, and of the last modification, with nanoseconds.
    fn times(&self) -> [i64; 4] {
        let meta = &self.meta;
        let accessed = if cfg!(target_os = "linux") { [meta.atime(), meta.atime_nsec()] } else { [0; 2] };
        [accessed[0], accessed[1], meta.mtime(), meta.mtime_nsec()]
    }

    /// Whether all bytes are equal, of two files of one length.
    fn has_contents_of(&self, other: &Self) -> bool {
        let (mut one, mut two) = (vec![0; 1 << 18], vec![0; 1 << 18]);
        (0..self.meta.len()).step_by(one.len()).all(|begin| {
            let length = (self.meta.len() - begin).min(one.len() as u64) as usize;
            let (one, two) = (&mut one[..length], &mut two[..length]);
            let read = self.file.read_exact_at(one, begin).and_then(|()| other.file.read_exact_at(two, begin));
            read.is_ok() && one == two
        })
    }
}

/// Extended attributes of users: others belong to the system.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn attributes(file: &File) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = vec![0; 4096];
    let length = rustix::fs::flistxattr(file, names.as_mut_slice()).unwrap_or(0);
    let mut found: Vec<_> = names[..length]
        .split(|&byte| byte == 0)
        .filter(|name| name.starts_with(b"user."))
        .map(|name| {
            let mut value = vec![0; 4096];
            let length = rustix::fs::fgetxattr(file, name, value.as_mut_slice()).unwrap();
            (name.to_owned(), value[..length].to_owned())
        })
        .collect();
    found.sort();
    found
}

/// Other systems have other attributes.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn attributes(_file: &File) -> Vec<(Vec<u8>, Vec<u8>)> {
    Vec::new()
}

/// Fails unless both trees are the same: names, contents, kinds, permissions, times, attributes, and which names are
/// one file.
pub(crate) fn assert_same(one: &Path, other: &Path) {
    let mut numbers = HashMap::new();
    compare(one, other, &mut numbers);
}

/// Compares one name and what is below it. `numbers` gives the copy's number of each file.
fn compare(one: &Path, other: &Path, numbers: &mut HashMap<u64, u64>) {
    let name = other.display();
    let look = |path: &Path| -> Metadata {
        fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let (a, b) = (look(one), look(other));
    assert_eq!(a.mode(), b.mode(), "{name}: kind and permissions");
    assert_eq!((a.mtime(), a.mtime_nsec()), (b.mtime(), b.mtime_nsec()), "{name}: time of modification");
    if a.is_dir() {
        let names = |path: &Path| {
            let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names(one), names(other), "{name}: names");
        let attributes = |path| attributes(&File::open(path).unwrap());
        assert_eq!(attributes(one), attributes(other), "{name}: extended attributes");
        for inside in names(one) {
            compare(&one.join(&inside), &other.join(&inside), numbers);
        }
    } else if a.is_symlink() {
        assert_eq!(fs::read_link(one).unwrap(), fs::read_link(other).unwrap(), "{name}: where it points");
    } else {
        assert_eq!(a.nlink(), b.nlink(), "{name}: names of the file");
        assert_eq!(*numbers.entry(a.ino()).or_insert(b.ino()), b.ino(), "{name}: one file of several names");
        assert_eq!(Regular::open(one).difference(&Regular::open(other)), None, "{name} differs");
    }
}
