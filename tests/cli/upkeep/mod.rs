//! Commands that report the state of a vault.

mod doctor;
mod exposure;
mod grants;
mod status;
