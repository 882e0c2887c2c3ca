//! Files without tables, taken apart by their lines: one comment, then `key = value` in a fixed order.
//! Costs no more than looking at each byte once.

/// The lines that are left of a file's body.
pub(super) struct Lines<'a>(std::str::Lines<'a>);

impl<'a> Lines<'a> {
    /// The lines after the comment and the format number. Returns `None` if the number is not 1.
    pub(super) fn of(body: &'a str) -> Option<Self> {
        let mut lines = body.lines();
        lines.next()?;
        (lines.next()? == "format = 1").then_some(Self(lines))
    }

    /// The key and the value of the next line.
    pub(super) fn next(&mut self) -> Option<(&'a str, &'a str)> {
        self.0.next()?.split_once(" = ")
    }

    /// The value of the next line, if its key is this one.
    pub(super) fn bare(&mut self, key: &str) -> Option<&'a str> {
        self.next()
            .filter(|(own, _)| *own == key)
            .map(|(_, value)| value)
    }

    /// The string in the next line, if its key is this one.
    pub(super) fn text(&mut self, key: &str) -> Option<&'a str> {
        unquoted(self.bare(key)?)
    }

    /// Whether no line is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.0.next().is_none()
    }
}

/// The text between the quotes of a string without escapes.
pub(super) fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}
