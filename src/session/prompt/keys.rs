//! Keys, from the bytes that a terminal sends.
//!
//! Between the marks of a bracketed paste every byte is text. Outside, control characters and
//! escape sequences are keys; a sequence that means nothing here is a key without a meaning, never
//! text.

use crate::platform::ControlKeys;

/// A key that a person pressed, or text that they pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Text(u8),
    Pasted(u8),
    PasteEnd,
    Enter,
    Erase,
    EraseWord,
    EraseLine,
    EraseRest,
    Delete,
    Left,
    Right,
    Home,
    End,
    Interrupt,
    Quit,
    Suspend,
    EndOfInput,
    /// Nothing here.
    Meaningless,
}

/// The bytes that end a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// The longest sequence that is recognized.
const LONGEST_SEQUENCE: usize = 16;

enum State {
    /// Outside of sequences.
    Plain,
    /// After an escape.
    Escape,
    /// After an escape and an `O`.
    Application,
    /// In a control sequence, whose parameters these are.
    Sequence(Vec<u8>),
    /// In a paste, of whose end mark this many bytes have arrived.
    Paste(usize),
}

/// Finds keys in a stream of bytes.
pub(super) struct Decoder {
    codes: ControlKeys,
    state: State,
    /// Whether the byte before was a carriage return of a paste.
    after_return: bool,
    has_pairs: bool,
}

impl Decoder {
    pub(super) fn new(codes: ControlKeys) -> Self {
        Self {
            codes,
            state: State::Plain,
            after_return: false,
            has_pairs: false,
        }
    }

    /// Whether a paste has begun and not ended.
    pub(super) fn is_in_paste(&self) -> bool {
        matches!(self.state, State::Paste(_))
    }

    /// Whether a paste had carriage returns before newlines.
    pub(super) fn has_pairs(&self) -> bool {
        self.has_pairs
    }

    /// Gives `take` the keys that end with this byte.
    pub(super) fn feed(&mut self, byte: u8, take: &mut dyn FnMut(Key)) {
        match std::mem::replace(&mut self.state, State::Plain) {
            State::Paste(matched) => self.paste(matched, byte, take),
            State::Escape if byte == b'[' => self.state = State::Sequence(Vec::new()),
            State::Escape if byte == b'O' => self.state = State::Application,
            State::Sequence(mut parameters) if (0x20..0x40).contains(&byte) => {
                if parameters.len() < LONGEST_SEQUENCE {
                    parameters.push(byte);
                }
                self.state = State::Sequence(parameters);
            }
            State::Sequence(parameters) if (0x40..0x7f).contains(&byte) => {
                if (parameters.as_slice(), byte) == (b"200", b'~') {
                    self.state = State::Paste(0);
                } else {
                    take(sequence(&parameters, byte));
                }
            }
            State::Application if (0x40..0x7f).contains(&byte) => take(sequence(b"", byte)),
            State::Escape if (0x20..0x7f).contains(&byte) => take(Key::Meaningless),
            State::Plain => self.plain(byte, take),
            // A sequence that breaks off; the byte counts by itself.
            State::Escape | State::Application | State::Sequence(_) => {
                take(Key::Meaningless);
                self.plain(byte, take);
            }
        }
    }

    fn plain(&mut self, byte: u8, take: &mut dyn FnMut(Key)) {
        let codes = &self.codes;
        // A code of 0 is one that the terminal's user has turned off.
        let is = |code: u8| code != 0 && byte == code;
        take(match byte {
            b'\r' | b'\n' => Key::Enter,
            0x1b => {
                self.state = State::Escape;
                return;
            }
            _ if is(codes.interrupt) => Key::Interrupt,
            _ if is(codes.quit) => Key::Quit,
            _ if is(codes.suspend) => Key::Suspend,
            _ if is(codes.end) => Key::EndOfInput,
            _ if is(codes.erase) => Key::Erase,
            _ if is(codes.kill) => Key::EraseLine,
            0x7f | 0x08 => Key::Erase,
            0x17 => Key::EraseWord,
            0x0b => Key::EraseRest,
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x05 => Key::End,
            0x06 => Key::Right,
            _ => Key::Text(byte),
        });
    }

