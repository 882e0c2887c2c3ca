//! The little TOML that is written: strings that need no escapes, numbers, lists, tables.

use std::fmt::{Display, Write};

use crate::crypto::{Recipient, base64_decode, base64_encode};

/// Before every base64 text. Without it, scanners that look for secrets in files would take quoted
/// base64 for one.
pub(super) const BASE64: &str = "b64:";
/// Before every bech32 text, for the same reason.
pub(super) const BECH32: &str = "bech32:";

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
    pub(super) fn table(&mut self, header: impl Display) {
        self.line(format_args!("\n{header}"));
    }

    /// A bare value: a number, a date, `true`, or a list or table already written.
    pub(super) fn bare(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = {value}"));
    }

    /// A string. Names and prefixed texts hold nothing that TOML would have to escape.
    pub(super) fn text(&mut self, key: &str, value: impl Display) {
        self.line(format_args!("{key} = \"{value}\""));
    }

    /// Bytes, as canonical base64 with its prefix.
    pub(super) fn bytes(&mut self, key: &str, bytes: &[u8]) {
        self.line(format_args!("{key} = {}", quoted_bytes(bytes)));
    }

    /// A text in bech32 with its prefix.
    pub(super) fn bech32(&mut self, key: &str, text: impl Display) {
        self.line(format_args!("{key} = \"{BECH32}{text}\""));
    }

    /// The recipient of a member. The blank in an SSH key stops the scanners.
    pub(super) fn recipient(&mut self, recipient: &Recipient) {
        if recipient.is_ssh() {
            self.text("recipient", recipient);
        } else {
            self.bech32("recipient", recipient);
        }
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

/// Bytes as a quoted text.
pub(super) fn quoted_bytes(bytes: &[u8]) -> String {
    ["\"", BASE64, &base64_encode(bytes), "\""].concat()
}

/// The bytes of a text without its quotes.
pub(super) fn bytes_of(text: &str) -> Option<Vec<u8>> {
    base64_decode(text.strip_prefix(BASE64)?)
}

/// The bech32 text without its prefix.
pub(super) fn bech32_of(text: &str) -> Option<&str> {
    text.strip_prefix(BECH32)
}

/// The recipient that [`Body::recipient`] wrote.
pub(super) fn recipient_of(text: &str) -> Option<Recipient> {
    let recipient: Recipient = bech32_of(text).unwrap_or(text).parse().ok()?;
    (recipient.is_ssh() == bech32_of(text).is_none()).then_some(recipient)
}

/// `["A", "B"]`.
pub(super) fn list<'a, T: Display + 'a>(items: impl IntoIterator<Item = &'a T>) -> String {
    let mut text = "[".to_owned();
    for (at, item) in items.into_iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        write!(text, "{comma}\"{item}\"").expect("writing to a string does not fail");
    }
    text + "]"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Identity, NativeKind};

    #[test]
    fn recipient_is_read_as_it_is_written() {
        let ssh =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
        let age = Identity::generate(NativeKind::Classic)
            .recipient()
            .to_string();
        let prefixed = format!("{BECH32}{age}");
        assert!(recipient_of(ssh).unwrap().to_string() == ssh);
        assert!(recipient_of(&prefixed).unwrap().to_string() == age);
        for text in [
            &age,
            &format!("{BECH32}{ssh}"),
            &format!("{BASE64}{ssh}"),
            &format!("{ssh} comment"),
            &format!("{ssh}="),
            &ssh.replace(' ', "  "),
            &ssh.replace("ed25519", "rsa"),
        ] {
            assert!(recipient_of(text).is_none(), "{text}");
        }
    }
}
