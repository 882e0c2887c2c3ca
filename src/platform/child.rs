//! Processes that this one starts.
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

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It ended with this status.
    Exited(u8),
    /// This signal ended it.
    Killed(Signal),
    /// This signal stopped it.
    Stopped(Signal),
    /// It goes on after a stop.
    Continued,
}

/// Starts a process that is a copy of this one and runs `child`, which ends it or becomes a
/// command. What returns ends with status 127.
///
/// Must be called while this process has one thread: a lock that another one holds would stay
/// locked in the copy for ever.
///
/// # Errors
/// The operating system's.
pub fn fork(child: impl FnOnce()) -> io::Result<Pid> {
    // SAFETY: there is one thread, so the copy's locks and allocator are as in the original.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            child();
            // SAFETY: ends the process without running what the original will run at its end.
            unsafe { libc::_exit(127) }
        }
        pid => Pid::from_raw(pid).ok_or_else(|| io::Error::other("fork returned no process")),
    }
}

/// Waits until the child changes, without taking its number back from it when it ended, so that
/// the number names nobody else as long as [`reap`] was not called.
///
/// # Errors
/// The operating system's.
pub fn wait_for_change(child: Pid) -> io::Result<Change> {
    let all = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED;
    let change = loop {
        match waitid(rustix::process::WaitId::Pid(child), all | WaitIdOptions::NOWAIT) {
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
    // A stop is taken note of once, an end stays to be reaped.
    let taken = WaitIdOptions::STOPPED | WaitIdOptions::CONTINUED | WaitIdOptions::NOHANG;
    let _ = waitid(rustix::process::WaitId::Pid(child), taken);
    Ok(change.stopping_signal().map_or(Change::Continued, |n| Change::Stopped(Signal::new(n))))
}

/// Takes note of a child that has ended, waiting for it if need be.
pub fn reap(child: Pid) {
    while waitpid(Some(child), WaitOptions::empty()).is_err_and(|error| error == Errno::INTR) {}
}

/// What has become of `child`, if anything has since the last call. As process 1 also reaps what
/// has been left to it.
#[must_use]
pub fn take_change(child: Pid) -> Option<Change> {
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
    if !is_init() {
        return waitpid(Some(child), options).ok().flatten().map(|(_, status)| change(status));
    }
    loop {
        // Whatever process group it is in.
        match wait(options) {
            Ok(Some((pid, status))) if pid == child => return Some(change(status)),
            Ok(Some(_)) | Err(Errno::INTR) => {}
            _ => return None,
        }
    }
}

fn change(status: WaitStatus) -> Change {
    let signal = |number: Option<i32>| number.map(Signal::new);
    let code = status.exit_status().map(|code| u8::try_from(code & 0xff).unwrap_or(u8::MAX));
    code.map(Change::Exited)
        .or_else(|| signal(status.terminating_signal()).map(Change::Killed))
        .or_else(|| signal(status.stopping_signal()).map(Change::Stopped))
        .unwrap_or(Change::Continued)
}

/// Whether this is process 1 of its container, which the kernel treats in its own way.
#[must_use]
pub fn is_init() -> bool {
    getpid().is_init()
}

/// Whether this process leads its session, so that the kernel tells it alone that the terminal is
/// gone.
#[must_use]
pub fn leads_session() -> bool {
    // Of another PID namespace, a session has the number 0, which `rustix` does not expect.
    // SAFETY: asks for a number.
    unsafe { libc::getsid(0) == libc::getpid() }
}

/// This process.
#[must_use]
pub fn own_process() -> Pid {
    getpid()
}

/// The process group of this process.
#[must_use]
pub fn own_group() -> Pid {
    getpgrp()
}

/// In a new child: TERM arrives here when `parent` ends without a word.
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

/// In a new child: puts `streams` in the place of 0, 1 and 2 where there are any.
///
/// # Errors
/// The operating system's.
pub fn replace_streams(streams: [Option<BorrowedFd<'_>>; 3]) -> io::Result<()> {
    let [input, output, error] = streams;
    input.map(rustix::stdio::dup2_stdin).transpose()?;
    output.map(rustix::stdio::dup2_stdout).transpose()?;
    error.map(rustix::stdio::dup2_stderr).transpose()?;
    Ok(())
}

/// In a new child: leads a session whose terminal is `terminal`.
///
/// # Errors
/// The operating system's.
pub fn lead_session(terminal: BorrowedFd<'_>) -> io::Result<()> {
    setsid()?;
    Ok(rustix::process::ioctl_tiocsctty(terminal)?)
}

/// In a new child that runs no command: lets go of all that is open but `keep`, so that nobody
/// waits in vain to see it closed. Nothing that owned one of these descriptors may be used again.
///
/// # Errors
/// The operating system's.
pub fn close_all_but(keep: &[RawFd]) -> io::Result<()> {
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    replace_streams([Some(nothing.as_fd()); 3])?;
    drop(nothing);
    let listed: Vec<RawFd> = std::fs::read_dir("/dev/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2 && !keep.contains(number))
        .collect();
    for number in listed {
        // SAFETY: the caller promises that no owner of the descriptor is used again.
        unsafe { libc::close(number) };
    }
    Ok(())
}

/// In a new child: learns of the end of its own children, whatever the caller had set.
pub fn reset_child_signal() {
    // SAFETY: the default disposition runs none of our code.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Whether a process group has the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupPosition {
    /// It reads the keys.
    Foreground,
    /// It is stopped when it tries.
    Background,
}

/// In a new child: leads a process group of its own, in the foreground of `terminal` or not.
/// Signals must be blocked, or the change of ground would stop the child.
///
/// # Errors
/// The operating system's.
pub fn lead_group(terminal: BorrowedFd<'_>, position: GroupPosition) -> io::Result<()> {
    setpgid(None, None)?;
    if position == GroupPosition::Foreground {
        tcsetpgrp(terminal, getpid())?;
    }
    Ok(())
}

/// Puts a process group in the foreground of the own session's terminal. Signals must be blocked.
///
/// # Errors
/// The operating system's.
pub fn set_foreground(group: Pid) -> io::Result<()> {
    let terminal = File::options().read(true).write(true).open("/dev/tty")?;
    Ok(tcsetpgrp(terminal, group)?)
}
