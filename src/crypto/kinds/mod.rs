//! The kinds of age keys. Each file has the text of a key, and the way in which it wraps a file key.

pub(super) mod hybrid;
pub(super) mod ssh;
pub(super) mod x25519;
