//! The heap of the binary: freed memory is overwritten.
//!
//! A type can wipe its own memory, but neither the copies that a library made nor the block that a
//! vector left when it grew.
#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// The system's allocator, which also overwrites freed memory with zeros.
pub struct WipingHeap;

// SAFETY: memory comes from the system's allocator and is returned to it with the layout it was
// requested with. The write before that stays within a block that its owner has given up. Growing
// is left to the default implementation, which allocates, copies, and frees with these methods.
unsafe impl GlobalAlloc for WipingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller gives the guarantees that `System` requires.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller gives the guarantees that `System` requires.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this size, and its owner no longer uses it.
        unsafe {
            block.write_bytes(0, layout.size());
            // Keeps the compiler from removing the zeros as a write to freed memory.
            black_box(block);
            System.dealloc(block, layout);
        }
    }
}

/// Keeps the memory of `value` out of swap until the process ends. Has no effect if the kernel or
/// the caller's limit forbids it.
pub fn lock_memory<T: ?Sized>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<libc::c_void>();
    // SAFETY: locking does not change the memory's content.
    let _ = unsafe { libc::mlock(start, size_of_val(value)) };
}
