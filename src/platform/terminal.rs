//! Terminals: the caller's own, and the pair of a pseudo-terminal.

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

/// A new pseudo-terminal. The master is ours, non-blocking; the slave is for a command.
pub struct Pty {
    /// What a terminal emulator would hold.
    pub master: OwnedFd,
    /// What a program holds.
    pub slave: OwnedFd,
}

impl Pty {
    /// A new one.
    ///
    /// # Errors
    /// The operating system's.
    pub fn open() -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let slave = open_slave(&master)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        Ok(Self { master, slave })
    }

    /// Makes the slave pass on what is written to it as it is: whatever a terminal does to output
    /// the outer one does anyway.
    ///
    /// # Errors
    /// The operating system's.
    pub fn pass_output(&self) -> io::Result<()> {
        let mut modes = tcgetattr(&self.slave)?;
        modes.output_modes.remove(OutputModes::OPOST);
        Ok(tcsetattr(&self.slave, OptionalActions::Now, &modes)?)
    }
}

/// Works where the path of the slave does not, as in another mount namespace.
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
    Ok(File::options().read(true).write(true).custom_flags(flags).open(path)?.into())
}

/// The terminal that the caller sits at, opened anew, so that our copy can be non-blocking and the
/// caller's is not.
#[derive(Clone)]
pub struct Terminal(Arc<OwnedFd>);

impl Terminal {
    /// The terminal behind `stream`.
    ///
    /// # Errors
    /// When it has no path here and there is no controlling terminal either.
    pub fn of_stream(stream: BorrowedFd<'_>) -> io::Result<Self> {
        let named = ttyname(stream, Vec::new()).map_err(io::Error::from);
        let opened = named.and_then(|path| open(OsStr::from_bytes(path.to_bytes())));
        let terminal = opened.or_else(|_| open(OsStr::new("/dev/tty")))?;
        rustix::io::ioctl_fionbio(&terminal, true)?;
        Ok(Self(Arc::new(terminal)))
    }

    /// Whether this process may read keys and set modes: its group is in the foreground, or the
    /// terminal is nobody's.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        match tcgetpgrp(&self.0) {
            Ok(group) => group == getpgrp(),
            Err(error) => error == Errno::NOTTY,
        }
    }

    /// Passes every key on as it is and output too, until the value is dropped or this process
    /// panics.
    ///
    /// # Errors
    /// The operating system's.
    pub fn make_raw(&self) -> io::Result<RawMode> {
        let before = tcgetattr(&self.0)?;
        let mut raw = before.clone();
        raw.make_raw();
        set_modes(self, &raw)?;
        Ok(RawMode { terminal: self.clone(), modes: raw, before: Some(before) })
    }

    /// Gives `other` this terminal's modes.
    ///
    /// # Errors
    /// The operating system's.
    pub fn copy_modes(&self, other: BorrowedFd<'_>) -> io::Result<()> {
        Ok(tcsetattr(other, OptionalActions::Now, &tcgetattr(&self.0)?)?)
    }

    /// The modes as they are, to be put back by [`Modes::restore`].
    ///
    /// # Errors
    /// The operating system's.
    pub fn modes(&self) -> io::Result<Modes> {
        Ok(Modes { terminal: self.clone(), modes: tcgetattr(&self.0)? })
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

/// The modes of a terminal at some time.
pub struct Modes {
    terminal: Terminal,
    modes: Termios,
}

impl Modes {
    /// Puts them back.
    pub fn restore(&self) {
        let _ = set_modes(&self.terminal, &self.modes);
    }
}

/// A terminal is raw while this lives.
pub struct RawMode {
    terminal: Terminal,
    modes: Termios,
    /// Nothing where they are not to be put back.
    before: Option<Termios>,
}

impl RawMode {
    /// Makes the terminal raw again; what is put back in the end stays the same.
    pub fn reapply(&self) {
        let _ = set_modes(&self.terminal, &self.modes);
    }

    /// Leaves the terminal as it is.
    pub fn disarm(mut self) {
        self.before = None;
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // Where the terminal is gone nothing needs to be put back.
            let _ = set_modes(&self.terminal, before);
        }
    }
}

/// Signals wait meanwhile, lest the kernel stop us where another group has just got the terminal.
fn set_modes(terminal: &Terminal, modes: &Termios) -> io::Result<()> {
    let _blocked = BlockedSignals::new();
    Ok(tcsetattr(&terminal.0, OptionalActions::Now, modes)?)
}

/// Whether the terminal of this master writes a carriage return before each newline.
#[must_use]
pub fn adds_carriage_returns(master: impl AsFd) -> bool {
    let both = OutputModes::OPOST | OutputModes::ONLCR;
    tcgetattr(master).is_ok_and(|modes| modes.output_modes.contains(both))
}

/// Gives the terminal behind `to` the size of that behind `from`. Where one of them is gone there
/// is no size to give.
pub fn copy_size(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    if let Ok(size) = tcgetwinsize(from) {
        let _ = tcsetwinsize(to, size);
    }
}
