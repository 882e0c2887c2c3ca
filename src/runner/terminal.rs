//! The relay between the caller's terminal (outer) and the command's (inner): passes keys on and
//! puts modes back.
//!
//! The outer terminal is raw, and its keys are read, only while vault is in its foreground and the
//! command wants keys. At any other time the terminal belongs to another program, and reading one
//! key from it would steal that key.

use std::future::pending;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::unix::pipe::{Receiver, Sender};

use super::wiring::KeyDelivery;
use crate::platform::{self, GroupPosition, RawMode, Terminal};
use crate::secret::{Secret, Wiped};

/// Largest number of bytes read from the outer terminal at once.
const READ_SIZE: usize = 4096;

/// The outer and the inner terminal.
pub(super) struct TerminalRelay {
    outer: Terminal,
    keys: Receiver,
    master: Sender,
    raw: Option<RawMode>,
    /// Read outside and not yet written inside; may be a password.
    typed: Secret,
    is_hung_up: bool,
    /// Whether vault has had the outer terminal before, so that the inner one already has its
    /// modes.
    was_ours: bool,
    /// Whether the command wants keys.
    is_wanted: bool,
    raw_flag: RawFlag,
}

/// Whether the outer terminal is raw, so that only the inner one processes output. Shared with the
/// channels.
#[derive(Clone, Default)]
pub(super) struct RawFlag(Arc<AtomicBool>);

impl RawFlag {
    pub(super) fn is_raw(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self, raw_flag: Option<&RawMode>) {
        self.0.store(raw_flag.is_some(), Ordering::Relaxed);
    }
}

impl TerminalRelay {
    /// Starts the relay. `raw` is given if the outer terminal is raw already.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub(super) fn start(
        outer: Terminal,
        master: OwnedFd,
        raw: Option<RawMode>,
        keys: KeyDelivery,
        raw_flag: RawFlag,
    ) -> io::Result<Self> {
        raw_flag.set(raw.as_ref());
        Ok(Self {
            is_wanted: keys == KeyDelivery::Immediate,
            raw_flag,
            keys: Receiver::from_owned_fd_unchecked(outer.as_fd().try_clone_to_owned()?)?,
            outer,
            master: Sender::from_owned_fd_unchecked(master)?,
            was_ours: raw.is_some(),
            raw,
            typed: Secret::with_capacity(READ_SIZE),
            is_hung_up: false,
        })
    }

    /// Notes that the command asked for keys or tried to set modes.
    pub(super) fn request_keys(&mut self) {
        self.is_wanted = true;
    }

    /// Returns whether the command would get the terminal now.
    pub(super) fn can_acquire(&self) -> bool {
        self.is_wanted && self.is_ours()
    }

    /// Returns whether vault is in the foreground of the outer terminal.
    pub(super) fn is_ours(&self) -> bool {
        self.outer.is_ours()
    }

    /// Takes the outer terminal if vault is in its foreground and the command wants keys. Returns
    /// the position that the command must have inside.
    pub(super) fn acquire(&mut self) -> GroupPosition {
        if !self.can_acquire() {
            // A shell that stopped vault with SIGSTOP has set its own modes. Restoring older ones
            // would break its line editing, so the old modes are forgotten.
            if let Some(raw) = self.raw.take() {
                raw.disarm();
            }
            self.raw_flag.set(None);
            return GroupPosition::Background;
        }
        if !self.was_ours {
            // First time in the foreground. The modes that were copied at the start may be those
            // that a shell sets while it edits a line; the command must not see them.
            let _ = self.outer.copy_modes(self.master.as_fd());
            self.was_ours = true;
        }
        match &self.raw {
            None => self.raw = self.outer.make_raw().ok(),
            // Another program may have changed the modes while vault was stopped.
            Some(raw) => raw.reapply(),
        }
        self.raw_flag.set(self.raw.as_ref());
        self.resize();
        GroupPosition::Foreground
    }

    /// Puts the outer terminal's modes back.
    pub(super) fn release(&mut self) {
        self.raw = None;
        self.raw_flag.set(None);
    }

    /// Gives the inner terminal the size of the outer one.
    pub(super) fn resize(&self) {
        platform::copy_size(self.outer.as_fd(), self.master.as_fd());
    }

    /// Forwards keys. Returns after each step, so that signals and reports are handled in between.
    pub(super) async fn forward_keys(&mut self) {
        if self.typed.is_empty() {
            if self.raw.is_none() || self.is_hung_up {
                return pending().await;
            }
            self.read_keys().await;
        }
        if self.typed.is_empty() {
            return;
        }
        if self.master.writable().await.is_err() {
            return self.typed.truncate(0);
        }
        match self.master.try_write(self.typed.expose()) {
            Ok(count) => self.typed.discard_front(count),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // The inner terminal is gone, and with it every reader.
            Err(_) => self.typed.truncate(0),
        }
    }

    async fn read_keys(&mut self) {
        let readable = self.keys.readable().await;
        let mut keys = Wiped::from(vec![0; READ_SIZE]);
        match readable.and_then(|()| self.keys.try_read(&mut keys)) {
            Ok(count) if count > 0 => self.typed.extend(&keys[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            _ => self.is_hung_up = true,
        }
    }
}
