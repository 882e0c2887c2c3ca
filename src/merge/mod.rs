//! The end of a conflict below `.vault`: the work of `vault resolve`.
//!
//! It reads three commits, never the half-merged files: the one that both sides come from, ours, and
//! theirs. [`sides`] reads and checks each alone; [`members`], [`member`], [`access`], and
//! [`environments`] are pure and decide what the root and the members' files become; [`entries`]
//! decides on secrets; [`choices`] asks a person what no rule decides; [`write`](mod@write) signs,
//! checks, and writes the result.

mod access;
mod checks;
mod choices;
mod entries;
mod environments;
mod member;
mod members;
mod resolve;
mod sides;
mod write;

pub(crate) use choices::{Choices, Which};
pub(crate) use resolve::resolve;
