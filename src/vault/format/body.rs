//! The little TOML that is written: strings that need no escapes, numbers, lists, tables.

use std::fmt::{Display, Write};

use crate::crypto::base64_encode;

/// Room for a usual entry, so that its text never has to move while it grows.
const USUAL: usize = 1 << 10;

/// A machine-written file while it is being written, without its last line.
pub(super) struct Body(String);

impl Body {
    /// Starts with the one comment and the format's number.
    pub(super) fn new(comment: &str) -> Self {
        let mut body = Self(String::with_capacity(USUAL));
        body.line(format_args!("# {comment}\nformat = 1"));
        body
    }

    /// A blank line and a table's header, brackets included.
    pub(super) fn table(&mut self, header: &str) {
        self.line(format_args!("\n{header}"));
    }

    /// A bare value: a number, a date, `true`, or a list or table already written.
    pub(super) fn bare(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {value}"));
    }

    /// A string. Names, ids and base64 hold nothing that TOML would have to escape.
    pub(super) fn text(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = \"{value}\""));
    }

    /// Bytes, as canonical base64.
    pub(super) fn bytes(&mut self, key: &str, bytes: &[u8]) {
        self.text(key, base64_encode(bytes));
    }

    /// The text; `before_signature` for files with tables, where a blank line parts the signature
    /// from the last of them.
    pub(super) fn finish(mut self, tables: Tables) -> String {
        if tables == Tables::Some {
            self.0.push('\n');
        }
        self.0
    }

    fn line(&mut self, line: impl Display) {
        writeln!(self.0, "{line}").expect("writing to a string does not fail");
    }
}

/// Whether a file has tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tables {
    None,
    Some,
}

/// `{ a = 1, b = 2 }`, or `{}`.
pub(super) fn inline_table(fields: impl Iterator<Item = String>) -> String {
    let fields: Vec<String> = fields.collect();
    if fields.is_empty() {
        "{}".to_owned()
    } else {
        format!("{{ {} }}", fields.join(", "))
    }
}

/// `["A", "B"]`.
pub(super) fn list<'a, T: Display + 'a>(items: impl IntoIterator<Item = &'a T>) -> String {
    let items: Vec<String> = items
        .into_iter()
        .map(|item| format!("\"{item}\""))
        .collect();
    format!("[{}]", items.join(", "))
}
