//! The sources of keys, and the places that must not show them.

mod hidden_keys;
mod key_files;
mod openbao;
mod pasted;
mod protected;
mod recipes;
mod sources;
mod ssh;
mod wrapped;
