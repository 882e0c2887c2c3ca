//! `vault exec` without a terminal; the target `exec` tests the rest.

mod commands;
mod confirm;
mod early_signals;
mod mistyped;
mod placeholder;
mod process;
mod reachable_key;
mod secret_files;
