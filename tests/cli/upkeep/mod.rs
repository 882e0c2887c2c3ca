//! Commands that report the state of a vault.

mod doctor;
mod known;
mod status;
