//! The initial environment block, which `/proc/<pid>/environ` shows as long as this process lives.
#![expect(
    unsafe_code,
    reason = "the block can be reached through the C library's pointer only"
)]

use std::ffi::{CStr, c_char};

use crate::secret::Secret;

#[cfg(not(target_os = "macos"))]
fn block() -> *mut *mut c_char {
    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }
    // SAFETY: reads the pointer itself, which the C library initialized before `main`.
    unsafe { environ }
}

#[cfg(target_os = "macos")]
fn block() -> *mut *mut c_char {
    // SAFETY: the function has no preconditions, and its result is valid for the whole run.
    unsafe { *libc::_NSGetEnviron() }
}

/// Removes the value of the variable `name` from the initial environment block: returns the value
/// and overwrites it with zeros in every entry of that name. The variable stays, empty.
///
/// Must be called before a second thread exists, because the block has no lock.
#[must_use]
pub fn take_variable(name: &str) -> Option<Secret> {
    let mut taken = None;
    let mut entry = block();
    if entry.is_null() {
        return None;
    }
    // SAFETY: the block is an array of pointers to NUL-terminated writable strings that ends with a
    // null pointer. There is only one thread, so nothing else reads or writes it.
    unsafe {
        while !(*entry).is_null() {
            let text = CStr::from_ptr(*entry).to_bytes();
            let value = text
                .strip_prefix(name.as_bytes())
                .and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                let length = value.len();
                let start = (*entry).add(text.len() - length);
                taken.get_or_insert(Secret::new(value.to_vec()));
                for at in 0..length {
                    // Volatile, because this program never reads the bytes again and the write
                    // would be optimized away.
                    start.add(at).write_volatile(0);
                }
            }
            entry = entry.add(1);
        }
    }
    taken
}
