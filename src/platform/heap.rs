//! The heap of the binary: what is freed is overwritten first.
//!
//! A type can wipe what it holds, but not what a library copied on the way, nor the block that a
//! vector left behind when it grew.
#![expect(unsafe_code, reason = "an allocator hands out raw memory")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;

/// The system's allocator, with freed memory overwritten by zeros.
pub struct WipingHeap;

// SAFETY: memory comes from the system's allocator and goes back to it with the layout it was asked
// for. What is written before that lies within a block that its owner has given up. Growing is left
// to the default, which allocates, copies, and frees by these methods.
unsafe impl GlobalAlloc for WipingHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block has this size, and no one uses it any more.
        unsafe {
            block.write_bytes(0, layout.size());
            // The compiler must not take the zeros for useless because the block is freed.
            black_box(block);
            System.dealloc(block, layout);
        }
    }
}

/// Keeps the memory of `value` out of swap, until the process ends. Does nothing if the kernel or
/// the caller's limit does not allow that.
pub fn lock_memory<T: ?Sized>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<libc::c_void>();
    // SAFETY: locking changes nothing that is in the memory.
    let _ = unsafe { libc::mlock(start, size_of_val(value)) };
}
