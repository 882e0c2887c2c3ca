//! The differences between two vaults, and the ones that must not exist: the work of `vault verify`.
//!
//! [`collect`](mod@collect) makes the report: [`check`] and [`before`] read, [`compare`] is pure,
//! [`wording`] makes sentences of the differences, and [`changes`] puts them together. [`output`]
//! writes the report.

mod before;
mod changes;
mod check;
mod collect;
mod compare;
mod members;
mod output;
mod report;
mod wording;

pub(crate) use before::Before;
pub(crate) use collect::collect;
pub(crate) use output::{Format, show};
