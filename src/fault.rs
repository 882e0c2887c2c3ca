//! Failures as users see them: a kind, the file concerned, a message, hints, and the cause.
//!
//! The kind decides the exit status and is the only thing that code branches on, never the words.
//! Nothing reads a message back: the file concerned is data of its own. A message is lower case,
//! has no period, and names the path or name concerned; it never holds plaintext.
//!
//! `{}` prints the message alone, `{:#}` the causes too, as [`anyhow::Error`] does. Commands add
//! context with `anyhow`; [`Fault::within`] is for the layers below them.

mod nearest;
mod plural;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

pub use nearest::nearest;
pub use plural::plural;

/// The folder that `vault` writes, next to `vault.toml`.
pub const STORE_FOLDER: &str = ".vault";

/// The kinds of failure, which decide the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The command line, a name or a value is not acceptable.
    Usage,
    /// The key or the pin is missing, or the key does not belong to a member.
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

impl Kind {
    /// The name for scripts, which never changes.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Locked => "locked",
            Self::Refused => "refused",
            Self::Incomplete => "incomplete",
            Self::Found => "found",
            Self::Leaked => "leaked",
            Self::NotExecutable => "not-executable",
            Self::NotFound => "not-found",
            Self::Interrupted(_) => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// A failure.
#[derive(Clone, Debug)]
pub struct Fault {
    kind: Kind,
    file: Option<String>,
    message: String,
    hints: Vec<String>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Fault {
    /// A failure of the given kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            file: None,
            message: message.into(),
            hints: Vec::new(),
            cause: None,
        }
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

    /// [`Kind::Refused`]: the file at `path` below `.vault` is not acceptable. An empty path is the
    /// folder itself.
    pub fn refused_file(path: &str, reason: impl Into<String>) -> Self {
        Self::refused(reason).in_file(below_store(path))
    }

    /// The same for a file that the repository has in a better state; the hint says how to get it.
    pub fn damaged_file(path: &str, reason: impl Into<String>) -> Self {
        Self::refused_file(path, reason).restore(path)
    }

    /// Names the file concerned, relative to the vault's folder. The message then follows it.
    #[must_use]
    pub fn in_file(mut self, file: impl Into<String>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Adds a line that says what to do about it, best as a command to type.
    #[must_use]
    pub fn hint(mut self, line: impl Into<String>) -> Self {
        self.hints.push(line.into());
        self
    }

    /// Adds the hint to put back the committed file at `path` below `.vault`, or, for an empty path,
    /// all of them.
    #[must_use]
    pub fn restore(self, path: &str) -> Self {
        let files = if path.is_empty() { "files" } else { "file" };
        self.hint(format!(
            "put back the committed {files}: `git checkout -- {}`",
            below_store(path)
        ))
    }

    /// Adds the hints of another failure.
    #[must_use]
    pub fn hints_of(mut self, other: &Self) -> Self {
        self.hints.extend(other.hints.iter().cloned());
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

    /// Adds the error that caused this one.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }

    /// Puts the place if it went wrong in front of the message and changes nothing else.
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

    /// The file concerned, relative to the vault's folder.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.file.as_deref()
    }

    /// The message and its causes, without the file concerned.
    #[must_use]
    pub fn reason(&self) -> String {
        let bare = Self {
            file: None,
            ..self.clone()
        };
        format!("{bare:#}")
    }

    /// The hints, in order.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(file) = &self.file {
            write!(f, "{file}: ")?;
        }
        f.write_str(&self.message)?;
        if f.alternate() {
            let mut next = self.source();
            while let Some(cause) = next {
                write!(f, ": {cause}")?;
                next = cause.source();
            }
        }
        Ok(())
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause
            .as_deref()
            .map(|cause| cause as &(dyn Error + 'static))
    }
}

/// A path below `.vault` as the vault's folder sees it.
fn below_store(path: &str) -> String {
    if path.is_empty() {
        STORE_FOLDER.to_owned()
    } else {
        format!("{STORE_FOLDER}/{path}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_file_is_named_in_message_and_hint() {
        let fault = Fault::damaged_file("dev/A.toml", "is empty");
        assert_eq!(fault.to_string(), ".vault/dev/A.toml: is empty");
        assert_eq!(
            (fault.file(), fault.reason().as_str()),
            (Some(".vault/dev/A.toml"), "is empty")
        );
        let hint = "put back the committed file: `git checkout -- .vault/dev/A.toml`";
        assert_eq!(fault.hints(), [hint]);
    }

    #[test]
    fn causes_follow_the_message_in_the_alternate_form() {
        let disk = std::io::Error::other("disk full");
        let inner = Fault::failed("could not write the state").because(disk);
        let fault = Fault::failed("could not remember the vault").because(inner);
        assert_eq!(fault.to_string(), "could not remember the vault");
        let whole = "could not remember the vault: could not write the state: disk full";
        assert_eq!(format!("{fault:#}"), whole);
        assert_eq!(format!("{:#}", anyhow::Error::from(fault)), whole);
    }

    #[test]
    fn context_keeps_kind_and_hints() {
        use anyhow::Context as _;

        let result: Result<(), Fault> = Err(Fault::locked("no key").hint("`vault key show`"));
        let error = result.context("line 3").context("app.env").unwrap_err();
        let fault: &Fault = error.downcast_ref().unwrap();
        assert_eq!((fault.kind(), fault.hints().len()), (Kind::Locked, 1));
        assert_eq!(format!("{error:#}"), "app.env: line 3: no key");
    }
}
