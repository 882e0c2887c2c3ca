//! Child processes.
#![expect(unsafe_code, reason = "fork needs the C library")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};

use rustix::io::Errno;
use rustix::process::{
    Pid, WaitIdOptions, WaitOptions, WaitStatus, getpgrp, getpid, getppid, setpgid, setsid, wait,
    waitid, waitpid,
};
use rustix::termios::tcsetpgrp;

use super::signals::Signal;

/// A change of a child's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It exited with this status.
    Exited(u8),
    /// This signal ended it.
    Killed(Signal),
    /// This signal stopped it.
    Stopped(Signal),
    /// It continued after a stop.
    Continued,
}

/// Forks this process and runs `child` in the copy. If `child` returns, the copy exits with status
/// 127.
///
/// Must be called while this process has only one thread: a lock held by another thread would stay
/// locked in the copy forever.
///
/// # Errors
/// Returns the operating system's error.
pub fn fork(child: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: there is only one thread, so the copy's locks and allocator are in the same state as
    // the original's.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            child();
            // SAFETY: ends the process without running the exit handlers of the original.
            unsafe { libc::_exit(127) }
        }
        pid => Pid::from_raw(pid).ok_or_else(|| io::Error::other("fork returned no process")),
    }
}

/// Waits until the child changes. A child that has ended stays a zombie until [`reap`], so that its
/// pid cannot name another process.
///
/// # Errors
/// Returns the operating system's error.
pub fn wait_for_change(child: Pid) -> io::Result<Change> {
    let all = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED;
    let change = loop {
        match waitid(
            rustix::process::WaitId::Pid(child),
            all | WaitIdOptions::NOWAIT,
        ) {
            Ok(Some(status)) => break status,
            Ok(None) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    let byte = |status: i32| u8::try_from(status & 0xff).unwrap_or(u8::MAX);
    if let Some(status) = change.exit_status() {
        return Ok(Change::Exited(byte(status)));
    }
    if let Some(signal) = change.terminating_signal() {
        return Ok(Change::Killed(Signal::new(signal)));
    }
    // Consume a stop, so that it is reported only once; leave an end for `reap`.
    let taken = WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED | WaitIdOptions::NOHANG;
    let _ = waitid(rustix::process::WaitId::Pid(child), taken);
    Ok(change
        .stopping_signal()
        .map_or(Change::Continued, |n| Change::Stopped(Signal::new(n))))
}

/// Reaps a child, after waiting for its end if necessary.
pub fn reap(child: Pid) {
    while waitpid(Some(child), WaitOptions::empty()).is_err_and(|error| error == Errno::INTR) {}
}

/// Returns the next change of `child`, if there is one. As process 1, it also reaps orphans.
#[must_use]
pub fn take_change(child: Pid) -> Option<Change> {
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
    if !is_init() {
        return waitpid(Some(child), options)
            .ok()
            .flatten()
            .map(|(_, status)| change(status));
    }
    loop {
        // Wait for every child: orphans can be in any process group.
        match wait(options) {
            Ok(Some((pid, status))) if pid == child => return Some(change(status)),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            _ => return None,
        }
    }
}

fn change(status: WaitStatus) -> Change {
    let signal = |number: Option<i32>| number.map(Signal::new);
    let code = status
        .exit_status()
        .map(|code| u8::try_from(code & 0xff).unwrap_or(u8::MAX));
    code.map(Change::Exited)
        .or_else(|| signal(status.terminating_signal()).map(Change::Killed))
        .or_else(|| signal(status.stopping_signal()).map(Change::Stopped))
        .unwrap_or(Change::Continued)
}

/// Returns whether this is process 1 of its container, to which the kernel applies special rules.
#[must_use]
pub fn is_init() -> bool {
    getpid().is_init()
}

/// Returns whether this process leads its session. The kernel signals only the leader when the
/// terminal is gone.
#[must_use]
pub fn leads_session() -> bool {
    // SAFETY: only returns a number. The function of `rustix` does not expect 0, the number of a
    // session in another PID namespace.
    unsafe { libc::getsid(0) == libc::getpid() }
}

/// Returns the id of this process.
#[must_use]
pub fn own_process() -> Pid {
    getpid()
}

/// Returns the process group of this process.
#[must_use]
pub fn own_group() -> Pid {
    getpgrp()
}

/// In a new child: arranges that TERM arrives if `parent` ends.
pub fn end_with_parent(parent: Pid) {
    #[cfg(target_os = "linux")]
    {
        let term = Some(rustix::process::Signal::TERM);
        let _ = rustix::process::set_parent_process_death_signal(term);
    }
    if getppid() != Some(parent) {
        super::signals::send(Signal::TERM, super::signals::Target::Process(getpid()));
    }
}

/// In a new child: replaces streams 0, 1, and 2 by those in `streams` that are given.
///
/// # Errors
/// Returns the operating system's error.
pub fn replace_streams(streams: [Option<BorrowedFd<'_>>; 3]) -> io::Result<()> {
    let [input, output, error] = streams;
    input.map(rustix::stdio::dup2_stdin).transpose()?;
    output.map(rustix::stdio::dup2_stdout).transpose()?;
    error.map(rustix::stdio::dup2_stderr).transpose()?;
    Ok(())
}

/// In a new child: creates a session whose controlling terminal is `terminal`, and leads it.
///
/// # Errors
/// Returns the operating system's error.
pub fn lead_session(terminal: BorrowedFd<'_>) -> io::Result<()> {
    setsid()?;
    Ok(rustix::process::ioctl_tiocsctty(terminal)?)
}

/// In a new child that does not run a command: closes every descriptor that is not in `keep`, so
/// that no other process waits in vain for its end. Owners of the closed descriptors must not be
/// used again.
///
/// # Errors
/// Returns the operating system's error.
pub fn close_all_but(keep: &[RawFd]) -> io::Result<()> {
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    replace_streams([Some(nothing.as_fd()); 3])?;
    drop(nothing);
    let listed: Vec<RawFd> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2 && !keep.contains(number))
        .collect();
    for number in listed {
        // SAFETY: the caller promises not to use any owner of the descriptor again.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// In a new child: makes changes of its own children visible, whatever the caller had set for
/// SIGCHLD.
pub fn reset_child_signal() {
    // SAFETY: the default disposition does not run any Rust code.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// The position of a process group with regard to its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupPosition {
    /// It may read keys.
    Foreground,
    /// It is stopped when it tries to.
    Background,
}

/// In a new child: creates a process group, leads it, and makes it the foreground of `terminal` if
/// `position` says so. Signals must be blocked, because the change of the foreground would stop the
/// child.
///
/// # Errors
/// Returns the operating system's error.
pub fn lead_group(terminal: BorrowedFd<'_>, position: GroupPosition) -> io::Result<()> {
    setpgid(None, None)?;
    if position == GroupPosition::Foreground {
        tcsetpgrp(terminal, getpid())?;
    }
    Ok(())
}

/// Makes a process group the foreground of the session's terminal. Signals must be blocked.
///
/// # Errors
/// Returns the operating system's error.
pub fn set_foreground(group: Pid) -> io::Result<()> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    Ok(tcsetpgrp(terminal, group)?)
}
