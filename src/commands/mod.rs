//! One file per command, glue only: each opens what it needs, calls the layers below, and says
//! what became of it.

mod ci;
mod copy;
mod documents;
mod environments;
mod exec;
mod generate;
mod get;
mod import;
mod init;
mod key;
mod list;
mod remove;
mod report;
mod set;
mod since;
mod trust;
mod verify;

pub(crate) use ci::{Add as CiAdd, add as ci_add};
pub(crate) use copy::copy;
pub(crate) use documents::{completions, man};
pub(crate) use environments::{
    add as environments_add, list as environments_list, remove as environments_remove,
};
pub(crate) use exec::{Exec, IfLocked, Leaks, Masking, exec};
pub(crate) use get::get;
pub(crate) use import::import;
pub(crate) use init::{Init, init};
pub(crate) use key::show as key_show;
pub(crate) use list::{Style, list};
pub(crate) use remove::remove;
pub(crate) use set::{Origin, Set, set};
pub(crate) use trust::trust;
pub(crate) use verify::{Verify, verify};
