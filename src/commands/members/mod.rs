//! `vault members`: who may do what, and how that changes.

mod add;
mod list;
mod sync;

pub(crate) use add::{Add, add};
pub(crate) use list::list;
pub(crate) use sync::{Wanted, sync};
