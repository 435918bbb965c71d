//! What the file system and the page cache are told about a file beside its data.

use std::fs::File;
use std::io;
use std::iter::from_fn;
#[cfg(target_os = "linux")]
use std::num::NonZeroU64;
use std::ops::Range;

#[cfg(target_os = "linux")]
use rustix::fs::OFlags;
#[cfg(target_os = "linux")]
use rustix::io::Errno;

/// Extents in blocks, each while the device reads the next one of a file: the system reads little ahead, if nobody has set it
/// to.
pub(super) fn blocks_ahead<'a>(
    file: Option<&'a File>,
    extents: &'a [Range<u64>],
    block: u64,
) -> impl Iterator<Item = Range<u64>> + 'a {
    let mut blocks = super::extents::blocks(extents, block).peekable();
    from_fn(move || {
        let range = blocks.next()?;
        if let (Some(file), Some(next)) = (file, blocks.peek()) {
            read_ahead(file, next.clone());
        }
        Some(range)
    })
}

/// Has the file system set the file's blocks aside, so that a full device is known at once.
#[cfg(target_os = "linux")]
pub(super) fn reserve(file: &File, size: u64) -> io::Result<()> {
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, size) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => Ok(()),
        result => Ok(result?),
    }
}

/// Other systems find out as they write.
#[cfg(not(target_os = "linux"))]
pub(super) fn reserve(_file: &File, _size: u64) -> io::Result<()> {
    Ok(())
}

/// Passes the page cache by from here on, or no longer.
#[cfg(target_os = "linux")]
pub(super) fn set_direct(file: &File, on: bool) -> io::Result<()> {
    let mut flags = rustix::fs::fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, on);
    Ok(rustix::fs::fcntl_setfl(file, flags)?)
}

/// Other systems have other ways.
#[cfg(not(target_os = "linux"))]
pub(super) fn set_direct(_file: &File, _on: bool) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Has the device read a part of a file while something else is copied. That it does not is no error.
#[cfg(target_os = "linux")]
pub(super) fn read_ahead(file: &File, range: Range<u64>) {
    // Of each call the kernel takes no more than the device reads at once, or than it reads ahead of its own accord: 128 KiB,
    // where nobody has set that.
    const PIECE: u64 = 128 << 10;
    for piece in super::extents::blocks(&[range], PIECE) {
        let length = NonZeroU64::new(piece.end - piece.start);
        let _ = rustix::fs::fadvise(file, piece.start, length, rustix::fs::Advice::WillNeed);
    }
}

/// Other systems have other ways.
#[cfg(not(target_os = "linux"))]
pub(super) fn read_ahead(_file: &File, _range: Range<u64>) {}

/// Has the device, not the page cache, answer the reads that follow.
#[cfg(target_os = "linux")]
pub(super) fn drop_cache(file: &File) -> io::Result<()> {
    rustix::fs::fdatasync(file)?;
    Ok(rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed)?)
}

/// Other systems do not say how.
#[cfg(not(target_os = "linux"))]
pub(super) fn drop_cache(file: &File) -> io::Result<()> {
    file.sync_data()
}
