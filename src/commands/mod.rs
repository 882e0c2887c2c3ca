//! One file per command, glue only: each opens the vault, calls the layers below, and reports the
//! result.

mod ci;
mod copy;
mod doctor;
mod documents;
mod environments;
mod exec;
mod get;
mod id;
mod import;
mod init;
mod join;
mod key;
mod list;
mod members;
mod remove;
mod rotate;
mod set;
mod status;
mod trust;
mod upgrade;
mod verify;

/// The kind of a new key.
pub(crate) use crate::crypto::NativeKind;
pub(crate) use ci::{Add as CiAdd, add as ci_add};
pub(crate) use copy::copy;
pub(crate) use doctor::doctor;
pub(crate) use documents::{completions, man};
pub(crate) use environments::{
    add as environments_add, list as environments_list, remove as environments_remove,
};
pub(crate) use exec::{Exec, IfLocked, Leaks, Masking, exec};
pub(crate) use get::get;
pub(crate) use id::id;
pub(crate) use import::import;
pub(crate) use init::{Init, Recovery, init};
pub(crate) use join::{Asking, Join, join};
pub(crate) use key::{
    import as key_import, protect as key_protect, show as key_show, to_file as key_to_file,
    to_keyring as key_to_keyring, unprotect as key_unprotect,
};
pub(crate) use list::list;
pub(crate) use members::{
    Add as MembersAdd, GivenKey, NewKey, Set as MembersSet, Wanted, add as members_add,
    list as members_list, remove as members_remove, set as members_set, sync as members_sync,
};
pub(crate) use remove::remove;
pub(crate) use rotate::{Older, Rotate, What, rotate};
pub(crate) use set::{Empty, FinalNewline, Manner, Origin, Set, set, value_in_arguments};
pub(crate) use status::status;
pub(crate) use trust::{TrustArguments, trust};
pub(crate) use upgrade::upgrade as key_upgrade;
pub(crate) use verify::{Verify, verify};
