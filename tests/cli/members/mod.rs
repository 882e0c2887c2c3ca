//! Members who join, lose access, and leave.

mod adding;
mod admins;
mod branches;
mod former;
mod given;
mod interrupted;
mod joining;
mod killed;
mod leaving;
mod limited;
mod newer;
mod removed;
mod requests;
mod revocations;
mod rotate;
mod signers;
mod ssh;
