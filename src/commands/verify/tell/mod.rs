//! What a difference is called, how much it matters, and its words.
//!
//! The kinds and the details are a contract; docs/commands.md lists them. The words are not.

mod config;
mod entries;
mod membership;
mod requests;
mod roster;

pub(super) use config::loosened;
pub(super) use entries::entries;
pub(super) use membership::member;
pub(super) use requests::{request, waiting};
pub(super) use roster::{environment, roster};
