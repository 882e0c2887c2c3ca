//! The format of the files.

mod config;
mod flipped;
mod golden;
mod order_two;
mod roster;
mod text;
