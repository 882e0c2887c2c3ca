//! What changed between two vaults, and what must not: the checks behind `vault verify`.
//!
//! Reads first, then compares, then tells: [`check`] and [`before`] read, [`compare`] is pure,
//! [`wording`] finds the words, [`changes`] puts them together, [`output`] writes them.

mod before;
mod changes;
mod check;
mod collect;
mod compare;
mod output;
mod report;
mod wording;

pub(crate) use before::Before;
pub(crate) use collect::collect;
pub(crate) use output::{Format, show};
