//! Answers that a person types or pastes at the terminal.
//!
//! An answer is complete or it is refused, and no byte of it is left for the program that reads the
//! terminal next, such as the caller's shell.

mod hidden;
mod keys;
mod line;
mod passphrase;
mod rules;
mod visible;

pub(crate) use hidden::hidden;
pub(crate) use passphrase::{new_passphrase, passphrase};
pub(crate) use visible::visible;
