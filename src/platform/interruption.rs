//! Signals that end or stop this process, recorded instead while something must be put back first.
//!
//! The handlers are not those of `signal-hook`, which stay installed after their last user: the
//! signal would then have no effect.
#![expect(
    unsafe_code,
    reason = "signal dispositions are reached through the C library only"
)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use super::inherited::was_ignored_or_blocked;
use super::signals::{Signal, Target, send};

/// The descriptor to which a handler writes the number of its signal; -1 if nothing listens.
static WAKEUP: AtomicI32 = AtomicI32::new(-1);

/// Records signals while it lives. Restores the previous dispositions on drop.
pub struct Interruptions {
    before: Vec<(Signal, libc::sigaction)>,
    wakeup: OwnedFd,
    _writer: OwnedFd,
}

impl Interruptions {
    /// Starts recording signals, except those that the caller of this process ignores or blocks. At
    /// most one value may exist at a time.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn record() -> io::Result<Self> {
        let (wakeup, writer) = super::streams::blocking_pipe()?;
        rustix::io::ioctl_fionbio(&wakeup, true)?;
        rustix::io::ioctl_fionbio(&writer, true)?;
        WAKEUP.store(writer.as_raw_fd(), Ordering::Relaxed);
        let mut before = Vec::new();
        let noted = Signal::ENDING
            .iter()
            .copied()
            .chain([Signal::TSTP, Signal::CONT]);
        for signal in noted.filter(|signal| !was_ignored_or_blocked(*signal)) {
            // SAFETY: the zeroed action is valid and gets a handler that is safe to run in a
            // signal. The old action is written to a valid place.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = record_signal as *const () as libc::sighandler_t;
                let mut old: libc::sigaction = std::mem::zeroed();
                if libc::sigaction(signal.number(), &raw const action, &raw mut old) == 0 {
                    before.push((signal, old));
                }
            }
        }
        Ok(Self {
            before,
            wakeup,
            _writer: writer,
        })
    }

    /// Returns a descriptor that becomes readable when a signal has arrived.
    #[must_use]
    pub fn wakeup(&self) -> BorrowedFd<'_> {
        self.wakeup.as_fd()
    }

    /// Returns the next signal that has arrived, or `None` if there is none.
    pub fn next_signal(&mut self) -> Option<Signal> {
        let mut number = [0_u8];
        let count = rustix::io::read(&self.wakeup, &mut number).unwrap_or(0);
        (count == 1).then(|| Signal::new(i32::from(number[0])))
    }
}

impl Drop for Interruptions {
    fn drop(&mut self) {
        for (signal, old) in &self.before {
            // SAFETY: the kernel returned this action.
            unsafe { libc::sigaction(signal.number(), &raw const *old, std::ptr::null_mut()) };
        }
        WAKEUP.store(-1, Ordering::Relaxed);
        // A signal that arrived after the last check has its usual effect now.
        while let Some(signal) = self.next_signal() {
            send(signal, Target::Process(rustix::process::getpid()));
        }
    }
}

/// Writes the signal's number. Calls only `write`, which a handler may call, and preserves `errno`.
extern "C" fn record_signal(number: libc::c_int) {
    let number = u8::try_from(number).unwrap_or(0);
    // SAFETY: writes one byte from a valid place. A closed or full pipe is an error without an
    // effect. `errno` belongs to this thread.
    unsafe {
        let errno = errno();
        let before = *errno;
        libc::write(
            WAKEUP.load(Ordering::Relaxed),
            (&raw const number).cast(),
            1,
        );
        *errno = before;
    }
}

/// Returns the place of this thread's `errno`.
unsafe fn errno() -> *mut libc::c_int {
    // SAFETY: the C library returns a valid place for every thread.
    unsafe {
        #[cfg(target_os = "linux")]
        return libc::__errno_location();
        #[cfg(not(target_os = "linux"))]
        return libc::__error();
    }
}
