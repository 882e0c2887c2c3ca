//! The expected text of a run, and the accept mode: with `SNAPSHOTS=overwrite`, a snapshot that
//! does not match is rewritten in place, in the test or in its file.
//!
//! Text that differs from run to run is redacted before the comparison: `[ROOT]` is the sandbox,
//! `[ID]` the id of a vault, `[TAG]` a revocation after it, `[RECIPIENT]` a public key, `[HASH]` that
//! of one, `[KEY]` a
//! private one, `[SIGNER]` a member's verifying key, `[CREDENTIAL]`, `[FINGERPRINT]`, `[COMMIT]`, and
//! `[TIME]`; a test adds its own with `Run::redact`. `[..]` is any text within a line, and a line
//! `...` any lines. The final newline, which every message has, is omitted.

use std::fmt::Display;

use repovault::crypto::Fingerprint;
use snapbox::assert::Action;
use snapbox::data::Inline;
use snapbox::{Assert, Data, IntoData};

use crate::support::sandbox::is_like;

/// The expected content of a stream.
#[derive(Clone)]
pub(crate) enum Expected {
    /// Exactly these bytes; in text, `[..]` matches any text within a line.
    Exact(Vec<u8>),
    Snapshot(Data),
}

impl Expected {
    pub(crate) fn nothing() -> Self {
        Self::Exact(Vec::new())
    }

    /// Panics if `actual` differs.
    #[track_caller]
    pub(crate) fn check(&self, what: &str, actual: &[u8], redacted: &Redacted, seen: &dyn Display) {
        match self {
            Self::Exact(expected) => {
                let (pattern, text) = (
                    String::from_utf8_lossy(expected),
                    String::from_utf8_lossy(actual),
                );
                let same =
                    actual == expected || (pattern.contains("[..]") && is_like(&pattern, &text));
                assert!(same, "{what}\n{seen}\nexpected:\n{pattern}");
            }
            Self::Snapshot(expected) => {
                let text = redacted.apply(&String::from_utf8_lossy(actual));
                let is_whole = text.is_empty() || text.ends_with('\n');
                assert!(is_whole, "{what} does not end with a newline\n{seen}");
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let result = assert().try_eq(Some(&what), text.into_data(), expected.clone());
                result.unwrap_or_else(|error| panic!("{error}\n{seen}"));
            }
        }
    }
}

fn assert() -> Assert {
    Assert::new().action_env("SNAPSHOTS").normalize_paths(false)
}

/// Whether a snapshot that does not fit is rewritten.
pub(crate) fn is_accepted() -> bool {
    assert().selected_action() == Action::Overwrite
}

/// The text, redacted, with the `[..]` of those lines of `pattern` that fit.
pub(crate) fn accepted(pattern: &str, text: &str, redacted: &Redacted) -> String {
    let (text, _) = assert().normalize(text.into_data(), pattern.into_data());
    redacted.apply(&text.to_string())
}

impl From<Inline> for Expected {
    fn from(snapshot: Inline) -> Self {
        Self::Snapshot(snapshot.into_data())
    }
}

impl From<&Inline> for Expected {
    fn from(snapshot: &Inline) -> Self {
        snapshot.clone().into()
    }
}

impl From<Data> for Expected {
    fn from(snapshot: Data) -> Self {
        Self::Snapshot(snapshot)
    }
}

/// Text or bytes that are compared without redaction.
macro_rules! exact {
    ($($type:ty),*) => {$(
        impl From<$type> for Expected {
            fn from(expected: $type) -> Self {
                let bytes: &[u8] = expected.as_ref();
                Self::Exact(bytes.to_vec())
            }
        }
    )*};
}
exact!(&str, String, &String, &&str, Vec<u8>, &Vec<u8>, &[u8]);

impl<const LENGTH: usize> From<&[u8; LENGTH]> for Expected {
    fn from(bytes: &[u8; LENGTH]) -> Self {
        Self::Exact(bytes.to_vec())
    }
}

/// The replacements in a run's text before it is compared with a snapshot.
pub(crate) struct Redacted {
    /// Placeholder and text.
    named: Vec<(String, String)>,
}

