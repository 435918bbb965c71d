//! Where a sparse file has data.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::buffer::ALIGNMENT;

/// The ranges of a file that hold data, in order, in bytes; rounded out to whole blocks but for the end of the file.
///
/// # Errors
///
/// If the file cannot be asked.
pub(super) fn data(file: &File, size: u64, sparse: bool) -> io::Result<Vec<Range<u64>>> {
    if sparse { holes_between(file, size) } else { Ok(whole(size)) }
}

/// All of a file.
fn whole(size: u64) -> Vec<Range<u64>> {
    std::iter::once(0..size).filter(|all| !all.is_empty()).collect()
}

/// Asks the file system for data and holes in turn.
#[cfg(any(target_os = "linux", target_os = "macos", target_os = "freebsd"))]
fn holes_between(file: &File, size: u64) -> io::Result<Vec<Range<u64>>> {
    use rustix::fs::{SeekFrom, seek};
    use rustix::io::Errno;

    let align = ALIGNMENT as u64;
    let mut found: Vec<Range<u64>> = Vec::new();
    let mut position = 0;
    while position < size {
        let begin = match seek(file, SeekFrom::Data(position)) {
            Ok(begin) if begin < size => begin / align * align,
            Ok(_) | Err(Errno::NXIO) => break,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(whole(size)),
            Err(error) => return Err(error.into()),
        };
        let end = seek(file, SeekFrom::Hole(begin.max(position)))?.max(position + 1);
        let end = end.next_multiple_of(align).min(size);
        match found.last_mut() {
            Some(last) if last.end >= begin => last.end = last.end.max(end),
            _ => found.push(begin..end),
        }
        position = end;
    }
    Ok(found)
}

/// Other systems do not say: everything is data.
#[cfg(not(any(target_os = "linux", target_os = "macos", target_os = "freebsd")))]
fn holes_between(_file: &File, size: u64) -> io::Result<Vec<Range<u64>>> {
    let _ = ALIGNMENT;
    Ok(whole(size))
}

/// What of these ranges lies at or behind an offset.
pub(super) fn from(extents: &[Range<u64>], offset: u64) -> Vec<Range<u64>> {
    extents.iter().filter(|extent| extent.end > offset).map(|extent| extent.start.max(offset)..extent.end).collect()
}

/// How many bytes these ranges hold.
pub(super) fn length(extents: &[Range<u64>]) -> u64 {
    extents.iter().map(|extent| extent.end - extent.start).sum()
}

/// Blocks of at most this many bytes, in order.
pub(super) fn blocks(extents: &[Range<u64>], block: u64) -> impl Iterator<Item = Range<u64>> + '_ {
    extents.iter().flat_map(move |extent| {
        let end = extent.end;
        (extent.start..end).step_by(block as usize).map(move |begin| begin..end.min(begin + block))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_ranges() {
        let ranges = [0..10, 20..21];
        assert_eq!(blocks(&ranges, 4).collect::<Vec<_>>(), [0..4, 4..8, 8..10, 20..21]);
        assert_eq!(from(&ranges, 9), [9..10, 20..21]);
        assert_eq!(length(&ranges), 11);
    }
}
