//! Descriptors that the caller opened for us.
#![expect(unsafe_code, reason = "a number becomes an owned descriptor")]

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, RawFd};

/// Takes over descriptor `number`, which is closed when the file is dropped.
///
/// # Errors
/// When it is one of 0, 1, 2 or not open.
pub fn file_from_descriptor(number: RawFd) -> io::Result<File> {
    if number <= 2 {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "0, 1 and 2 are the streams"));
    }
    // SAFETY: only asks the kernel for the flags; a number that is not open gives EBADF.
    let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
    rustix::io::fcntl_getfd(borrowed)?;
    // SAFETY: the descriptor is open, was inherited (we open nothing before keys are read, and
    // the standard library owns only 0, 1 and 2), and is taken over once.
    Ok(unsafe { File::from_raw_fd(number) })
}
