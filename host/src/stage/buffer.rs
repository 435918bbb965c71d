//! Memory for blocks, aligned for `O_DIRECT`.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// The alignment of memory, offsets and lengths for `O_DIRECT`, in bytes: no device in use asks for more.
pub(super) const ALIGNMENT: usize = 4096;

/// Equal blocks of aligned memory.
#[derive(Debug)]
pub(super) struct Blocks {
    /// The first byte.
    start: NonNull<u8>,
    /// Of all blocks.
    layout: Layout,
    /// Bytes of one block, a multiple of [`ALIGNMENT`].
    block: usize,
}

// SAFETY: the memory belongs to this value alone, and is reached through it only.
unsafe impl Send for Blocks {}

impl Blocks {
    /// So many blocks of at least so many bytes, all zero.
    pub(super) fn new(count: usize, block: usize) -> Self {
        let block = block.max(1).next_multiple_of(ALIGNMENT);
        let length = block.saturating_mul(count.max(1));
        let Ok(layout) = Layout::from_size_align(length, ALIGNMENT) else {
            handle_alloc_error(Layout::new::<u8>());
        };
        // SAFETY: the layout has a size above 0.
        let start = unsafe { alloc_zeroed(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        Self { start, layout, block }
    }

    /// Bytes of one block.
    pub(super) fn block(&self) -> usize {
        self.block
    }

    /// How many blocks there are.
    pub(super) fn count(&self) -> usize {
        self.layout.size() / self.block
    }

    /// A block.
    pub(super) fn get(&mut self, index: usize) -> &mut [u8] {
        assert!(index < self.count(), "block {index} of {}", self.count());
        // SAFETY: the block lies within the allocation, which is initialised and borrowed as a whole.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr().add(index * self.block), self.block) }
    }

    /// The address of a block, for the kernel.
    #[cfg(target_os = "linux")]
    pub(super) fn address(&self, index: usize) -> *mut u8 {
        assert!(index < self.count(), "block {index} of {}", self.count());
        // SAFETY: the block lies within the allocation.
        unsafe { self.start.as_ptr().add(index * self.block) }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout, and freed here only.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}
