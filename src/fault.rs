//! What went wrong, of which kind, and what to type next.
//!
//! The kind decides the exit status and is the only thing code branches on, never the words. A
//! message is lower case without a full stop and names the path or name concerned; it never holds
//! plaintext. Where several kinds of error meet on the way to one message, they travel as
//! [`anyhow::Error`].

use std::fmt;

/// The kinds of failure that a caller can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line, a name or a value is not acceptable.
    Usage,
    /// There is no key, the key belongs to no member, or there is no pin.
    Locked,
    /// Something is tampered with, untrusted or corrupt.
    Refused,
    /// A wanted secret is absent or cannot be given to a process.
    Incomplete,
    /// A check ran to its end and found something.
    Found,
    /// A command printed secrets, and that is fatal.
    Leaked,
    /// The command exists and cannot be executed.
    NotExecutable,
    /// The command was not found.
    NotFound,
    /// A signal with this number, or its key, ended a question. It ends this process too.
    Interrupted(i32),
    /// Anything else: the disk, a permission, another program.
    Failed,
}

/// A failure with its kind and its hints.
#[derive(Clone, Debug)]
pub struct Fault {
    kind: Kind,
    message: String,
    hints: Vec<String>,
}

impl Fault {
    /// A failure of the given kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hints: Vec::new() }
    }

    /// [`Kind::Usage`].
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// [`Kind::Locked`].
    pub fn locked(message: impl Into<String>) -> Self {
        Self::new(Kind::Locked, message)
    }

    /// [`Kind::Refused`].
    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Kind::Refused, message)
    }

    /// [`Kind::Incomplete`].
    pub fn incomplete(message: impl Into<String>) -> Self {
        Self::new(Kind::Incomplete, message)
    }

    /// [`Kind::Failed`].
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Kind::Failed, message)
    }

    /// Adds a line that says what to do about it, best as a command to type.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }

    /// Adds the known name that is nearest to `typed` as a hint, if one is near.
    #[must_use]
    pub fn did_you_mean<'a>(self, typed: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(typed, known) {
            Some(near) => self.hint(format!("did you mean {near}?")),
            None => self,
        }
    }

    /// Says in front of the message where it went wrong; kind and hints stay.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The hints, in order.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

/// Returns the known name that is nearest to a shortened or mistyped one. Returns `None` if no name
/// is near.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    let known: Vec<(&str, String)> =
        known.into_iter().map(|name| (name, name.to_lowercase())).collect();
    let mut longer = known.iter().filter(|(_, folded)| folded.starts_with(&typed));
    if typed.len() >= SHORTEST_ABBREVIATION
        && let (Some((name, _)), None) = (longer.next(), longer.next())
    {
        return Some(name);
    }
    let farthest = 1 + typed.len() / 4;
    let distances =
        known.iter().map(|(name, folded)| (strsim::osa_distance(&typed, folded), *name));
    let near = distances.filter(|(distance, _)| *distance <= farthest);
    if let Some((_, name)) = near.min_by_key(|(distance, _)| *distance) {
        return Some(name);
    }
    let mut contracted = known.iter().filter(|(_, folded)| is_contraction(&typed, folded));
    match (contracted.next(), contracted.next()) {
        (Some((name, _)), None) if typed.len() >= SHORTEST_ABBREVIATION => Some(name),
        _ => None,
    }
}

/// Whether `short` is `long` with letters left out after the first, as `prd` is `production`.
fn is_contraction(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().next() == long.chars().next()
        && short.chars().all(|letter| rest.any(|other| other == letter))
}

/// A shorter beginning of a name says nothing about which name is meant.
const SHORTEST_ABBREVIATION: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistyped_or_shortened_name_gets_the_nearest() {
        let known = ["development", "production", "preview", "staging"];
        for (typed, near) in [
            ("prodction", Some("production")),
            ("PRODUCTION", Some("production")),
            ("prod", Some("production")),
            ("dev", Some("development")),
            ("prd", Some("production")),
            ("stg", Some("staging")),
            ("ooo", None),
            ("stagign", Some("staging")),
            ("pr", None),
            ("test", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), near, "{typed}");
        }
    }

    #[test]
    fn prefix_of_several_names_gets_none() {
        assert_eq!(nearest("prod", ["production-eu", "production-us"]), None);
    }
}
