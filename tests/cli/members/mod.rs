//! Members who join, lose access, and leave.

mod adding;
mod admins;
mod former;
mod interrupted;
mod joining;
mod leaving;
mod limited;
mod removed;
mod requests;
mod rotate;
mod signers;
