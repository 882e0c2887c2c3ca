//! The sources of keys, and the places that must not show them.

mod exposure;
mod hidden_keys;
mod sources;
