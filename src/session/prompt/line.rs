//! A line that is being typed: a secret with a cursor in it.

use crate::secret::Secret;

/// The text typed so far.
pub(super) struct Line {
    text: Secret,
    /// Always between two characters of UTF-8, if the text is UTF-8.
    cursor: usize,
    longest: usize,
    is_cut: bool,
}

impl Line {
    /// An empty line that takes at most `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            text: Secret::with_capacity(256),
            cursor: 0,
            longest,
            is_cut: false,
        }
    }

    /// Inserts a byte at the cursor. If the line is full, the byte is dropped and noted.
    pub(super) fn insert(&mut self, byte: u8) {
        if self.text.len() >= self.longest {
            self.is_cut = true;
            return;
        }
        self.cursor += 1;
        if self.cursor > self.text.len() {
            self.text.extend(&[byte]);
            return;
        }
        let (before, after) = self.text.expose().split_at(self.cursor - 1);
        let mut text = Secret::with_capacity(self.text.len() + 256);
        text.extend(before);
        text.extend(&[byte]);
        text.extend(after);
        self.text = text;
    }

    /// Removes everything, also a note that something was cut.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.longest);
    }

    /// Removes the character before the cursor.
    pub(super) fn erase(&mut self) {
        self.remove(self.before(), self.cursor);
    }

    /// Removes the character at the cursor.
    pub(super) fn delete(&mut self) {
        self.remove(self.cursor, self.after());
    }

    /// Removes the word before the cursor and the blanks after it.
    pub(super) fn erase_word(&mut self) {
        let before = &self.text.expose()[..self.cursor];
        let word = before.trim_ascii_end();
        let start = word
            .iter()
            .rposition(u8::is_ascii_whitespace)
            .map_or(0, |blank| blank + 1);
        self.remove(start, self.cursor);
    }

    /// Removes everything after the cursor.
    pub(super) fn erase_rest(&mut self) {
        self.text.truncate(self.cursor);
    }

    /// Moves the cursor one character to the left.
    pub(super) fn left(&mut self) {
        self.cursor = self.before();
    }

    /// Moves the cursor one character to the right.
    pub(super) fn right(&mut self) {
        self.cursor = self.after();
    }

    /// Moves the cursor to the start.
    pub(super) fn home(&mut self) {
        self.cursor = 0;
    }

    /// Moves the cursor to the end.
    pub(super) fn end(&mut self) {
        self.cursor = self.text.len();
    }

    /// How many newlines a paste has brought.
    pub(super) fn newlines(&self) -> usize {
        self.text.expose().split(|&byte| byte == b'\n').count() - 1
    }

    /// Whether the text can only be the first line of a longer one: the start of PEM or of JSON.
    pub(super) fn is_first_of_several(&self) -> bool {
        let text = self.text.expose().trim_ascii();
        let has_end = text.windows(9).any(|part| part == b"-----END ");
        text.starts_with(b"-----BEGIN ") && !has_end || matches!(text, b"{" | b"[")
    }

    /// The text; `None` if it is longer than the line may be.
    pub(super) fn finished(self) -> Option<Secret> {
        (!self.is_cut).then_some(self.text)
    }

    /// Where the character before the cursor starts.
    fn before(&self) -> usize {
        let before = &self.text.expose()[..self.cursor];
        before
            .iter()
            .rposition(|&byte| !continues(byte))
            .unwrap_or(0)
    }

    /// Where the character at the cursor ends.
    fn after(&self) -> usize {
        let after = self
            .text
            .expose()
            .get(self.cursor + 1..)
            .unwrap_or_default();
        let rest = after.iter().take_while(|&&byte| continues(byte)).count();
        (self.cursor + 1 + rest).min(self.text.len())
    }

    fn remove(&mut self, from: usize, to: usize) {
        let mut text = Secret::with_capacity(self.text.len() + 256);
        text.extend(&self.text.expose()[..from]);
        text.extend(&self.text.expose()[to..]);
        self.text = text;
        self.cursor = from;
    }
}

/// Whether a byte of UTF-8 belongs to the character before it.
fn continues(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str) -> Line {
        let mut line = Line::new(100);
        for byte in text.bytes() {
            line.insert(byte);
        }
        line
    }

    fn text(line: Line) -> String {
        String::from_utf8(line.finished().unwrap().expose().to_vec()).unwrap()
    }

    #[test]
    fn editing_keys_change_whole_characters() {
        type Edit = fn(&mut Line);
        let cases: [(&str, &[Edit], &str); 12] = [
            ("aü€", &[Line::erase], "aü"),
            ("aü€", &[Line::erase, Line::erase], "a"),
            ("a", &[Line::erase, Line::erase], ""),
            ("one two  ", &[Line::erase_word], "one "),
            ("one", &[Line::erase_word], ""),
            ("aü€", &[Line::left, Line::left, Line::delete], "a€"),
            ("aü€", &[Line::home, Line::right, Line::erase_rest], "a"),
            ("ab", &[Line::home, Line::end, Line::erase], "a"),
            ("ab", &[Line::right, Line::delete], "ab"),
            ("ab", &[Line::left, |line| line.insert(b'x')], "axb"),
            (
                "ab",
                &[
                    Line::home,
                    |line| line.insert(b'x'),
                    |line| line.insert(b'y'),
                ],
                "xyab",
            ),
            ("ab", &[Line::clear], ""),
        ];
        for (before, edits, after) in cases {
            let mut line = typed(before);
            for edit in edits {
                edit(&mut line);
            }
            assert_eq!(text(line), after, "{before}");
        }
    }

    #[test]
    fn text_of_a_full_line_is_refused() {
        let mut line = typed(&"x".repeat(101));
        line.clear();
        line.insert(b'a');
        assert_eq!(text(line), "a");
        assert!(typed(&"x".repeat(101)).finished().is_none());
    }
}
