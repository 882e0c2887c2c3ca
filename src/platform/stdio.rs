//! Standard input, read without a buffer that is not wiped.

use std::fs::File;
use std::io::{self, Read};

use super::inherited;

/// Standard input without a buffer of our own, in which plaintext would stay behind.
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// Whether the caller gave us a standard input.
#[must_use]
pub fn is_input_open() -> bool {
    !inherited::was_closed(0)
}

/// Puts `/dev/null` in the place of standard input, so that a command which follows cannot read
/// again what came from a file.
///
/// # Errors
/// The operating system's.
pub fn discard_input() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdin(File::open("/dev/null")?)?)
}
