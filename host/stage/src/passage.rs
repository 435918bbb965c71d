//! A file on its way from its source to its target.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use super::options::Options;
use super::shared::Shared;
use super::tree::Directory;

/// A file on its way.
pub(super) struct Passage<'a> {
    /// What all workers share.
    pub(super) shared: &'a Shared,
    pub(super) directory: &'a Arc<Directory>,
    pub(super) name: &'a OsString,
}

impl Passage<'_> {
    /// The options.
    pub(super) fn options(&self) -> &Options {
        &self.shared.options
    }

    /// Whether contents are digested.
    pub(super) fn digests(&self) -> bool {
        self.options().checksum || self.options().expect.is_some()
    }

    /// The source's path, for errors.
    pub(super) fn source_path(&self) -> PathBuf {
        self.directory.source_path.join(self.directory.source_name(self.name))
    }

    /// The target's path, for errors.
    pub(super) fn target_path(&self) -> PathBuf {
        self.directory.target_of(self.name)
    }
}
