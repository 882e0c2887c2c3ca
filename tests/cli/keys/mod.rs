//! The sources of keys, and the places that must not show them.

mod hidden_keys;
mod interoperability;
mod key_files;
mod keyring;
mod keyring_traced;
mod openbao;
mod pasted;
mod protected;
mod recipes;
mod several;
mod sources;
mod ssh;
mod upgrade;
mod wrapped;
