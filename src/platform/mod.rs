//! The only place for `unsafe` and for differences between operating systems.
//!
//! What lives here is thin: each function does one thing to the world and decides nothing. What
//! it changes is put back by the value it returns.

mod ancestors;
mod child;
mod descriptors;
mod environ;
mod files;
mod heap;
mod inherited;
mod interruption;
mod keyboard;
mod memory;
mod process;
mod signals;
mod stdio;
mod streams;
mod terminal;
mod walk;

pub use ancestors::{Ancestor, ancestors_whose_environment, is_parent};
pub use child::{
    Change, Ground, change_of, end_with, fork, is_init, lead_group, lead_session, leads_session,
    notice_children, own_group, own_process, reap, release_all_but, replace_streams,
    set_foreground, wait_for_change,
};
pub use descriptors::{inherited_file, open_named, own_descriptor};
pub use environ::take_variable;
pub use files::{
    Dir, FileAccess, Lock, ReadError, Unsynced, device_and_owner, private_dir, private_file,
    replace_text, user,
};
pub use heap::{WipingHeap, lock_memory};
pub use inherited::was_refused;
pub use interruption::Interruptions;
pub use keyboard::{ControlKeys, Heard, Keyboard, LineReader};
pub use memory::MemoryFolder;
pub use process::{
    FileSizeSignalIgnored, Hardened, execute, harden, has_small_stack, is_unknown_format,
};
pub use rustix::process::Pid;
pub use signals::{Arrived, Blocked, Sender, Signal, Signals, Target, Whom, die, send, stop};
pub use stdio::{Input, discard_input, is_input_open};
pub use streams::{
    Behind, close_output, input, input_shows_output, output, output_stream, outputs_are_one, pipe,
    plain_pipe, streams, waiting, write, write_all,
};
pub use terminal::{Modes, Pty, Raw, Terminal, copy_size, ends_lines_twice};
pub use walk::{Node, Permission};
