//! What git holds: the vault's files at a revision, and which files were there before.
//!
//! Runs the real git, and only commands that read objects, references, the index, and ignore rules:
//! they start no hook and no filter. A vault works without git; only what asks for a revision needs
//! it. `command` is the one place that starts git.

mod command;
mod files;
mod history;
mod merging;
pub mod output;
mod ownership;
mod presence;
mod revision;

pub use command::{Repository, version};
pub use merging::{Merging, Operation, seems_merging};
pub use output::{Blob, Mode, Version};
pub use presence::Presence;
pub use revision::Commit;
