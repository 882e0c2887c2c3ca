//! The end of conflicts below `.vault`.

mod attacks;
mod authority;
mod crash;
mod entries;
mod environments;
mod hints;
mod keys;
mod members;
mod operations;
mod questions;
mod reverts;
mod root;
