//! Reads a value from a prompt, standard input, or a file.
//!
//! An empty value is refused, because it may be the output of a command that failed. Notices mention
//! the bytes that were dropped, and those that were kept although they are rarely intended.

use std::io::{self, IsTerminal, Read};
use std::path::Path;

use crate::fault::{Fault, Kind};
use crate::import::foreign;
use crate::platform;
use crate::secret::Secret;
use crate::session::apply::too_long;
use crate::session::console::Console;
use crate::session::open::Session;
use crate::session::prompt::hidden;
use crate::vault::model::LONGEST_VALUE;
use crate::vault::name::{EnvironmentName, SecretName};

/// The treatment of the value.
#[derive(Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) empty: Empty,
    pub(crate) newline: FinalNewline,
}

/// Whether an empty value is allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Refused,
    Allowed,
}

/// Whether the newline at the end of a single line is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum FinalNewline {
    Dropped,
    Kept,
}

/// The length of the dropped end of a line: a carriage return and a newline.
const LINE_END: usize = 2;

/// Reads values, one after the other.
pub(super) struct Incoming<'a> {
    pub(super) console: Console,
    pub(super) session: &'a Session,
    pub(super) manner: Manner,
}

impl Incoming<'_> {
    /// Reads the value from a prompt at a terminal, or else from standard input.
    pub(super) fn typed_or_piped(
        &self,
        name: &SecretName,
        environments: &[EnvironmentName],
    ) -> Result<Secret, Fault> {
        if io::stdin().is_terminal() {
            let places: Vec<&str> = environments.iter().map(EnvironmentName::as_str).collect();
            return self.typed(name, &format!("{name} in {}: ", places.join(", ")));
        }
        if self.session.key.source.is_input() {
            return Err(Fault::usage(
                "standard input contains the key, so it cannot contain the value",
            )
            .hint("pass the value in a file: `--file PATH`"));
        }
        let failed = |error: io::Error| Fault::failed("could not read the value").because(error);
        self.finished(name, read(&mut platform::Input, name, failed)?)
    }

    /// Reads the value from the file at `path`.
    pub(super) fn file(
        &self,
        name: &SecretName,
        path: &Path,
        environments: &[EnvironmentName],
    ) -> Result<Secret, Fault> {
        if path == Path::new("-") || platform::own_descriptor(path) == Some(0) {
            return self.typed_or_piped(name, environments);
        }
        let failed = |error: io::Error| {
            Fault::failed(format!("could not read {}", path.display())).because(error)
        };
        let mut file = platform::open_named(path).map_err(failed)?;
        if file.is_terminal() {
            return Err(Fault::usage(format!("{} is a terminal", path.display()))
                .hint(format!("type the value at a prompt: `vault set {name}`")));
        }
        self.finished(name, read(&mut file, name, failed)?)
    }

    fn typed(&self, name: &SecretName, prompt: &str) -> Result<Secret, Fault> {
        // No question is needed: the option already gives the answer.
        if self.manner.empty == Empty::Allowed {
            return Ok(Secret::new(Vec::new()));
        }
        let typed =
            hidden(prompt, LONGEST_VALUE + LINE_END).map_err(|fault| match fault.kind() {
                Kind::Usage => fault.hint(format!("pass the value in a file: `{}`", piped(name))),
                _ => fault,
            })?;
        let value = typed.value.ok_or_else(|| too_long(name))?;
        if typed.has_other_keys {
            self.console.warn(format!(
                "ignored keys that cannot be part of a value of {name}"
            ));
        }
        if typed.has_control_characters {
            self.console
                .warn(format!("{name} contains typed control characters"));
        }
        if typed.has_pairs {
            let text = format!("the carriage returns in {name} were pasted as newlines");
            self.console.note(text);
        }
        self.finished(name, value)
    }

    /// Returns the value without the end of its line. Refuses an empty value.
    fn finished(&self, name: &SecretName, mut value: Secret) -> Result<Secret, Fault> {
        if self.manner.newline == FinalNewline::Dropped {
            let ending = line_ending(value.expose());
            value.truncate(value.len() - ending.len());
            match ending {
                "" => {}
                "\n" => self
                    .console
                    .note(format!("dropped the newline at the end of {name}")),
                _ => self.console.note(format!(
                    "dropped the carriage return and the newline at the end of {name}"
                )),
            }
        }
        if value.is_empty() && self.manner.empty == Empty::Refused {
            return Err(
                Fault::usage(format!("the value of {name} is empty; nothing was stored")).hint(
                    format!("to store an empty value: `vault set {name} --empty`"),
                ),
            );
        }
        for oddity in oddities(value.expose()) {
            self.console.warn(format!("{name} {oddity}"));
        }
        Ok(value)
    }
}

fn piped(name: &SecretName) -> String {
    format!("vault set {name} < FILE")
}

/// Reads a value that may be followed by the end of a line.
fn read(
    source: &mut dyn Read,
    name: &SecretName,
    failed: impl Fn(io::Error) -> Fault,
) -> Result<Secret, Fault> {
    Secret::read(source, LONGEST_VALUE + LINE_END).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => too_long(name),
        _ => failed(error),
    })
}

/// Returns the end of a single line, which an editor, `echo`, or a Windows program adds
/// unintentionally. In a value of several lines, such as a PEM file, it is part of the value.
fn line_ending(value: &[u8]) -> &'static str {
    if value.iter().position(|&byte| byte == b'\n') != value.len().checked_sub(1) {
        return "";
    }
    if value.ends_with(b"\r\n") {
        "\r\n"
    } else if value.is_empty() {
        ""
    } else {
        "\n"
    }
}

/// Returns the rarely intended parts of a value, each as the end of a sentence.
fn oddities(value: &[u8]) -> Vec<String> {
    let mut oddities = Vec::new();
    let mut mention = |text: &str| oddities.push(text.to_owned());
    if value.starts_with(b"\xef\xbb\xbf") {
        mention("begins with a byte order mark, which is kept");
    }
    if value.starts_with(b"\xff\xfe") || value.starts_with(b"\xfe\xff") {
        mention("begins with the byte order mark of UTF-16, which few programs read");
    }
    if value.contains(&b'\r') {
        mention("has carriage returns, which are kept");
    }
    // The newline at the end does not count as a blank.
    let line = value.strip_suffix(b"\n").unwrap_or(value);
    let text = line.strip_suffix(b"\r").unwrap_or(line);
    match (is_blank_first(text), is_blank_last(text)) {
        (true, true) => mention("begins and ends with blanks, which are kept"),
        (true, false) => mention("begins with blanks, which are kept"),
        (false, true) => mention("ends with blanks, which are kept"),
        (false, false) => {}
    }
    if let Some(tool) = foreign::ciphertext(value) {
        oddities.push(format!("is encrypted by {tool}; store the decrypted value"));
    }
    oddities
}

fn is_blank_first(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.first().is_some_and(|byte| is_blank(*byte)) || text.starts_with(NO_BREAK_SPACE)
}

fn is_blank_last(text: &[u8]) -> bool {
    text.last().is_some_and(|byte| is_blank(*byte)) || text.ends_with(NO_BREAK_SPACE)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c)
}

const NO_BREAK_SPACE: &[u8] = "\u{a0}".as_bytes();
