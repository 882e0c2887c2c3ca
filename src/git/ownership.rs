//! Git's own refusal to read a repository of another user, whose settings could start programs.
//!
//! `VAULT_ID` or a credential names the vault, but does not vouch for the settings in `.git`, so
//! this is never overridden here. The caller must allow it in git.

use std::path::Path;
use std::process::Command;

use crate::fault::Fault;

/// Why `attempt`, which failed in `folder`, was refused, if whose the repository is was the reason.
pub(super) fn refusal(folder: &Path, mut attempt: Command) -> Option<Fault> {
    let said = attempt.output().ok()?.stderr;
    if !String::from_utf8_lossy(&said).contains("dubious ownership") {
        return None;
    }
    let folder = folder.display();
    Some(
        Fault::usage(format!(
            "git refuses to read the repository of {folder}: it belongs to another user"
        ))
        .hint("if you trust that user, as in the container of a CI job:")
        .hint(format!(
            "`git config --global --add safe.directory {folder}`"
        )),
    )
}
