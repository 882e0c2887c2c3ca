//! The streams between the caller, us and a command.
#![cfg_attr(
    target_os = "linux",
    expect(
        unsafe_code,
        reason = "whether two descriptors are one open file only the kernel knows"
    )
)]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::Errno;
use rustix::termios::isatty;

use super::inherited;

/// What stands behind one of the streams 0, 1 and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// The caller had closed it.
    Closed,
    /// A terminal.
    Terminal,
    /// Anything else: a pipe, a file, a socket.
    Other,
}

/// What stands behind standard input, output and error.
#[must_use]
pub fn streams() -> [StreamKind; 3] {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let mut number = 0;
    streams.map(|stream| {
        let closed = inherited::was_closed(number);
        number += 1;
        match (closed, isatty(stream)) {
            (true, _) => StreamKind::Closed,
            (false, true) => StreamKind::Terminal,
            (false, false) => StreamKind::Other,
        }
    })
}

/// Whether somebody sits at a terminal and sees there what is printed: standard input and output
/// are the same one, and it is that of our session. Who sits at that of another (`setsid`) types for
/// somebody else, until he is asked.
#[must_use]
pub fn input_shows_output() -> bool {
    if rustix::termios::tcgetpgrp(rustix::stdio::stdin()).is_err() {
        return false;
    }
    let device = |stream| fstat(stream).ok().filter(|_| isatty(stream)).map(|stat| stat.st_rdev);
    let input = device(rustix::stdio::stdin());
    input.is_some() && input == device(rustix::stdio::stdout())
}

/// Whether standard output and standard error are one open file, so that what is written to both
/// has one order.
#[must_use]
pub fn outputs_are_one() -> bool {
    let (output, error) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    let (Ok(first), Ok(second)) = (fstat(output), fstat(error)) else { return false };
    if (first.st_dev, first.st_ino, first.st_rdev) != (second.st_dev, second.st_ino, second.st_rdev)
    {
        return false;
    }
    // Of a regular file each opening has its own place; all else has one order whoever writes.
    !FileType::from_raw_mode(first.st_mode).is_file() || is_one_opening()
}

/// Whether 1 and 2 share their place in a file, or what each writes goes to the end anyway.
#[cfg(target_os = "linux")]
fn is_one_opening() -> bool {
    const KCMP_FILE: libc::c_int = 0;
    let own = rustix::process::getpid().as_raw_nonzero().get();
    // SAFETY: compares two descriptors of this process by number and changes nothing.
    match unsafe { libc::syscall(libc::SYS_kcmp, own, own, KCMP_FILE, 1, 2) } {
        -1 => both_append(),
        order => order == 0 || both_append(),
    }
}

#[cfg(not(target_os = "linux"))]
fn is_one_opening() -> bool {
    both_append()
}

fn both_append() -> bool {
    [rustix::stdio::stdout(), rustix::stdio::stderr()].into_iter().all(|stream| {
        rustix::fs::fcntl_getfl(stream).is_ok_and(|flags| flags.contains(OFlags::APPEND))
    })
}

/// Standard input.
#[must_use]
pub fn input() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

/// Standard output.
#[must_use]
pub fn output() -> BorrowedFd<'static> {
    rustix::stdio::stdout()
}

/// Lets go of standard output, so that its reader sees the end of it.
///
/// # Errors
/// The operating system's.
pub fn close_output() -> io::Result<()> {
    let nothing = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(nothing)?)
}

/// A copy of standard output (1) or standard error (2) that a thread can write to by itself. The
/// modes of the open file stay the caller's.
///
/// # Errors
/// The operating system's.
pub fn output_stream(number: usize) -> io::Result<File> {
    let stream = if number == 1 { rustix::stdio::stdout() } else { rustix::stdio::stderr() };
    Ok(rustix::io::fcntl_dupfd_cloexec(stream, 3)?.into())
}

/// Writes all of `bytes`, waiting where the caller made the stream non-blocking.
///
/// # Errors
/// The operating system's.
pub fn write_all(file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(file, PollFlags::OUT)], None).map(drop).or_else(ignore)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn ignore(error: Errno) -> io::Result<()> {
    if error == Errno::INTR { Ok(()) } else { Err(error.into()) }
}

/// A pipe for a command to write to: our end, which does not block, and the command's, which does.
/// It holds a mebibyte where the kernel allows that.
///
/// # Errors
/// The operating system's.
pub fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = blocking_pipe()?;
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&write, 1 << 20);
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

/// A pipe whose ends both block: one to read from, one to write to.
///
/// # Errors
/// The operating system's.
pub fn blocking_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = io::pipe()?;
    Ok((read.into(), write.into()))
}

/// Writes once; how many bytes.
///
/// # Errors
/// The operating system's.
pub fn write(file: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(file, bytes)?)
}

/// How many bytes can be read at once.
#[must_use]
pub fn bytes_available(file: impl AsFd) -> u64 {
    rustix::io::ioctl_fionread(file).unwrap_or(0)
}
