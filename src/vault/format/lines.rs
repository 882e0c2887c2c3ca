//! Machine-written files, taken apart by their lines: one comment, `key = value` in a fixed order, and
//! then tables. Costs no more than looking at each byte once.
//!
//! It may be generous, because a file is accepted only if writing its content gives the same bytes.

/// The lines that are left of a file's body.
pub(super) struct Lines<'a>(std::iter::Peekable<std::str::Lines<'a>>);

impl<'a> Lines<'a> {
    /// The lines after the comment and the format number. Returns `None` if the number is not 1.
    pub(super) fn of(body: &'a str) -> Option<Self> {
        let mut lines = body.lines().peekable();
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

    /// The value of the next line, which is taken only if its key is this one.
    pub(super) fn optional(&mut self, key: &str) -> Option<&'a str> {
        let (own, value) = self.0.peek()?.split_once(" = ")?;
        if own != key {
            return None;
        }
        self.0.next();
        Some(value)
    }

    /// The next table: a blank line, its header without the brackets, and its lines. Returns `None` if
    /// none is left.
    pub(super) fn table(&mut self) -> Option<Table<'a>> {
        self.0.next_if_eq(&"")?;
        let header = self.0.next()?.trim_matches(['[', ']']);
        let mut fields = Vec::new();
        while let Some(line) = self.0.next_if(|line| !line.is_empty()) {
            fields.push(line.split_once(" = ")?);
        }
        Some(Table { header, fields })
    }

    /// Whether no line is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.0.next().is_none()
    }
}

/// A table of a file.
pub(super) struct Table<'a> {
    /// Such as `members.bob`.
    pub(super) header: &'a str,
    /// Keys and values, in their order.
    pub(super) fields: Vec<(&'a str, &'a str)>,
}

impl<'a> Table<'a> {
    /// The value of this key.
    pub(super) fn get(&self, key: &str) -> Option<&'a str> {
        self.fields
            .iter()
            .find(|(own, _)| *own == key)
            .map(|(_, value)| *value)
    }
}

/// The text between the quotes of a string without escapes.
pub(super) fn unquoted(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The strings of a list.
pub(super) fn items(list: &str) -> Option<Vec<&str>> {
    match list.strip_prefix('[')?.strip_suffix(']')? {
        "" => Some(Vec::new()),
        items => items.split(", ").map(unquoted).collect(),
    }
}

/// What `read` makes of a value that may be missing. Returns `None` if it is there and cannot be read.
#[expect(clippy::option_option, reason = "absent is not the same as wrong")]
pub(super) fn if_there<T>(
    value: Option<&str>,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<Option<T>> {
    value.map_or(Some(None), |value| read(value).map(Some))
}
