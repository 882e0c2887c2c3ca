//! Secrets as other tools write them down, one file per format.
//!
//! Text goes in and assignments come out; nothing here knows files, vaults or terminals, nor
//! whether a name is a legal one. Values are in [`crate::secret::Secret`] throughout, and an error
//! names lines only.

pub mod dotenv;
pub mod foreign;
pub mod yaml;
