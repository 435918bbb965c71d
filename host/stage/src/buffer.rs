//! Memory for blocks, aligned for `O_DIRECT`.

use std::alloc::{Layout, handle_alloc_error};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// The alignment of memory, offsets and lengths for `O_DIRECT`, in bytes: no device in use asks for more.
pub(super) const ALIGNMENT: usize = 4096;

/// Bytes of a huge page, where there are any.
const HUGE: usize = 2 << 20;

/// Equal blocks of aligned memory. What is never touched takes none.
#[derive(Debug)]
pub(super) struct Blocks {
    /// What the system gave, and its bytes.
    mapping: (NonNull<c_void>, usize),
    /// The first byte of the first block.
    start: NonNull<u8>,
    /// How many blocks there are.
    count: usize,
    /// Bytes of one block, a multiple of [`ALIGNMENT`].
    block: usize,
}

// SAFETY: the memory belongs to this value alone, and is reached through it only.
unsafe impl Send for Blocks {}

impl Blocks {
    /// So many blocks of at least so many bytes, all zero.
    pub(super) fn new(count: usize, block: usize) -> Self {
        let (count, block) = (count.max(1), block.max(1).next_multiple_of(ALIGNMENT));
        let length = block.saturating_mul(count);
        let mapped = length.saturating_add(HUGE);
        // SAFETY: a mapping of nothing else, where the system likes.
        let mapping =
            unsafe { mmap_anonymous(null_mut(), mapped, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE) };
        let Some(mapping) = mapping.ok().and_then(NonNull::new) else {
            handle_alloc_error(Layout::from_size_align(length, ALIGNMENT).unwrap_or(Layout::new::<u8>()));
        };
        let skipped = mapping.cast::<u8>().align_offset(HUGE);
        // SAFETY: a mapping is aligned to a page, so that less than a huge page is skipped, and the length stays.
        let start = unsafe { mapping.cast::<u8>().add(skipped) };
        advise_huge(start, length);
        Self { mapping: (mapping, mapped), start, count, block }
    }

    /// Bytes of one block.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// How many blocks there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// A block.
    pub(super) fn get(&mut self, index: usize) -> &mut [u8] {
        assert!(index < self.count(), "block {index} of {}", self.count());
        // SAFETY: the block lies within the mapping, which is zero at first and borrowed as a whole.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(index * self.block), self.block) }
    }

    /// The address of a block, for the kernel.
    #[cfg(target_os = "linux")]
    pub(super) fn address(&self, index: usize) -> *mut u8 {
        assert!(index < self.count(), "block {index} of {}", self.count());
        // SAFETY: the block lies within the mapping.
        unsafe { self.start.as_ptr().add(index * self.block) }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // SAFETY: mapped in `new` with this length, and given back here only. That it cannot be is no harm.
        let _ = unsafe { munmap(self.mapping.0.as_ptr(), self.mapping.1) };
    }
}

/// Has the system use huge pages, where that fits. A device takes memory in pieces, one for each run of pages that lie
/// beside each other, and only so many (254 of a virtual disk): of small pages, 1 MiB is a request too large.
#[cfg(target_os = "linux")]
fn advise_huge(start: NonNull<u8>, length: usize) {
    use rustix::mm::{Advice, madvise};

    if length >= HUGE {
        // SAFETY: the range was mapped just now; the advice changes no byte. A kernel without huge pages refuses it.
        let _ = unsafe { madvise(start.as_ptr().cast(), length, Advice::LinuxHugepage) };
    }
}

/// Other systems choose for themselves.
#[cfg(not(target_os = "linux"))]
fn advise_huge(_start: NonNull<u8>, _length: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_zero_and_begin_with_a_huge_page() {
        let mut blocks = Blocks::new(3, HUGE / 2 + 1);
        assert_eq!((blocks.count(), blocks.block()), (3, HUGE / 2 + ALIGNMENT));
        assert_eq!(blocks.get(0).as_ptr() as usize % HUGE, 0);
        for index in 0..3 {
            let block = blocks.get(index);
            assert!(block.iter().all(|&byte| byte == 0), "block {index} has something in it");
            // The end of the last one lies within what was mapped.
            block.fill(1);
        }
    }
}
