//! Ordinary days with real git: admins, members, and machines change a vault on several branches, which
//! are merged, rebased, picked, squashed, and reverted, also by a host that knows no vault. A model that
//! is independent of the product says what each person may read.
#![cfg(target_os = "linux")]

mod access;
mod changes;
mod crash;
mod days;
mod git;
mod knowledge;
mod merges;
mod model;
mod observe;
mod people;
mod reading;
mod resolve;
mod settle;
mod union;
mod world;
