//! Terminals: the caller's, and pseudo-terminals.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::pty::{OpenptFlags, grantpt, openpt, unlockpt};
use rustix::termios::{
    OptionalActions, OutputModes, Termios, tcgetattr, tcgetpgrp, tcgetwinsize, tcsetattr,
    tcsetwinsize, ttyname,
};

use super::signals::BlockedSignals;

/// A new pseudo-terminal. The master is for vault and non-blocking; the slave is for a command.
pub struct Pty {
    /// The end that a terminal emulator would hold.
    pub master: OwnedFd,
    /// The end that a program holds.
    pub slave: OwnedFd,
}

impl Pty {
    /// Opens a new pseudo-terminal.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = open_slave(&master)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self { master, slave })
    }

    /// Makes the slave pass output on unchanged, because the outer terminal processes it anyway.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn pass_output(&self) -> io::Result<()> {
        let mut modes = tcgetattr(&self.slave)?;
        modes.output_modes.remove(OutputModes::OPOST);
        Ok(tcsetattr(&self.slave, OptionalActions::Now, &modes)?)
    }
}

/// Opens the slave through the master, which works even if the slave has no path here, as in
/// another mount namespace.
#[cfg(target_os = "linux")]
fn open_slave(master: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    Ok(rustix::pty::ioctl_tiocgptpeer(master, flags)?)
}

#[cfg(not(target_os = "linux"))]
fn open_slave(master: &OwnedFd) -> io::Result<OwnedFd> {
    let path = rustix::pty::ptsname(master, Vec::new())?;
    open(OsStr::from_bytes(path.to_bytes()))
}

fn open(path: &OsStr) -> io::Result<OwnedFd> {
    let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
    Ok(File::options()
        .read(true)
        .write(true)
        .custom_flags(flags)
        .open(path)?
        .into())
}

/// The caller's terminal, opened again, so that this copy can be non-blocking without affecting the
/// caller's.
#[derive(Clone)]
pub struct Terminal(Arc<OwnedFd>);

impl Terminal {
    /// Opens the terminal of `stream`.
    ///
    /// # Errors
    /// Fails if it has no path here and this process has no controlling terminal.
    pub fn of_stream(stream: BorrowedFd<'_>) -> io::Result<Self> {
        let named = ttyname(stream, Vec::new()).map_err(io::Error::from);
        let opened = named.and_then(|path| open(OsStr::from_bytes(path.to_bytes())));
        let terminal = opened.or_else(|_| open(OsStr::new("/dev/tty")))?;
        rustix::io::ioctl_fionbio(&terminal, true)?;
        Ok(Self(Arc::new(terminal)))
    }

    /// Returns whether this process may read keys and set modes: its group is in the foreground, or
    /// the terminal is not a controlling terminal.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match tcgetpgrp(&self.0) {
            Ok(group) => group == getpgrp(),
            Err(error) => error == Errno::NOTTY,
        }
    }

    /// Makes the terminal raw, so that it passes on keys and output unchanged, until the value is
    /// dropped.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn make_raw(&self) -> io::Result<RawMode> {
        let before = tcgetattr(&self.0)?;
        let mut raw = before.clone();
        raw.make_raw();
        set_modes(self, &raw)?;
        Ok(RawMode {
            terminal: self.clone(),
            modes: raw,
            before: Some(before),
        })
    }

    /// Gives `other` this terminal's modes.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn copy_modes(&self, other: BorrowedFd<'_>) -> io::Result<()> {
        Ok(tcsetattr(
            other,
            OptionalActions::Now,
            &tcgetattr(&self.0)?,
        )?)
    }

    /// Returns the current modes, to be put back by [`Modes::restore`].
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn modes(&self) -> io::Result<Modes> {
        Ok(Modes {
            terminal: self.clone(),
            modes: tcgetattr(&self.0)?,
        })
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl std::os::fd::AsRawFd for Terminal {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}

/// The modes that a terminal had.
pub struct Modes {
    terminal: Terminal,
    modes: Termios,
}

impl Modes {
    /// Puts the modes back.
    pub fn restore(&self) {
        let _ = set_modes(&self.terminal, &self.modes);
    }
}

/// Keeps a terminal raw while it lives.
pub struct RawMode {
    terminal: Terminal,
    modes: Termios,
    /// `None` if they must not be put back.
    before: Option<Termios>,
}

impl RawMode {
    /// Makes the terminal raw again. The modes to put back stay the same.
    pub fn reapply(&self) {
        let _ = set_modes(&self.terminal, &self.modes);
    }

    /// Drops the value without putting the modes back.
    pub fn disarm(mut self) {
        self.before = None;
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // An error means that the terminal is gone, so nothing needs to be put back.
            let _ = set_modes(&self.terminal, before);
        }
    }
}

/// Sets modes. Signals are blocked so that the kernel cannot stop vault if another group has just
/// taken the terminal.
fn set_modes(terminal: &Terminal, modes: &Termios) -> io::Result<()> {
    let _blocked = BlockedSignals::new();
    Ok(tcsetattr(&terminal.0, OptionalActions::Now, modes)?)
}

/// Returns whether the terminal of this master writes a carriage return before each newline.
#[must_use]
pub fn adds_carriage_returns(master: impl AsFd) -> bool {
    let both = OutputModes::OPOST | OutputModes::ONLCR;
    tcgetattr(master).is_ok_and(|modes| modes.output_modes.contains(both))
}

/// Gives the terminal of `to` the size of the terminal of `from`. Has no effect if one of them is
/// gone.
pub fn copy_size(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    if let Ok(size) = tcgetwinsize(from) {
        let _ = tcsetwinsize(to, size);
    }
}
