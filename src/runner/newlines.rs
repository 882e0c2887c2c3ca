//! Removes the carriage returns that a terminal adds.
//!
//! A terminal writes a carriage return before each newline. If output passes through two terminals,
//! the one added by the inner terminal must be removed, or a line would end with two.

use crate::secret::Wiped;

/// A stream in which a terminal has added a carriage return before every newline.
#[derive(Default)]
pub(super) struct Newlines {
    /// Whether the last byte was a carriage return, which is held until the next one is known.
    returned: bool,
}

impl Newlines {
    /// Returns the next bytes as they were before the terminal changed them.
    pub(super) fn without_returns(&mut self, bytes: &[u8]) -> Wiped<u8> {
        let mut undone = Wiped::from(Vec::with_capacity(bytes.len() + 1));
        for &byte in bytes {
            if self.returned && byte != b'\n' {
                undone.push(b'\r');
            }
            self.returned = byte == b'\r';
            if !self.returned {
                undone.push(byte);
            }
        }
        undone
    }

    /// Takes the held carriage return, if there is one.
    pub(super) fn take_held(&mut self) -> &'static [u8] {
        if std::mem::take(&mut self.returned) {
            b"\r"
        } else {
            b""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does the same as a terminal with `OPOST` and `ONLCR` (POSIX, 11.2.3).
    fn printed(text: &str) -> String {
        text.replace('\n', "\r\n")
    }

    #[test]
    fn carriage_returns_of_a_terminal_are_removed_in_any_chunks() {
        for text in ["a\nb\n", "\r50%\r51%\n", "a\r\nb", "\n\n\r\r\n", "\r"] {
            let printed = printed(text);
            for size in 1..=printed.len() {
                let mut newlines = Newlines::default();
                let mut undone = Vec::new();
                for chunk in printed.as_bytes().chunks(size) {
                    undone.extend_from_slice(&newlines.without_returns(chunk));
                }
                undone.extend_from_slice(newlines.take_held());
                assert_eq!(undone, text.as_bytes(), "{text:?} in pieces of {size}");
            }
        }
    }
}
