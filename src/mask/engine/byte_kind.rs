//! Distinguishes the bytes that a terminal shows from transparent bytes, which can interrupt a
//! secret without making it unreadable.
//!
//! Transparent bytes are escape sequences (ECMA-48, and the string sequences OSC, DCS, SOS, PM, and
//! APC), CR, LF, and the blanks that follow a line break. Knows nothing of needles. The kind of a
//! byte depends on the bytes before it only, not on how they were split into writes.

/// A longer sequence is not a sequence: text continues after this many bytes. Terminals give up
/// earlier.
const LONGEST_SEQUENCE: u16 = 4096;

const ESC: u8 = 0x1b;

/// The kind of a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteKind {
    Visible,
    /// Part of an escape sequence.
    Sequence,
    /// CR, LF, or a blank that follows one.
    Break,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    Break,
    Escape,
    Intermediate,
    Control,
    String,
    StringEscape,
}

/// Classifies the bytes of a stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Classifier {
    state: State,
    /// No visible byte has come since the last line break, so blanks are indentation.
    after_break: bool,
    length: u16,
}

impl Classifier {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Text,
            after_break: false,
            length: 0,
        }
    }

    pub(super) fn is_within_sequence(self) -> bool {
        !matches!(self.state, State::Text | State::Break)
    }

    /// Takes the next byte.
    pub(super) fn read(&mut self, byte: u8) -> ByteKind {
        match self.state {
            State::Text | State::Break => self.begin(byte),
            State::Intermediate => match byte {
                0x20..=0x2f => self.continue_in(State::Intermediate),
                0x30..=0x7e => self.end_sequence(),
                _ => self.begin(byte),
            },
            State::Control => match byte {
                0x20..=0x3f => self.continue_in(State::Control),
                0x40..=0x7e => self.end_sequence(),
                _ => self.begin(byte),
            },
            State::String => match byte {
                0x07 | 0x18 | 0x1a => self.end_sequence(),
                ESC => self.continue_in(State::StringEscape),
                _ => self.continue_in(State::String),
            },
            State::StringEscape if byte == b'\\' => self.end_sequence(),
            // An ESC within a string: like xterm, abandon the string and read a new sequence.
            State::Escape | State::StringEscape => self.escape(byte),
        }
    }

    /// Classifies a byte outside of a sequence, or one that no sequence can contain.
    fn begin(&mut self, byte: u8) -> ByteKind {
        match byte {
            ESC => {
                self.length = 0;
                self.continue_in(State::Escape)
            }
            b'\r' | b'\n' => {
                self.state = State::Break;
                self.after_break = true;
                ByteKind::Break
            }
            b' ' | b'\t' if self.after_break => {
                self.state = State::Break;
                ByteKind::Break
            }
            _ => {
                self.state = State::Text;
                self.after_break = false;
                ByteKind::Visible
            }
        }
    }

    /// Classifies the byte after an ESC.
    fn escape(&mut self, byte: u8) -> ByteKind {
        match byte {
            b'[' => self.continue_in(State::Control),
            b']' | b'P' | b'X' | b'^' | b'_' => self.continue_in(State::String),
            0x20..=0x2f => self.continue_in(State::Intermediate),
            0x30..=0x7e => self.end_sequence(),
            ESC => self.continue_in(State::Escape),
            _ => self.begin(byte),
        }
    }

    /// Counts a byte of a sequence that is in `state` after it.
    fn continue_in(&mut self, state: State) -> ByteKind {
        self.state = state;
        self.length += 1;
        if self.length >= LONGEST_SEQUENCE {
            return self.end_sequence();
        }
        ByteKind::Sequence
    }

    /// Ends the sequence with this byte.
    fn end_sequence(&mut self) -> ByteKind {
        self.length = 0;
        self.state = if self.after_break {
            State::Break
        } else {
            State::Text
        };
        ByteKind::Sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(bytes: &[u8]) -> Vec<u8> {
        let mut classifier = Classifier::new();
        let shown = bytes
            .iter()
            .filter(|&&byte| classifier.read(byte) == ByteKind::Visible);
        shown.copied().collect()
    }

    #[test]
    fn sequences_breaks_and_indentation_are_not_visible() {
        for (bytes, shown) in [
            (&b"a\x1b[31;1mb\x1b[0mc"[..], &b"abc"[..]),
            (b"a\x1b]8;;http://x\x1b\\b\x1b]0;t\x07c", b"abc"),
            (b"a\r\n \t \x1b[2K  b c\nd", b"ab cd"),
            (b"a\x1b(Bb\x1b=c\x1bPq#0\x1b\\d", b"abcd"),
            (b"a\x1b\x1b[1mb", b"ab"),
            (b"a\x1b[1\xffb", b"a\xffb"),
            (b"a\x1b]x\x1b[1mb", b"ab"),
            (b"a b", b"a b"),
        ] {
            assert_eq!(visible(bytes), shown, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn endless_sequence_ends_at_its_limit() {
        let bytes = [b"\x1b]", &[b'x'; 5000][..]].concat();
        let shown = visible(&bytes);
        assert_eq!(shown.len(), bytes.len() - usize::from(LONGEST_SEQUENCE));
    }
}
