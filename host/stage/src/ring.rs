//! The engine on `io_uring`: blocks are read and written in whatever order the device likes, through registered memory.

use std::collections::VecDeque;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Range;
use std::os::fd::AsRawFd;

use io_uring::{IoUring, opcode, squeue, types};

use super::buffer::{ALIGNMENT, Blocks};
use super::extents::blocks;
use super::transfer::{Failure, Transfer};

/// A ring with its memory. It belongs to the thread that made it.
pub(super) struct Ring {
    /// The queues shared with the kernel; closed before the memory is freed.
    ring: ManuallyDrop<IoUring>,
    /// One block for each operation under way.
    memory: ManuallyDrop<Blocks>,
    /// Whether the kernel has the memory registered.
    registered: bool,
    /// Operations that the kernel has not answered.
    under_way: usize,
}

/// What a block of memory is used for.
#[derive(Debug, Clone)]
struct Slot {
    /// The number of the block in the file, among those copied.
    sequence: u64,
    /// The bytes of the file, without what alignment adds.
    range: Range<u64>,
    /// Bytes of the operation that are through.
    moved: usize,
    /// Whether it is being written; otherwise it is being read.
    writing: bool,
}

/// What is written, as the length of the part without gaps.
#[derive(Debug, Default)]
struct Window {
    /// The number of the first block in `blocks`.
    first: u64,
    /// The end of each block that was begun, and whether it is written.
    blocks: VecDeque<(u64, bool)>,
}

impl Window {
    /// A block is written: gives the end of the part without gaps, if it grew.
    fn finish(&mut self, sequence: u64) -> Option<u64> {
        if let Some(block) = self.blocks.get_mut((sequence - self.first) as usize) {
            block.1 = true;
        }
        let mut end = None;
        while let Some(&(until, true)) = self.blocks.front() {
            self.blocks.pop_front();
            self.first += 1;
            end = Some(until);
        }
        end
    }
}

impl Ring {
    /// A ring for so many blocks of so many bytes.
    ///
    /// # Errors
    ///
    /// If the kernel has no `io_uring`, or does not let this process have it.
    pub(super) fn new(depth: usize, block: usize) -> io::Result<Self> {
        let depth = depth.clamp(1, 1024);
        let entries = depth.next_power_of_two() as u32;
        // A kernel before 6.1 does not know these two; they save interrupts only.
        let ring = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(entries);
        let ring = ring.or_else(|_| IoUring::new(entries))?;
        let memory = Blocks::new(depth, block);
        let parts: Vec<libc::iovec> = (0..memory.count())
            .map(|index| libc::iovec { iov_base: memory.address(index).cast(), iov_len: memory.block() })
            .collect();
        // SAFETY: the memory outlives the ring, as `drop` sees to.
        let registered = unsafe { ring.submitter().register_buffers(&parts) };
        if let Err(error) = &registered {
            tracing::info!(%error, "memory is not registered with io_uring: the limit of locked memory may be too low");
        }
        let (ring, memory) = (ManuallyDrop::new(ring), ManuallyDrop::new(memory));
        Ok(Self { ring, memory, registered: registered.is_ok(), under_way: 0 })
    }

    /// Copies with all blocks under way at once.
    pub(super) fn copy(&mut self, transfer: Transfer<'_>) -> Result<(), Failure> {
        let result = self.pump(transfer);
        // Files and memory must stay until the kernel is done with them.
        while self.under_way > 0 {
            if self.wait().is_err() {
                break;
            }
            let answered = self.ring.completion().count();
            self.under_way = self.under_way.saturating_sub(answered);
        }
        result
    }

