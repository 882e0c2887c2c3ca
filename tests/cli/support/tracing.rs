//! Whether system calls of vault can be traced here.

use std::process::{Command, Stdio};

use crate::support::machine::{has, left_out};

/// Whether `strace` can send a signal before a system call of vault, which only root may trace.
pub(crate) fn can_trace() -> bool {
    if !has("strace", "strace") {
        return false;
    }
    let mut traced = Command::new("strace");
    let status = traced
        .args(["-o", "/dev/null", "true"])
        .stderr(Stdio::null())
        .status();
    let can = rustix::process::geteuid().is_root() && status.unwrap().success();
    if !can {
        left_out("strace may not look into a vault here");
    }
    can
}
