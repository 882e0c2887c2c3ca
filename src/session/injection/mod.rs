//! The secrets and variables of a command, complete or not at all.

mod placeholders;
pub(crate) mod proxies;
mod rehearsal;
mod scope;

pub(crate) use placeholders::placeholders;
pub(crate) use rehearsal::rehearse;
pub(crate) use scope::{Injected, Typed, collect};
