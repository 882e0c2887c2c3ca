//! The streams between the caller, vault, and a command.
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

/// The kind of one of the streams 0, 1, and 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamKind {
    /// The caller had closed it.
    Closed,
    /// A terminal.
    Terminal,
    /// Anything else: a pipe, a file, or a socket.
    Other,
}

/// Returns the kinds of standard input, output, and error.
#[must_use]
pub fn streams() -> [StreamKind; 3] {
    let streams = [
        rustix::stdio::stdin(),
        rustix::stdio::stdout(),
        rustix::stdio::stderr(),
    ];
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

/// Returns whether standard input and output are the controlling terminal of this session, so that
/// someone who types there sees the output. At the terminal of another session (`setsid`), keys may
/// be meant for another program until the command asks for them.
#[must_use]
pub fn input_shows_output() -> bool {
    if rustix::termios::tcgetpgrp(rustix::stdio::stdin()).is_err() {
        return false;
    }
    let device = |stream| {
        fstat(stream)
            .ok()
            .filter(|_| isatty(stream))
            .map(|stat| stat.st_rdev)
    };
    let input = device(rustix::stdio::stdin());
    input.is_some() && input == device(rustix::stdio::stdout())
}

/// Returns whether standard output and standard error are one open file, so that writes to both
/// have one order.
#[must_use]
pub fn outputs_are_one() -> bool {
    let (output, error) = (rustix::stdio::stdout(), rustix::stdio::stderr());
    let (Ok(first), Ok(second)) = (fstat(output), fstat(error)) else {
        return false;
    };
    if (first.st_dev, first.st_ino, first.st_rdev) != (second.st_dev, second.st_ino, second.st_rdev)
    {
        return false;
    }
    // Each opening of a regular file has its own position; anything else has one order for all
    // writers.
    !FileType::from_raw_mode(first.st_mode).is_file() || is_one_opening()
}

/// Returns whether 1 and 2 share their position in a file, or both append to it anyway.
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
    [rustix::stdio::stdout(), rustix::stdio::stderr()]
        .into_iter()
        .all(|stream| {
            rustix::fs::fcntl_getfl(stream).is_ok_and(|flags| flags.contains(OFlags::APPEND))
        })
}

/// Returns standard input.
#[must_use]
pub fn input() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

/// Returns standard output.
#[must_use]
pub fn output() -> BorrowedFd<'static> {
    rustix::stdio::stdout()
}

/// Closes standard output, so that its reader sees the end.
///
/// # Errors
/// Returns the operating system's error.
pub fn close_output() -> io::Result<()> {
    let nothing = File::options().write(true).open("/dev/null")?;
    Ok(rustix::stdio::dup2_stdout(nothing)?)
}

/// Returns a copy of standard output (1) or standard error (2) for a writing thread. The flags of
/// the open file stay as the caller set them.
///
/// # Errors
/// Returns the operating system's error.
pub fn output_stream(number: usize) -> io::Result<File> {
    let stream = if number == 1 {
        rustix::stdio::stdout()
    } else {
        rustix::stdio::stderr()
    };
    Ok(rustix::io::fcntl_dupfd_cloexec(stream, 3)?.into())
}

/// Writes all of `bytes`. Waits if the caller made the stream non-blocking.
///
/// # Errors
/// Returns the operating system's error.
pub fn write_all(file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(file, PollFlags::OUT)], None)
                    .map(drop)
                    .or_else(ignore)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn ignore(error: Errno) -> io::Result<()> {
    if error == Errno::INTR {
        Ok(())
    } else {
        Err(error.into())
    }
}

/// Makes a pipe for a command's output: vault's end, which is non-blocking, and the command's end,
/// which blocks. It holds a mebibyte if the kernel allows that.
///
/// # Errors
/// Returns the operating system's error.
pub fn output_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = blocking_pipe()?;
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(&write, 1 << 20);
    rustix::io::ioctl_fionbio(&read, true)?;
    Ok((read, write))
}

/// Makes a pipe with a reading and a writing end that both block.
///
/// # Errors
/// Returns the operating system's error.
pub fn blocking_pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = io::pipe()?;
    Ok((read.into(), write.into()))
}

/// Writes once and returns the number of bytes written.
///
/// # Errors
/// Returns the operating system's error.
pub fn write(file: impl AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(file, bytes)?)
}

/// Returns the number of bytes that can be read without waiting.
#[must_use]
pub fn bytes_available(file: impl AsFd) -> u64 {
    rustix::io::ioctl_fionread(file).unwrap_or(0)
}
