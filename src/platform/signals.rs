//! Signals: who sent them, sending them on, stopping and dying by them.
#![expect(unsafe_code, reason = "masks and dispositions are reached through the C library only")]

use std::io;
use std::os::unix::net::UnixStream;

use rustix::process::Pid;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;

/// A signal by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// The signals that end a process by default, that other processes send, and that can be passed
    /// on. Faults and real-time signals are left out.
    pub const ENDING: &[Self] = &[
        Self::HUP,
        Self::INT,
        Self::QUIT,
        Self::TERM,
        Self::USR1,
        Self::USR2,
        Self(libc::SIGABRT),
        Self::ALRM,
        Self(libc::SIGVTALRM),
        Self(libc::SIGPROF),
        Self(libc::SIGXCPU),
        Self(libc::SIGXFSZ),
        // Other systems do not have it, or ignore it by default.
        #[cfg(target_os = "linux")]
        Self(libc::SIGIO),
        #[cfg(target_os = "linux")]
        Self(libc::SIGPWR),
        #[cfg(target_os = "linux")]
        Self(libc::SIGSTKFLT),
    ];
    /// A timer of this process.
    pub const ALRM: Self = Self(libc::SIGALRM);
    /// A child changed.
    pub const CHLD: Self = Self(libc::SIGCHLD);
    /// Go on after a stop.
    pub const CONT: Self = Self(libc::SIGCONT);
    /// The terminal is gone.
    pub const HUP: Self = Self(libc::SIGHUP);
    /// Ctrl-C.
    pub const INT: Self = Self(libc::SIGINT);
    /// Ctrl-\.
    pub const QUIT: Self = Self(libc::SIGQUIT);
    /// Stop, whatever the receiver thinks of it.
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// End, please.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// Ctrl-Z.
    pub const TSTP: Self = Self(libc::SIGTSTP);
    /// The background read from the terminal.
    pub const TTIN: Self = Self(libc::SIGTTIN);
    /// The background wrote to the terminal or changed its modes.
    pub const TTOU: Self = Self(libc::SIGTTOU);
    /// For the receiver to define.
    pub const USR1: Self = Self(libc::SIGUSR1);
    /// For the receiver to define.
    pub const USR2: Self = Self(libc::SIGUSR2);
    /// The terminal has another size.
    pub const WINCH: Self = Self(libc::SIGWINCH);

    /// The signal with this number.
    #[must_use]
    pub fn new(number: i32) -> Self {
        Self(number)
    }

    /// Its number on this system.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

/// Who sent a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel, such as on behalf of a terminal.
    Kernel,
    /// The process with this number.
    Process(i32),
}

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedSignal {
    /// Which.
    pub signal: Signal,
    /// From whom.
    pub sender: Sender,
}

/// Signals that are caught.
pub struct CaughtSignals(SignalDelivery<UnixStream, WithOrigin>);

impl CaughtSignals {
    /// Catches `signals` from now on.
    ///
    /// # Errors
    /// The operating system's.
    pub fn catch(signals: &[Signal]) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let numbers = signals.iter().map(|signal| signal.0);
        Ok(Self(SignalDelivery::with_pipe(read, write, WithOrigin::default(), numbers)?))
    }

    /// Becomes readable when something arrives.
    ///
    /// # Errors
    /// The operating system's.
    pub fn wakeup(&self) -> io::Result<UnixStream> {
        self.0.get_read().try_clone()
    }

    /// What has arrived since the last call.
    pub fn take_received(&mut self) -> Vec<ReceivedSignal> {
        let received = self.0.pending().map(|origin| ReceivedSignal {
            signal: Signal(origin.signal),
            sender: match origin.process {
                // Elsewhere the kernel names no cause, and 0. On Linux 0 is a process outside of our
                // PID namespace, such as one that stops a container.
                Some(process) if cfg!(target_os = "linux") || process.pid != 0 => {
                    Sender::Process(process.pid)
                }
                _ => Sender::Kernel,
            },
        });
        received.collect()
    }
}

/// Signals wait while it lives.
pub struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    /// Blocks every signal.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it changes the process, so it is never implied"
    )]
    pub fn new() -> Self {
        // SAFETY: both sets are valid places; `sigfillset` makes the first a valid set.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
            Self(before)
        }
    }
}

impl BlockedSignals {
    /// A signal that has come in the meantime and ends this process, unless the caller ignored or
    /// blocked it.
    #[must_use]
    pub fn pending_end(&self) -> Option<Signal> {
        // SAFETY: the set is a valid place.
        let waiting = unsafe {
            let mut waiting: libc::sigset_t = std::mem::zeroed();
            libc::sigpending(&raw mut waiting);
            waiting
        };
        Signal::ENDING.iter().copied().find(|signal| {
            // SAFETY: the set is the one that the kernel gave.
            let waits = unsafe { libc::sigismember(&raw const waiting, signal.0) == 1 };
            waits && !super::inherited::was_ignored_or_blocked(*signal)
        })
    }

    /// Lets signals arrive again as before, and these in any case.
    pub fn release(self, signals: &[Signal]) {
        drop(self);
        // SAFETY: the set is made valid by `sigemptyset` before it is used.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            for signal in signals {
                libc::sigaddset(&raw mut set, signal.0);
            }
            libc::sigprocmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        }
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set is the one that the kernel gave.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// Blocks these signals and no others.
pub(super) fn set_mask(signals: impl Iterator<Item = Signal>) {
    // SAFETY: the set is made valid by `sigemptyset` before it is used.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, signal.0);
        }
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// Whom a signal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One process.
    Process(Pid),
    /// All of a process group.
    Group(Pid),
}

/// Sends a signal. A receiver that is gone is no failure.
pub fn send(signal: Signal, target: Target) {
    // SAFETY: takes numbers only; the target is above 0, so neither every process nor our group.
    unsafe {
        match target {
            Target::Process(pid) => libc::kill(pid.as_raw_nonzero().get(), signal.0),
            Target::Group(pid) => libc::kill(-pid.as_raw_nonzero().get(), signal.0),
        };
    }
}

/// Whom a stop concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopScope {
    /// This process alone.
    Process,
    /// Its whole process group, as when a key stops it.
    Group,
}

/// Stops by `signal` and returns when this process goes on; at once where the kernel lets nobody
/// stop it: process 1, and whoever has no shell that could make it go on.
pub fn stop(signal: Signal, scope: StopScope) {
    let receiver = match scope {
        StopScope::Process => rustix::process::getpid().as_raw_nonzero().get(),
        StopScope::Group => 0,
    };
    // SAFETY: the default disposition runs none of our code, and the caught one is put back.
    unsafe {
        let mut default: libc::sigaction = std::mem::zeroed();
        default.sa_sigaction = libc::SIG_DFL;
        let mut before: libc::sigaction = std::mem::zeroed();
        let catches = signal != Signal::STOP
            && libc::sigaction(signal.0, &raw const default, &raw mut before) == 0;
        libc::kill(receiver, signal.0);
        if catches {
            libc::sigaction(signal.0, &raw const before, std::ptr::null_mut());
        }
    }
}

/// Ends this process by `signal`, as if nobody had ever caught it. Returns only where the kernel
/// does not let a signal end it, as with process 1.
pub fn die(signal: Signal) {
    // SAFETY: the default disposition runs none of our code.
    unsafe {
        libc::signal(signal.0, libc::SIG_DFL);
        set_mask(std::iter::empty());
        libc::kill(libc::getpid(), signal.0);
    }
}
