//! The kind, the level, and the sentence of each difference.
//!
//! The kinds and the details are a contract; docs/reference/commands.md lists
//! them. The sentences are not.

mod config;
mod entries;
mod membership;
mod names;
mod paths;
mod requests;
mod roster;
mod sealed;

pub(super) use config::{config_changed, loosened};
pub(super) use entries::entries;
pub(super) use membership::member;
pub(super) use names::name;
pub(super) use paths::{more_paths, path, vault_added};
pub(super) use requests::{request, waiting};
pub(super) use roster::{environment, roster};
pub(super) use sealed::resealed;
