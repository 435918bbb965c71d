//! What to stage, and how: engines, sizes, limits and what to keep.

use std::fmt;
use std::path::PathBuf;

use super::checksum::Digest;

/// What to stage.
#[derive(Debug, Clone)]
pub struct Request {
    /// Files and trees. A symbolic link named here is followed.
    pub sources: Vec<PathBuf>,
    /// The directory that the copies go into; made if it is not there.
    pub target: PathBuf,
    /// Whether `target` is the name of the only copy instead.
    pub exact: bool,
}

/// Settings of a stage. Sizes are in bytes.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who moves the data; `None` lets each file take what the kernel and the file system offer.
    pub engine: Option<Engine>,
    /// Whether the page cache is passed by.
    pub direct: Direct,
    /// Bytes of one read or write; a multiple of 4096.
    pub block: usize,
    /// Blocks of one file that are under way at once, at least 1.
    pub depth: usize,
    /// Files that are under way at once, at least 1.
    pub jobs: usize,
    /// The most bytes written in a second.
    pub bandwidth: Option<u64>,
    /// What is kept beside the data.
    pub keep: Keep,
    /// When data must have reached the device.
    pub sync: Sync,
    /// Whether each file is digested while it is copied, and the copy read back and compared.
    pub checksum: bool,
    /// The digest that the only source, a file, must have.
    pub expect: Option<Digest>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            engine: None,
            direct: Direct::Auto,
            block: 1 << 20,
            depth: 16,
            jobs: 8,
            bandwidth: None,
            keep: Keep::default(),
            sync: Sync::Never,
            checksum: false,
            expect: None,
        }
    }
}

/// Who moves data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Read a block, write it, go on.
    Blocking,
    /// A reading and a writing task on tokio.
    Tokio,
    /// A reflink where the file system shares blocks, `copy_file_range` elsewhere: data stays in the kernel.
    CopyFileRange,
    /// `io_uring` with registered memory and many blocks under way.
    IoUring,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Engine {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocking => "blocking",
            Self::Tokio => "tokio",
            Self::CopyFileRange => "copy-file-range",
            Self::IoUring => "io-uring",
        }
    }

    /// Whether it passes data through memory that `O_DIRECT` can use.
    pub(super) fn takes_direct(self) -> bool {
        matches!(self, Self::Blocking | Self::IoUring)
    }
}

/// What is kept beside the data and the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Permission bits.
    pub permissions: bool,
    /// Times of the last access and modification.
    pub times: bool,
    /// Owner and group.
    pub owner: bool,
    /// Extended attributes that the target takes.
    pub xattrs: bool,
    /// Holes of sparse files.
    pub sparse: bool,
    /// Files of several names stay one file.
    pub hard_links: bool,
    /// Symbolic links stay links; otherwise what they point to is copied.
    pub symlinks: bool,
}

impl Default for Keep {
    fn default() -> Self {
        let yes = true;
        Self { permissions: yes, times: yes, owner: false, xattrs: yes, sparse: yes, hard_links: yes, symlinks: yes }
    }
}

/// Whether the page cache is passed by (`O_DIRECT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direct {
    /// For files that would push other things out of memory.
    Auto,
    /// For every file of at least one block, where the file system can.
    Always,
    /// For none.
    Never,
}

/// When data must have reached the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Whenever the kernel sees fit.
    Never,
    /// Before the stage ends.
    End,
    /// Each file before it takes its final name, and all before the stage ends.
    Each,
}
