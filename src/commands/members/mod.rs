//! `vault members`: the members and their access.

mod add;
mod list;
mod remove;
mod set;
mod sync;

pub(crate) use add::{Add, GivenKey, add};
pub(crate) use list::list;
pub(crate) use remove::remove;
pub(crate) use set::{NewKey, Set, set};
pub(crate) use sync::{Wanted, sync};
