//! The engine that leaves the data in the kernel: a reflink where the file system shares blocks, `copy_file_range` elsewhere.

use std::fs::File;
use std::io;

use super::transfer::{Failure, Transfer};

/// Makes the target share the blocks of the source. `false` if the file system does not.
#[cfg(target_os = "linux")]
pub(super) fn reflink(source: &File, target: &File) -> bool {
    rustix::fs::ioctl_ficlone(target, source).is_ok()
}

/// Only Linux has this call.
#[cfg(not(target_os = "linux"))]
pub(super) fn reflink(_source: &File, _target: &File) -> bool {
    false
}

/// Copies within the kernel. Nothing is digested on the way.
#[cfg(target_os = "linux")]
pub(super) fn copy(transfer: Transfer<'_>) -> Result<(), Failure> {
    use rustix::io::Errno;

    let Transfer { source, target, extents, block, control, written, .. } = transfer;
    let mut moved = false;
    // Large steps cost less, and only make cancelling slower; a rate wants small ones.
    let step = if control.bandwidth.is_some() { block } else { block.max(8 << 20) };
    for range in super::storage::blocks_ahead(Some(source), extents, step as u64) {
        control.admit(range.end - range.start)?;
        let (mut from, mut to) = (range.start, range.start);
        while from < range.end {
            let asked = (range.end - from) as usize;
            match rustix::fs::copy_file_range(source, Some(&mut from), target, Some(&mut to), asked) {
                Ok(0) => return Err(Failure::Short(from)),
                Ok(found) => {
                    moved = true;
                    control.watch.wrote(found as u64);
                }
                Err(Errno::INTR) => {}
                Err(error @ (Errno::XDEV | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::PERM)) if !moved => {
                    return Err(Failure::Unsupported(error.into()));
                }
                // The kernel does not say which side failed; running out of room is the target's.
                Err(error) => return Err(Failure::Write(error.into())),
            }
        }
        written(range.end)?;
    }
    Ok(())
}

/// Only Linux has this call.
#[cfg(not(target_os = "linux"))]
pub(super) fn copy(_transfer: Transfer<'_>) -> Result<(), Failure> {
    Err(Failure::Unsupported(io::ErrorKind::Unsupported.into()))
}

/// Whether the kernel has `copy_file_range`.
pub(super) fn available() -> io::Result<()> {
    if cfg!(target_os = "linux") { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
}
