//! The only place for `unsafe` and for differences between operating systems.
//!
//! What lives here is thin: each function does one thing to the world and decides nothing. What
//! it changes is put back by the value it returns.

mod environ;
mod files;
mod inherited;
mod process;
mod stdio;

pub use environ::take_variable;
pub use files::{
    Dir, FileAccess, Lock, ReadError, Unsynced, device_and_owner, private_dir, private_file,
    replace_text, user,
};
pub use process::{FileSizeSignalIgnored, Hardened, execute, harden};
pub use stdio::{Input, discard_input, file_from_descriptor};
