//! Tells the bytes that a terminal shows from those through which a secret stays readable.
//!
//! Transparent are escape sequences (ECMA-48, and the string sequences OSC, DCS, SOS, PM, APC),
//! CR, LF and the blanks that follow a line break. Knows nothing of needles. What a byte is
//! depends only on the bytes before it, never on how they were cut into writes.

/// A sequence longer than this was none: what follows is text again. Terminals cut earlier.
const LONGEST_SEQUENCE: u16 = 4096;

const ESC: u8 = 0x1b;

/// What a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Visible,
    /// Part of an escape sequence.
    Sequence,
    /// CR, LF or a blank behind one.
    Break,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
    Text,
    Break,
    Escape,
    Intermediate,
    Control,
    String,
    StringEscape,
}

/// Where in a stream we are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    within: Within,
    /// Nothing visible came since the last line break, so blanks are indentation.
    after_break: bool,
    length: u16,
}

impl Reader {
    pub(super) const fn new() -> Self {
        Self { within: Within::Text, after_break: false, length: 0 }
    }

    pub(super) fn is_within_sequence(self) -> bool {
        !matches!(self.within, Within::Text | Within::Break)
    }

    /// Takes the next byte.
    pub(super) fn read(&mut self, byte: u8) -> Kind {
        match self.within {
            Within::Text | Within::Break => self.begin(byte),
            Within::Intermediate => match byte {
                0x20..=0x2f => self.on(Within::Intermediate),
                0x30..=0x7e => self.end(),
                _ => self.begin(byte),
            },
            Within::Control => match byte {
                0x20..=0x3f => self.on(Within::Control),
                0x40..=0x7e => self.end(),
                _ => self.begin(byte),
            },
            Within::String => match byte {
                0x07 | 0x18 | 0x1a => self.end(),
                ESC => self.on(Within::StringEscape),
                _ => self.on(Within::String),
            },
            Within::StringEscape if byte == b'\\' => self.end(),
            // Within a string xterm gives it up and reads a new sequence.
            Within::Escape | Within::StringEscape => self.escape(byte),
        }
    }

    fn begin(&mut self, byte: u8) -> Kind {
        match byte {
            ESC => {
                self.length = 0;
                self.on(Within::Escape)
            }
            b'\r' | b'\n' => {
                self.within = Within::Break;
                self.after_break = true;
                Kind::Break
            }
            b' ' | b'\t' if self.after_break => {
                self.within = Within::Break;
                Kind::Break
            }
            _ => {
                self.within = Within::Text;
                self.after_break = false;
                Kind::Visible
            }
        }
    }

    fn escape(&mut self, byte: u8) -> Kind {
        match byte {
            b'[' => self.on(Within::Control),
            b']' | b'P' | b'X' | b'^' | b'_' => self.on(Within::String),
            0x20..=0x2f => self.on(Within::Intermediate),
            0x30..=0x7e => self.end(),
            ESC => self.on(Within::Escape),
            _ => self.begin(byte),
        }
    }

    fn on(&mut self, within: Within) -> Kind {
        self.within = within;
        self.length += 1;
        if self.length >= LONGEST_SEQUENCE {
            return self.end();
        }
        Kind::Sequence
    }

    /// The sequence ends with this byte.
    fn end(&mut self) -> Kind {
        self.length = 0;
        self.within = if self.after_break { Within::Break } else { Within::Text };
        Kind::Sequence
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(bytes: &[u8]) -> Vec<u8> {
        let mut reader = Reader::new();
        let shown = bytes.iter().filter(|&&byte| reader.read(byte) == Kind::Visible);
        shown.copied().collect()
    }

    #[test]
    fn sequences_breaks_and_indentation_are_looked_through() {
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
    fn an_endless_sequence_ends_at_its_limit() {
        let bytes = [b"\x1b]", &[b'x'; 5000][..]].concat();
        let shown = visible(&bytes);
        assert_eq!(shown.len(), bytes.len() - usize::from(LONGEST_SEQUENCE));
    }
}
