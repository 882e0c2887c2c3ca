//! The initial environment block, which `/proc/<pid>/environ` shows for as long as we live.
#![expect(unsafe_code, reason = "the block can be reached through the C library's pointer only")]

use std::ffi::{CStr, c_char};

use crate::secret::Secret;

#[cfg(not(target_os = "macos"))]
fn block() -> *mut *mut c_char {
    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }
    // SAFETY: reading the pointer itself; the C library initialised it before `main`.
    unsafe { environ }
}

#[cfg(target_os = "macos")]
fn block() -> *mut *mut c_char {
    // SAFETY: the function has no preconditions; what it returns is valid for the whole run.
    unsafe { *libc::_NSGetEnviron() }
}

/// Takes the value of the variable `name` out of the initial environment block: returns it and
/// overwrites it there with zeros, in every entry of that name. The variable stays, empty.
///
/// Must be called before a second thread exists, since the block has no lock.
#[must_use]
pub fn take_variable(name: &str) -> Option<Secret> {
    let mut taken = None;
    let mut entry = block();
    if entry.is_null() {
        return None;
    }
    // SAFETY: the block is an array of pointers to NUL-terminated writable strings that ends with
    // a null pointer; only this thread exists, so nobody else reads or writes it.
    unsafe {
        while !(*entry).is_null() {
            let text = CStr::from_ptr(*entry).to_bytes();
            let value = text.strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="));
            if let Some(value) = value {
                let length = value.len();
                let start = (*entry).add(text.len() - length);
                taken.get_or_insert(Secret::new(value.to_vec()));
                for at in 0..length {
                    // Volatile, because nothing in this program reads the bytes again.
                    start.add(at).write_volatile(0);
                }
            }
            entry = entry.add(1);
        }
    }
    taken
}
