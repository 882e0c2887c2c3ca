//! What the caller handed to this process, noted before the standard library changes it.
//!
//! Rust ignores SIGPIPE before `main` runs; a command that we become must find it as the caller
//! had set it. The note is taken by a function that the loader calls before `main`.
#![expect(unsafe_code, reason = "signal dispositions are reached through the C library only")]

use std::sync::atomic::{AtomicBool, Ordering};

static PIPE_SIGNAL_WAS_IGNORED: AtomicBool = AtomicBool::new(false);

#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static NOTE: extern "C" fn() = note;

extern "C" fn note() {
    // SAFETY: asking for a disposition with a null new action changes nothing; a zeroed
    // `sigaction` is a valid place for the answer.
    let ignored = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGPIPE, std::ptr::null(), &raw mut action) == 0
            && action.sa_sigaction == libc::SIG_IGN
    };
    PIPE_SIGNAL_WAS_IGNORED.store(ignored, Ordering::Relaxed);
}

/// Sets SIGPIPE back to what the caller had.
pub(super) fn restore_pipe_signal() {
    if !PIPE_SIGNAL_WAS_IGNORED.load(Ordering::Relaxed) {
        // SAFETY: the default disposition runs none of our code.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    }
}
