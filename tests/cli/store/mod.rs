//! The files below `.vault`, and the disk under them.

mod bounds;
mod crash;
mod disk;
mod foreign;
mod leftovers;
mod places;