impl Redacted {
    /// Redacts the sandbox's path.
    pub(crate) fn below(root: &str) -> Self {
        Self {
            named: vec![("[ROOT]".to_owned(), root.to_owned())],
        }
    }

    /// Redacts this text, before all texts that were added earlier.
    pub(crate) fn add(&mut self, placeholder: &str, text: &str) {
        assert!(!text.is_empty(), "{placeholder} stands for nothing");
        self.named
            .insert(0, (placeholder.to_owned(), text.to_owned()));
    }

    fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (placeholder, value) in &self.named {
            text = text.replace(value, placeholder);
        }
        // A part of a credential can look like a signer, and a part of a signer like a fingerprint.
        let without_credentials = with_words(&text, "-:_", redacted_credential);
        let without_signers = with_words(&without_credentials, "+/", redacted_signer);
        without_tags(&with_words(&without_signers, "-:_…", redacted_word))
    }
}

/// Replaces the tag of a revocation after a vault's id, and as a text of its own in JSON.
fn without_tags(text: &str) -> String {
    let is_mixed = |tag: &str| {
        let has = |kind: fn(&u8) -> bool| tag.as_bytes().iter().any(kind);
        has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase)
    };
    let after_ids = with_tags(text, "[ID]@", |_, _| true);
    with_tags(&after_ids, "\"", |tag, rest| {
        rest.starts_with('"') && is_mixed(tag)
    })
}

fn with_tags(text: &str, before: &str, is_tag: impl Fn(&str, &str) -> bool) -> String {
    let mut parts = text.split(before);
    let mut replaced = parts.next().unwrap_or_default().to_owned();
    let is_of_tag = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        let end = part.find(|c| !is_of_tag(c)).unwrap_or(part.len());
        let closed = if parts.peek().is_some() { before } else { "" };
        let rest = [&part[end..], closed].concat();
        let is_tag = end == 22 && is_tag(&part[..end], &rest);
        let tag = if is_tag { "[TAG]" } else { &part[..end] };
        replaced = replaced + before + tag + &part[end..];
    }
    replaced
}

/// Replaces each word of the text; a word consists of letters, digits, and `others`.
fn with_words(text: &str, others: &str, replace: fn(&str) -> String) -> String {
    let is_of_word =
        |character: char| character.is_ascii_alphanumeric() || others.contains(character);
    let (mut replaced, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(is_of_word) {
        let word = &rest[start..];
        let word = &word[..word.find(|c| !is_of_word(c)).unwrap_or(word.len())];
        replaced.push_str(&rest[..start]);
        replaced.push_str(&replace(word));
        rest = &rest[start + word.len()..];
    }
    replaced + rest
}

fn redacted_credential(word: &str) -> String {
    let bare = word.trim_end_matches(':');
    if bare.starts_with("vaultci1_") && bare.len() > 30 {
        "[CREDENTIAL]".to_owned() + &word[bare.len()..]
    } else {
        word.to_owned()
    }
}

/// A verifying key is 32 bytes in base64.
fn redacted_signer(word: &str) -> String {
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let is_mixed =
        has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    if word.len() == 43 && is_mixed {
        "[SIGNER]".to_owned()
    } else {
        word.to_owned()
    }
}

/// The word or its placeholder. A colon at the end belongs to the sentence.
fn redacted_word(word: &str) -> String {
    let bare = word.trim_end_matches(':');
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let time = || word.len() == 20 && word.ends_with('Z') && word[10..].starts_with('T');
    let placeholder = match bare {
        _ if bare.starts_with("AGE-SECRET-KEY-") && bare.len() > 30 => "[KEY]",
        _ if bare.starts_with("vault1") && bare.len() > 30 => "[ID]",
        _ if bare.starts_with("age1") && bare.len() > 30 => "[RECIPIENT]",
        _ if bare.len() == 40 && is_hex(bare) => "[COMMIT]",
        _ if bare.len() == 64 && is_hex(bare) => "[HASH]",
        _ if bare.len() == Fingerprint::LENGTH && bare.parse::<Fingerprint>().is_ok() => {
            "[FINGERPRINT]"
        }
        _ if time() => "[TIME]",
        _ => return word.to_owned(),
    };
    placeholder.to_owned() + &word[bare.len()..]
}
