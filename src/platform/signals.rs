//! Signals: their senders, forwarding, and stopping or ending this process by them.
#![expect(
    unsafe_code,
    reason = "masks and dispositions are reached through the C library only"
)]

use std::io;
use std::os::unix::net::UnixStream;

use rustix::process::Pid;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;

/// A signal, by its number.
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
        // Other systems do not have these signals, or ignore them by default.
        #[cfg(target_os = "linux")]
        Self(libc::SIGIO),
        #[cfg(target_os = "linux")]
        Self(libc::SIGPWR),
        #[cfg(target_os = "linux")]
        Self(libc::SIGSTKFLT),
    ];
    /// A timer of this process has run out.
    pub const ALRM: Self = Self(libc::SIGALRM);
    /// A child changed.
    pub const CHLD: Self = Self(libc::SIGCHLD);
    /// Continue after a stop.
    pub const CONT: Self = Self(libc::SIGCONT);
    /// The terminal is gone.
    pub const HUP: Self = Self(libc::SIGHUP);
    /// Ctrl-C.
    pub const INT: Self = Self(libc::SIGINT);
    /// Ctrl-\.
    pub const QUIT: Self = Self(libc::SIGQUIT);
    /// Stop; cannot be caught.
    pub const STOP: Self = Self(libc::SIGSTOP);
    /// A request to end.
    pub const TERM: Self = Self(libc::SIGTERM);
    /// Ctrl-Z.
    pub const TSTP: Self = Self(libc::SIGTSTP);
    /// A background process read from the terminal.
    pub const TTIN: Self = Self(libc::SIGTTIN);
    /// A background process wrote to the terminal or changed its modes.
    pub const TTOU: Self = Self(libc::SIGTTOU);
    /// Defined by the receiver.
    pub const USR1: Self = Self(libc::SIGUSR1);
    /// Defined by the receiver.
    pub const USR2: Self = Self(libc::SIGUSR2);
    /// The terminal's size changed.
    pub const WINCH: Self = Self(libc::SIGWINCH);

    /// Makes a signal from its number on this system.
    #[must_use]
    pub fn new(number: i32) -> Self {
        Self(number)
    }

    /// Returns the signal's number on this system.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

/// The sender of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The kernel, for example on behalf of a terminal.
    Kernel,
    /// The process with this id.
    Process(i32),
}

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceivedSignal {
    /// The signal.
    pub signal: Signal,
    /// Its sender.
    pub sender: Sender,
}

/// Signals that are caught.
pub struct CaughtSignals(SignalDelivery<UnixStream, WithOrigin>);

impl CaughtSignals {
    /// Catches `signals` from now on.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn catch(signals: &[Signal]) -> io::Result<Self> {
        let (read, write) = UnixStream::pair()?;
        let numbers = signals.iter().map(|signal| signal.0);
        Ok(Self(SignalDelivery::with_pipe(
            read,
            write,
            WithOrigin::default(),
            numbers,
        )?))
    }

    /// Returns a socket that becomes readable when a signal has arrived.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn wakeup(&self) -> io::Result<UnixStream> {
        self.0.get_read().try_clone()
    }

    /// Takes the signals that have arrived since the last call.
    pub fn take_received(&mut self) -> Vec<ReceivedSignal> {
        let received = self.0.pending().map(|origin| ReceivedSignal {
            signal: Signal(origin.signal),
            sender: match origin.process {
                // Systems other than Linux report process 0 for signals of the kernel. On Linux, 0
                // is a process outside of this PID namespace, for example one that stops a
                // container.
                Some(process) if cfg!(target_os = "linux") || process.pid != 0 => {
                    Sender::Process(process.pid)
                }
                _ => Sender::Kernel,
            },
        });
        received.collect()
    }
}

/// Blocks all signals while it lives.
pub struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    /// Blocks every signal.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it changes the process, so it is never implied"
    )]
    pub fn new() -> Self {
        // SAFETY: both sets are valid places, and `sigfillset` makes the first a valid set.
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
    /// Returns a pending signal that ends this process, if there is one that the caller neither
    /// ignored nor blocked.
    #[must_use]
    pub fn pending_end(&self) -> Option<Signal> {
        // SAFETY: the set is a valid place.
        let waiting = unsafe {
            let mut waiting: libc::sigset_t = std::mem::zeroed();
            libc::sigpending(&raw mut waiting);
            waiting
        };
        Signal::ENDING.iter().copied().find(|signal| {
            // SAFETY: the kernel returned this set.
            let waits = unsafe { libc::sigismember(&raw const waiting, signal.0) == 1 };
            waits && !super::inherited::was_ignored_or_blocked(*signal)
        })
    }

    /// Restores the earlier mask and unblocks `signals` in any case.
    pub fn release(self, signals: &[Signal]) {
        drop(self);
        // SAFETY: `sigemptyset` makes the set valid before it is used.
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
        // SAFETY: the kernel returned this set.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const self.0, std::ptr::null_mut()) };
    }
}

/// Blocks these signals and no others.
pub(super) fn set_mask(signals: impl Iterator<Item = Signal>) {
    // SAFETY: `sigemptyset` makes the set valid before it is used.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        for signal in signals {
            libc::sigaddset(&raw mut set, signal.0);
        }
        libc::sigprocmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
    }
}

/// The receiver of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One process.
    Process(Pid),
    /// Every process of a group.
    Group(Pid),
}

/// Sends a signal. It is not an error if the receiver no longer exists.
pub fn send(signal: Signal, target: Target) {
    // SAFETY: passes only numbers. The pid is above 0, so the target is neither every process nor
    // the group of this one.
    unsafe {
        match target {
            Target::Process(pid) => libc::kill(pid.as_raw_nonzero().get(), signal.0),
            Target::Group(pid) => libc::kill(-pid.as_raw_nonzero().get(), signal.0),
        };
    }
}

/// The processes to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopScope {
    /// This process alone.
    Process,
    /// Its whole process group, as when a key stops it.
    Group,
}

/// Stops by `signal` and returns when this process continues. Returns at once if the kernel does
/// not stop it, because it is process 1 or no shell could continue it.
pub fn stop(signal: Signal, scope: StopScope) {
    let receiver = match scope {
        StopScope::Process => rustix::process::getpid().as_raw_nonzero().get(),
        StopScope::Group => 0,
    };
    // SAFETY: the default disposition does not run any Rust code, and the caught one is restored.
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

/// Ends this process by `signal` with its default effect. Returns only if the kernel does not let
/// the signal end it, as for process 1.
pub fn die(signal: Signal) {
    // SAFETY: the default disposition does not run any Rust code.
    unsafe {
        libc::signal(signal.0, libc::SIG_DFL);
        set_mask(std::iter::empty());
        libc::kill(libc::getpid(), signal.0);
    }
}
