//! State inherited from the caller, recorded before the standard library changes it, and restored
//! for a command.
//!
//! Before `main` runs, Rust ignores SIGPIPE and opens `/dev/null` in place of closed streams. A
//! command must get both as the caller had set them, so a function that the loader calls before
//! `main` records them.
#![expect(
    unsafe_code,
    reason = "signal dispositions are reached through the C library only"
)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::signals::{self, Signal};

/// One bit for each ignored signal; signal n has bit n - 1.
static IGNORED: AtomicU64 = AtomicU64::new(0);
/// One bit for each blocked signal.
static BLOCKED: AtomicU64 = AtomicU64::new(0);
/// Which of the streams 0, 1, and 2 were closed.
static CLOSED: [AtomicBool; 3] = [const { AtomicBool::new(false) }; 3];

/// The numbers of the recorded signals.
const RECORDED: std::ops::RangeInclusive<i32> = 1..=64;

const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

#[used]
#[cfg_attr(target_os = "macos", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_os = "macos"), unsafe(link_section = ".init_array"))]
static RECORD: extern "C" fn() = record;

extern "C" fn record() {
    let mut ignored = 0;
    let mut blocked = 0;
    // SAFETY: reading a disposition with a null new action, the mask with a null new mask, and a
    // descriptor's flags changes nothing. Zeroed values are valid places for the results.
    unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::sigprocmask(libc::SIG_BLOCK, std::ptr::null(), &raw mut mask);
        for number in RECORDED {
            let mut action: libc::sigaction = std::mem::zeroed();
            let known = libc::sigaction(number, std::ptr::null(), &raw mut action) == 0;
            if known && action.sa_sigaction == libc::SIG_IGN {
                ignored |= bit(number);
            }
            if libc::sigismember(&raw const mask, number) == 1 {
                blocked |= bit(number);
            }
        }
        for (number, closed) in (0..).zip(&CLOSED) {
            closed.store(libc::fcntl(number, libc::F_GETFD) == -1, Ordering::Relaxed);
        }
    }
    IGNORED.store(ignored, Ordering::Relaxed);
    BLOCKED.store(blocked, Ordering::Relaxed);
}

/// Returns whether the caller had closed stream `number`, which is 0, 1, or 2.
pub(super) fn was_closed(number: usize) -> bool {
    CLOSED[number].load(Ordering::Relaxed)
}

/// Returns whether the caller ignored or blocked this signal.
#[must_use]
pub fn was_ignored_or_blocked(signal: Signal) -> bool {
    let refused = IGNORED.load(Ordering::Relaxed) | BLOCKED.load(Ordering::Relaxed);
    refused & bit(signal.number()) != 0
}

/// Restores the caller's signal dispositions, signal mask, and closed streams, in a process that is
/// about to become a command. Removes all of vault's handlers.
pub(super) fn restore() {
    let (ignored, blocked) = (
        IGNORED.load(Ordering::Relaxed),
        BLOCKED.load(Ordering::Relaxed),
    );
    for number in RECORDED {
        let action = if ignored & bit(number) == 0 {
            libc::SIG_DFL
        } else {
            libc::SIG_IGN
        };
        // SAFETY: neither disposition runs any Rust code. For a signal that does not exist, or
        // whose disposition is fixed, the call fails without an effect.
        unsafe { libc::signal(number, action) };
    }
    for (number, closed) in (0..).zip(&CLOSED) {
        if closed.load(Ordering::Relaxed) {
            // SAFETY: it is the `/dev/null` that the standard library opened; no value owns it.
            unsafe { libc::close(number) };
        }
    }
    let blocked = RECORDED
        .filter(|number| blocked & bit(*number) != 0)
        .map(Signal::new);
    signals::set_mask(blocked);
}
