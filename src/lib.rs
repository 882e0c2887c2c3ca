//! An encrypted secrets store that lives in the git repository, and a runner that injects the
//! secrets into one process.
//!
//! The layers, top down; an import never points back up, and those in braces do not know each
//! other:
//!
//! ```text
//! main → cli → commands → review → merge → session → { vault, keys, runner, mask, git, import }
//!                                         → { crypto, secret, platform, fault }
//! ```

pub mod cli;
mod commands;
pub mod crypto;
pub mod fault;
pub mod git;
pub mod import;
pub mod keys;
pub mod mask;
mod merge;
pub mod platform;
mod review;
pub mod runner;
pub mod secret;
mod session;
pub mod vault;
