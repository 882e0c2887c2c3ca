//! The only module with `unsafe` and with differences between operating systems.
//!
//! Its functions are thin: each does one thing to the world and decides nothing. If a change must
//! be undone, the function returns a value that undoes it on drop.

mod ancestors;
mod aside;
mod child;
mod descriptors;
mod environ;
mod files;
mod heap;
mod inherited;
mod interruption;
mod keyboard;
mod memory;
mod own_files;
mod process;
mod signals;
mod stdio;
mod streams;
mod terminal;
mod walk;
mod whole;

pub use ancestors::{Ancestor, ancestors_whose_environment, is_parent};
pub use aside::{Aside, HAS_SESSION_BUS};
pub use child::{
    Change, GroupPosition, close_all_but, end_with_parent, fork, is_init, lead_group, lead_session,
    leads_session, own_group, own_process, reap, replace_streams, reset_child_signal,
    set_foreground, take_change, wait_for_change,
};
pub use descriptors::{inherited_file, open_named, own_descriptor};
pub use environ::take_variable;
pub use files::{Dir, FileAccess, Lock, ReadError, Unsynced, device_and_owner, user};
pub use heap::{WipingHeap, lock_memory};
pub use inherited::was_ignored_or_blocked;
pub use interruption::Interruptions;
pub use keyboard::{ControlKeys, Keyboard, LineReader, TerminalEvent};
pub use memory::MemoryFolder;
pub use own_files::{open_regular, private_dir, private_file, replace_text};
pub use process::{
    FileSizeSignalIgnored, Hardened, execute, harden, has_small_stack, has_stack_below,
    is_unknown_format,
};
pub use rustix::process::Pid;
pub use signals::{
    BlockedSignals, CaughtSignals, ReceivedSignal, Sender, Signal, StopScope, Target, die, send,
    stop,
};
pub use stdio::{Input, discard_input, is_input_open};
pub use streams::{
    StreamKind, blocking_pipe, bytes_available, close_output, input, input_shows_output, output,
    output_pipe, output_stream, outputs_are_one, streams, write, write_all,
};
pub use terminal::{Modes, Pty, RawMode, Terminal, adds_carriage_returns, copy_size};
pub use walk::{Node, Permission};
