//! Code that the commands share: the caller's environment, a vault opened with a key, reading
//! values, changing secrets, changing members, and the way to speak.
//!
//! This layer ties those below together, which do not know each other, and decides nothing that
//! one command alone needs.

pub(crate) mod admin;
pub(crate) mod apply;
mod caller;
pub(crate) mod caller_key;
pub(crate) mod change_report;
pub(crate) mod console;
pub(crate) mod context;
pub(crate) mod document;
mod elsewhere;
pub(crate) mod environment_choice;
pub(crate) mod exposure;
pub(crate) mod generate;
pub(crate) mod given;
pub(crate) mod grant;
pub(crate) mod injection;
pub(crate) mod keyless;
pub(crate) mod membership;
pub(crate) mod new_vault;
pub(crate) mod older_root;
pub(crate) mod open;
pub(crate) mod output;
pub(crate) mod panic;
pub(crate) mod past;
pub(crate) mod person;
mod plain;
pub(crate) mod presence;
pub(crate) mod prompt;
pub(crate) mod reach;
pub(crate) mod read;
pub(crate) mod release;
pub(crate) mod renewal;
pub(crate) mod repeated;
pub(crate) mod requesting;
pub(crate) mod strength;
pub(crate) mod succession;