    /// Copies until everything is written, or something fails.
    fn pump(&mut self, transfer: Transfer<'_>) -> Result<(), Failure> {
        let Transfer { source, target, extents, direct, mut hash, control, written, .. } = transfer;
        let (source, target) = (source.as_raw_fd(), target.as_raw_fd());
        let mut todo = blocks(extents, self.memory.block() as u64).zip(0..);
        let mut slots: Vec<Option<Slot>> = vec![None; self.memory.count()];
        let mut free: Vec<usize> = (0..slots.len()).rev().collect();
        let mut window = Window::default();
        // Blocks that were read, but are not digested: a digest takes them in order.
        let mut read: Vec<usize> = Vec::new();
        let mut next_digest = 0;
        loop {
            while let Some(&index) = free.last() {
                let Some((range, sequence)) = todo.next() else { break };
                free.pop();
                control.admit(range.end - range.start)?;
                window.blocks.push_back((range.end, false));
                let slot = slots[index].insert(Slot { sequence, range, moved: 0, writing: false });
                self.push(index, slot, source, direct)?;
            }
            if self.under_way == 0 {
                return Ok(());
            }
            self.wait().map_err(Failure::Write)?;
            let answers: Vec<(usize, i32)> =
                self.ring.completion().map(|answer| (answer.user_data() as usize, answer.result())).collect();
            self.under_way -= answers.len();
            for (index, result) in answers {
                let Some(slot) = slots.get_mut(index).and_then(Option::as_mut) else { continue };
                let length = (slot.range.end - slot.range.start) as usize;
                match usize::try_from(result) {
                    Ok(0) if slot.writing => return Err(Failure::Write(io::ErrorKind::WriteZero.into())),
                    Ok(0) => return Err(Failure::Short(slot.range.start + slot.moved as u64)),
                    Ok(moved) => slot.moved += moved,
                    Err(_) if matches!(-result, libc::EINTR | libc::EAGAIN) => {}
                    Err(_) => {
                        let error = io::Error::from_raw_os_error(-result);
                        return Err(if slot.writing { Failure::Write(error) } else { Failure::Read(error) });
                    }
                }
                if slot.moved < length {
                    if direct && !slot.moved.is_multiple_of(ALIGNMENT) {
                        // An O_DIRECT file gives part of a block at its end only, and takes whole blocks only.
                        if !slot.writing {
                            return Err(Failure::Short(slot.range.start + slot.moved as u64));
                        }
                        slot.moved -= slot.moved % ALIGNMENT;
                    }
                    let file = if slot.writing { target } else { source };
                    self.push(index, slot, file, direct)?;
                } else if slot.writing {
                    control.watch.wrote(length as u64);
                    if let Some(end) = window.finish(slot.sequence) {
                        written(end)?;
                    }
                    slots[index] = None;
                    free.push(index);
                } else {
                    read.push(index);
                }
            }
            // Blocks to write, as far as the digest has come.
            let mut position = 0;
            while position < read.len() {
                let index = read[position];
                let Some(slot) = slots[index].as_mut() else { break };
                let length = (slot.range.end - slot.range.start) as usize;
                if let Some(hash) = &mut hash {
                    if slot.sequence != next_digest {
                        position += 1;
                        continue;
                    }
                    hash.update(slot.range.start, &self.memory.get(index)[..length]);
                    next_digest += 1;
                }
                read.swap_remove(position);
                position = 0;
                if direct {
                    self.memory.get(index)[length..].fill(0);
                }
                (slot.moved, slot.writing) = (0, true);
                self.push(index, slot, target, direct)?;
            }
        }
    }

    /// Hands the rest of a slot's operation to the kernel.
    fn push(&mut self, index: usize, slot: &Slot, file: i32, direct: bool) -> Result<(), Failure> {
        let length = (slot.range.end - slot.range.start) as usize;
        let whole = if direct { length.next_multiple_of(ALIGNMENT) } else { length };
        let begin = slot.moved;
        let offset = slot.range.start + begin as u64;
        // A block's bytes and an index below 1024 fit.
        let (rest, fixed) = ((whole - begin) as u32, index as u16);
        let fd = types::Fd(file);
        let start = self.memory.address(index).wrapping_add(begin);
        let entry: squeue::Entry = match (slot.writing, self.registered) {
            (false, true) => opcode::ReadFixed::new(fd, start, rest, fixed).offset(offset).build(),
            (true, true) => opcode::WriteFixed::new(fd, start, rest, fixed).offset(offset).build(),
            (false, false) => opcode::Read::new(fd, start, rest).offset(offset).build(),
            (true, false) => opcode::Write::new(fd, start, rest).offset(offset).build(),
        };
        let entry = entry.user_data(index as u64);
        // SAFETY: file and memory stay until the operation is answered, as `copy` and `drop` see to; the block is not
        // touched in between.
        let pushed = unsafe { self.ring.submission().push(&entry) };
        pushed.map_err(|error| Failure::Write(io::Error::other(error)))?;
        self.under_way += 1;
        Ok(())
    }

    /// Submits what was pushed and waits for an answer.
    fn wait(&mut self) -> io::Result<()> {
        loop {
            match self.ring.submit_and_wait(1) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: neither is used after this.
        unsafe {
            ManuallyDrop::drop(&mut self.ring);
            // Memory that the kernel may still write to is never given back.
            if self.under_way == 0 {
                ManuallyDrop::drop(&mut self.memory);
            }
        }
    }
}
