//! Standard input, read without a buffer that is not wiped.

use std::fs::File;
use std::io::{self, Read};

use super::inherited;

/// Unbuffered standard input, so that no plaintext stays in a buffer.
pub struct Input;

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// Returns whether the caller opened standard input.
#[must_use]
pub fn is_input_open() -> bool {
    !inherited::was_closed(0)
}

/// Replaces standard input by `/dev/null`, so that a command that follows cannot read again what
/// came from a file.
///
/// # Errors
/// Returns the operating system's error.
pub fn discard_input() -> io::Result<()> {
    Ok(rustix::stdio::dup2_stdin(File::open("/dev/null")?)?)
}
