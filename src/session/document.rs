//! A JSON document that holds plaintext: built byte by byte, so that the plaintext is only ever in
//! a [`Secret`]. All other documents are values of `serde_json`.

use crate::crypto::base64_encode;
use crate::secret::Secret;

/// One object in one line, `version` first.
pub(crate) struct Document(Secret);

impl Document {
    pub(crate) fn new() -> Self {
        let mut text = Secret::with_capacity(1024);
        text.extend(br#"{"version":1"#);
        Self(text)
    }

    /// Adds a field with text.
    pub(crate) fn text(mut self, name: &str, text: &str) -> Self {
        self.name(name);
        self.string(text);
        self
    }

    /// Adds a field that has no value.
    pub(crate) fn null(mut self, name: &str) -> Self {
        self.name(name);
        self.0.extend(b"null");
        self
    }

    /// Adds a field with the bytes as text, or, if they are not UTF-8, as base64 under a name that
    /// ends in `_base64`.
    pub(crate) fn bytes(mut self, name: &str, bytes: &Secret) -> Self {
        if let Ok(text) = str::from_utf8(bytes.expose()) {
            self.name(name);
            self.string(text);
        } else {
            self.name(&format!("{name}_base64"));
            self.base64(bytes);
        }
        self
    }

    /// The line with its end.
    pub(crate) fn finish(mut self) -> Secret {
        self.0.extend(b"}\n");
        self.0
    }

    fn name(&mut self, name: &str) {
        self.0.extend(b",");
        self.string(name);
        self.0.extend(b":");
    }

    /// A string as RFC 8259 has it. The second of two `#` is escaped, because `##[` is a command for
    /// some CI runners.
    fn string(&mut self, text: &str) {
        self.0.extend(b"\"");
        let mut before = ' ';
        for character in text.chars() {
            match character {
                '"' => self.0.extend(br#"\""#),
                '\\' => self.0.extend(br"\\"),
                '#' if before == '#' => self.0.extend(br"\u0023"),
                _ if character.is_control() => {
                    self.0
                        .extend(format!("\\u{:04x}", u32::from(character)).as_bytes());
                }
                _ => self.0.extend(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            before = character;
        }
        self.0.extend(b"\"");
    }

    /// A string of RFC 4648 section 4, with padding, as `base64 --decode` wants it.
    fn base64(&mut self, bytes: &Secret) {
        self.0.extend(b"\"");
        for chunk in bytes.expose().chunks(3) {
            self.0.extend(base64_encode(chunk).as_bytes());
            self.0.extend(&b"=="[..3 - chunk.len()]);
        }
        self.0.extend(b"\"");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(document: Document) -> Value {
        serde_json::from_slice(document.finish().expose()).unwrap()
    }

    #[test]
    fn text_is_the_same_after_parsing() {
        for text in [
            "",
            "a\"b\\c",
            "\0\x01\x1f\x7f\u{85}\n\t",
            "##[a] ###",
            "ä\u{1f512}\u{2028}",
        ] {
            let value = parsed(Document::new().bytes("value", &Secret::new(text.into())));
            assert_eq!(value, json!({ "version": 1, "value": text }));
        }
    }

    #[test]
    fn binary_value_becomes_padded_base64() {
        for (bytes, base64) in [
            (&b"\xff"[..], "/w=="),
            (b"\xff\xfe", "//4="),
            (b"\xff\xfe\xfd", "//79"),
        ] {
            let value = parsed(Document::new().bytes("value", &Secret::new(bytes.to_vec())));
            assert_eq!(value, json!({ "version": 1, "value_base64": base64 }));
        }
    }

    #[test]
    fn runner_commands_are_escaped() {
        let line = Document::new().text("a", "##[b]").null("c").finish();
        assert_eq!(
            line.expose(),
            b"{\"version\":1,\"a\":\"#\\u0023[b]\",\"c\":null}\n"
        );
    }
}
