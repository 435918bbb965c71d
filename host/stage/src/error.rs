//! What can go wrong while data is staged. The source is never changed by any of it.

use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// What went wrong while data was staged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// A source that is not there, or no longer.
    #[error("source {} does not exist, or vanished while it was staged", path.display())]
    SourceVanished {
        /// The source.
        path: PathBuf,
    },
    /// A source that somebody writes to.
    #[error("source {} changed while it was staged: {reason}", path.display())]
    SourceChanged {
        /// The source.
        path: PathBuf,
        /// What changed, with sizes in bytes.
        reason: String,
    },
    /// A source that is neither file nor directory nor symbolic link.
    #[error("source {} is a {kind}, which cannot be staged", path.display())]
    SourceUnsupported {
        /// The source.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// The operating system refuses.
    #[error("no permission to {doing} {}", path.display())]
    PermissionRefused {
        /// What was to be done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
    },
    /// No room, or no quota, or a file too large for the file system.
    #[error("no room left for {}: {source}", path.display())]
    TargetFull {
        /// What was being written.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A copy that would contain itself.
    #[error("target {} is inside source {}", path.display(), origin.display())]
    TargetInsideSource {
        /// The target.
        path: PathBuf,
        /// The source.
        origin: PathBuf,
    },
    /// Something else stands where the copy should go.
    #[error("target {} is {found}, not {wanted}", path.display())]
    TargetConflict {
        /// The target.
        path: PathBuf,
        /// What stands there.
        found: &'static str,
        /// What should.
        wanted: &'static str,
    },
    /// Another stage writes there.
    #[error("target {} is being staged by another process", path.display())]
    TargetBusy {
        /// The target.
        path: PathBuf,
    },
    /// Two sources would take one name.
    #[error("two sources would both become {}", path.display())]
    SameTarget {
        /// The name.
        path: PathBuf,
    },
    /// The bytes are not those that were promised, or not those that were read.
    #[error("{} has digest {found}, not {expected}", path.display())]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// The digest it should have.
        expected: String,
        /// The digest it has.
        found: String,
    },
    /// An engine that was asked for and that this kernel or file system does not have.
    #[error("engine {engine} does not work here: {reason}")]
    EngineUnavailable {
        /// The engine.
        engine: &'static str,
        /// Why not.
        reason: String,
    },
    /// An option that cannot be used with these sources.
    #[error("option {option}: {reason}")]
    OptionUnusable {
        /// The option.
        option: &'static str,
        /// Why not.
        reason: String,
    },
    /// Stopped by whoever asked for it.
    #[error("stopped after {files} files and {bytes} bytes")]
    Cancelled {
        /// Files that are whole.
        files: u64,
        /// Bytes that were written.
        bytes: u64,
    },
    /// Anything else that the operating system says.
    #[error("cannot {doing} {}: {source}", path.display())]
    Failed {
        /// What was to be done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
}

impl StageError {
    /// The code of `docs/errors.md`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::SourceVanished { .. } => "source-vanished",
            Self::SourceChanged { .. } => "source-changed",
            Self::SourceUnsupported { .. } => "source-unsupported",
            Self::PermissionRefused { .. } => "permission-refused",
            Self::TargetFull { .. } => "target-full",
            Self::TargetInsideSource { .. } => "target-inside-source",
            Self::TargetConflict { .. } => "target-conflict",
            Self::TargetBusy { .. } => "target-busy",
            Self::SameTarget { .. } => "duplicate-name",
            Self::DigestMismatch { .. } => "digest-mismatch",
            Self::EngineUnavailable { .. } => "engine-unavailable",
            Self::OptionUnusable { .. } => "setting-malformed",
            Self::Cancelled { .. } => "cancelled",
            Self::Failed { .. } => "transfer-failed",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::SourceVanished { .. } => "check the path; run the command again to go on with the rest",
            Self::SourceChanged { .. } => "stage what is finished, or a snapshot; run the command again once it is",
            Self::SourceUnsupported { .. } => {
                "pipes, sockets and devices have no data to copy: take it out of the tree"
            }
            Self::PermissionRefused { .. } => {
                "run as a user who may, or change the permissions or a mount that is read-only"
            }
            Self::TargetFull { .. } => "make room and run the command again: it goes on where it stopped",
            Self::TargetInsideSource { .. } => "choose a target outside the source",
            Self::TargetConflict { .. } => "remove what stands there, or choose another target",
            Self::TargetBusy { .. } => "wait for the other process, or choose another target",
            Self::SameTarget { .. } => "stage them into different targets",
            Self::DigestMismatch { .. } => "do not use it: get the source again, and check the device if it stays so",
            Self::EngineUnavailable { .. } => "take --engine auto, which falls back to what works",
            Self::OptionUnusable { .. } => "offermatch-stage --help shows what goes together",
            Self::Cancelled { .. } => "run the same command again to go on",
            Self::Failed { .. } => "run the same command again to go on once the cause is gone",
        }
    }

    /// The error of an operation on a source.
    pub(super) fn of_source(doing: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        let (source, path) = (error.into(), path.to_owned());
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT | Errno::STALE) => Self::SourceVanished { path },
            Some(Errno::ACCESS | Errno::PERM) => Self::PermissionRefused { doing, path },
            Some(Errno::NOTDIR | Errno::LOOP) => {
                Self::SourceChanged { path, reason: "it is of another kind".to_owned() }
            }
            _ => Self::Failed { doing, path, source },
        }
    }

    /// The error of an operation on a target.
    pub(super) fn of_target(doing: &'static str, path: &Path, error: impl Into<io::Error>) -> Self {
        let (source, path) = (error.into(), path.to_owned());
        match Errno::from_io_error(&source) {
            Some(Errno::NOSPC | Errno::DQUOT | Errno::FBIG) => Self::TargetFull { path, source },
            Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Self::PermissionRefused { doing, path },
            _ => Self::Failed { doing, path, source },
        }
    }
}