    /// A byte of a paste, of whose end mark `matched` bytes have arrived.
    fn paste(&mut self, matched: usize, byte: u8, take: &mut dyn FnMut(Key)) {
        if byte == PASTE_END[matched] {
            if matched + 1 < PASTE_END.len() {
                self.state = State::Paste(matched + 1);
            } else {
                self.after_return = false;
                take(Key::PasteEnd);
            }
            return;
        }
        // No mark after all. Only its first byte can start another one.
        for &held in &PASTE_END[..matched] {
            self.pasted(held, take);
        }
        if byte == PASTE_END[0] {
            self.state = State::Paste(1);
        } else {
            self.pasted(byte, take);
            self.state = State::Paste(0);
        }
    }

    /// Terminals send a newline of a paste as a carriage return, as if it were typed.
    fn pasted(&mut self, byte: u8, take: &mut dyn FnMut(Key)) {
        let is_second = self.after_return && byte == b'\n';
        self.after_return = byte == b'\r';
        self.has_pairs |= is_second;
        if !is_second {
            take(Key::Pasted(if byte == b'\r' { b'\n' } else { byte }));
        }
    }
}

fn sequence(parameters: &[u8], last: u8) -> Key {
    match (parameters, last) {
        (b"" | b"1", b'C') => Key::Right,
        (b"" | b"1", b'D') => Key::Left,
        (b"", b'H') | (b"1" | b"7", b'~') => Key::Home,
        (b"", b'F') | (b"4" | b"8", b'~') => Key::End,
        (b"3", b'~') => Key::Delete,
        (b"", b'M') => Key::Enter,
        _ => Key::Meaningless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODES: ControlKeys = ControlKeys {
        interrupt: 3,
        quit: 0x1c,
        suspend: 0x1a,
        erase: 0x7f,
        kill: 0x15,
        end: 4,
    };

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::new(CODES);
        let mut keys = Vec::new();
        for &byte in bytes {
            decoder.feed(byte, &mut |key| keys.push(key));
        }
        keys
    }

    fn pasted(bytes: &[u8]) -> Vec<u8> {
        let all = keys(&[b"\x1b[200~", bytes, b"\x1b[201~"].concat());
        let (last, keys) = all.split_last().unwrap();
        assert_eq!(*last, Key::PasteEnd);
        let byte = |key: &Key| match key {
            Key::Pasted(byte) => *byte,
            other => panic!("{other:?}"),
        };
        keys.iter().map(byte).collect()
    }

    #[test]
    fn control_bytes_and_sequences_are_parsed_as_keys() {
        use Key::*;
        assert_eq!(
            keys(b"a\x7f\x08\x15\x17\x0b\x01\x05\x03\x1c\x1a\x04\r\n\t\xc3"),
            [
                Text(b'a'),
                Erase,
                Erase,
                EraseLine,
                EraseWord,
                EraseRest,
                Home,
                End,
                Interrupt,
                Quit,
                Suspend,
                EndOfInput,
                Enter,
                Enter,
                Text(b'\t'),
                Text(0xc3)
            ]
        );
        assert_eq!(
            keys(b"\x1b[D\x1b[C\x1bOH\x1b[4~\x1b[3~\x1b[1;5D\x1b[12345678901234567890R\x1bx"),
            [
                Left,
                Right,
                Home,
                End,
                Delete,
                Meaningless,
                Meaningless,
                Meaningless
            ]
        );
        assert_eq!(
            keys(b"\x1b\x03\x1b[1\r"),
            [Meaningless, Interrupt, Meaningless, Enter]
        );
    }

    #[test]
    fn every_byte_of_a_paste_is_text() {
        let all: Vec<u8> = (0..=255).filter(|&byte| byte != b'\r').collect();
        assert_eq!(pasted(&all), all);
        assert_eq!(
            pasted(b"\x1b[20\x1b[201\x1b\x1b[200~"),
            b"\x1b[20\x1b[201\x1b\x1b[200~"
        );
        assert_eq!(pasted(b"a\rb\r\nc\nd\r\r"), b"a\nb\nc\nd\n\n");
    }
}
