//! The files below `.vault`, and the disk under them.

mod crash;
mod disk;
mod killed_init;
mod leftovers;
mod limits;
mod other_owner;
mod unexpected_files;
