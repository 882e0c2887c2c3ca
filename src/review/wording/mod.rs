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
mod root;
mod sealed;

pub(super) use config::{config_changed, loosened};
pub(super) use entries::entries;
pub(super) use membership::member;
pub(super) use names::name;
pub(super) use paths::{more_paths, path, side_not_compared, vault_added};
pub(super) use requests::{request, waiting};
pub(super) use root::{environment, root};
pub(super) use sealed::resealed;
