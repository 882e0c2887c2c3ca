//! Streams and descriptors that the caller opened for us.
#![expect(unsafe_code, reason = "a number becomes an owned descriptor")]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{BorrowedFd, FromRawFd, RawFd};

/// Standard input without a buffer of our own, in which plaintext would stay behind.
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// Puts `/dev/null` in the place of standard input, so that a command which follows cannot read
/// again what came from a file.
///
/// # Errors
/// The operating system's.
pub fn discard_input() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdin(File::open("/dev/null")?)?)
}

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
