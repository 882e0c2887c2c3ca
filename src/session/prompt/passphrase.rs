//! A passphrase, which is always typed at the terminal, even if standard input is a pipe.

use std::path::Path;

use super::hidden::hidden;
use crate::fault::Fault;
use crate::platform::Terminal;
use crate::secret::Secret;

/// The longest passphrase, in bytes.
const LONGEST: usize = 1024;
/// The shortest new passphrase, in bytes. A copy of the file allows any number of attempts.
const SHORTEST: usize = 8;

/// Asks for the passphrase of a key.
///
/// # Errors
/// "Locked" without a terminal; if the answer is incomplete; if the person ends it.
pub(crate) fn passphrase(question: &str) -> Result<Secret, Fault> {
    if Terminal::of_stream(crate::platform::input()).is_err() {
        return Err(Fault::locked(
            "your key needs a passphrase, which must be typed at a terminal",
        )
        .hint("for a machine, make a credential: `vault ci add NAME -e ENVIRONMENT`"));
    }
    let typed = hidden(question, LONGEST)?;
    typed
        .value
        .ok_or_else(|| Fault::usage(format!("a passphrase has at most {LONGEST} bytes")))
}

/// Asks twice for a new passphrase, for the file at `path`.
///
/// # Errors
/// Without a terminal, if it is too short, or if the answers differ.
pub(crate) fn new_passphrase(path: &Path) -> Result<Secret, Fault> {
    if Terminal::of_stream(crate::platform::input()).is_err() {
        return Err(Fault::refused(
            "a new passphrase is typed at a terminal, and there is none",
        ));
    }
    let first = passphrase(&format!("new passphrase for {}: ", path.display()))?;
    if first.len() < SHORTEST {
        return Err(Fault::usage(format!(
            "a passphrase has at least {SHORTEST} bytes; nothing was changed"
        ))
        .hint("several random words are easy to type and hard to guess"));
    }
    if !first.same_as(&passphrase("the same again: ")?) {
        return Err(Fault::usage(
            "the two passphrases differ; nothing was changed",
        ));
    }
    Ok(first)
}
