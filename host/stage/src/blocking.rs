//! The engine that reads a block, writes it, and goes on.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::buffer::{ALIGNMENT, Blocks};
use super::storage::blocks_ahead;
use super::transfer::{Failure, Transfer};

/// Copies with one block of memory.
pub(super) fn copy(transfer: Transfer<'_>, memory: &mut Blocks) -> Result<(), Failure> {
    let Transfer { source, target, extents, direct, mut hash, control, written, .. } = transfer;
    // What passes the page cache by is not read ahead.
    let ahead = (!direct).then_some(source);
    for range in blocks_ahead(ahead, extents, memory.block() as u64) {
        let length = (range.end - range.start) as usize;
        control.admit(length as u64)?;
        let buffer = memory.get(0);
        let asked = if direct { length.next_multiple_of(ALIGNMENT) } else { length };
        let found = fill(source, &mut buffer[..asked], range.start).map_err(Failure::Read)?;
        if found < length {
            return Err(Failure::Short(range.start + found as u64));
        }
        if let Some(hash) = &mut hash {
            hash.update(range.start, &buffer[..length]);
        }
        buffer[length..asked].fill(0);
        target.write_all_at(&buffer[..asked], range.start).map_err(Failure::Write)?;
        control.watch.wrote(length as u64);
        written(range.end)?;
    }
    Ok(())
}

/// Reads until the buffer is full or the file ends; gives how many bytes there were.
pub(super) fn fill(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(found) => filled += found,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // After a short read at the end, an O_DIRECT file refuses the offset.
            Err(error) if filled > 0 && error.kind() == io::ErrorKind::InvalidInput => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
