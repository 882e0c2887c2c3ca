//! The sources of keys, and the places that must not show them.

mod hidden_keys;
mod key_files;
mod pasted;
mod protected;
mod openbao;
mod recipes;
mod sources;
mod wrapped;
