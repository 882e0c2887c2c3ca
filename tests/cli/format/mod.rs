//! The format of the files.

mod canonical_form;
mod config;
mod flipped_bytes;
mod golden;
mod members;
mod order_two;
mod root;
