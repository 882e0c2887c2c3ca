//! Finds and replaces secrets in a stream of bytes.
