//! The person at the terminal: passes keys on, and puts the terminal's modes back.
//!
//! The terminal is raw, and its keys are read, only while it is ours and the command wants them.

use std::future::pending;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::net::unix::pipe::{Receiver, Sender};

use super::wiring::KeyDelivery;
use crate::platform::{self, GroupPosition, RawMode, Terminal};
use crate::secret::{Secret, Wiped};

/// How many keys are read at once.
const READ_SIZE: usize = 4096;

/// The terminal outside and the one inside.
pub(super) struct TerminalRelay {
    outer: Terminal,
    keys: Receiver,
    master: Sender,
    raw: Option<RawMode>,
    /// Read outside, not yet typed inside; may be a password.
    typed: Secret,
    is_hung_up: bool,
    /// Whether the terminal was ours before, so that the one inside has its modes.
    was_ours: bool,
    /// Whether the keys are the command's, as far as it is concerned.
    is_wanted: bool,
    raw_flag: RawFlag,
}

/// Whether the terminal outside is raw, so that the one inside does to output what a terminal does.
/// Shared with those who pass the output on.
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
    /// Takes the seat; `raw` where the terminal is ours already.
    ///
    /// # Errors
    /// The operating system's.
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

    /// The command asks for keys, or to set modes.
    pub(super) fn request_keys(&mut self) {
        self.is_wanted = true;
    }

    /// Whether the command would get the terminal now.
    pub(super) fn can_acquire(&self) -> bool {
        self.is_wanted && self.is_ours()
    }

    /// Whether the terminal is in our hands by its own account.
    pub(super) fn is_ours(&self) -> bool {
        self.outer.is_ours()
    }

    /// Takes the terminal if it is ours to take, and wanted.
    pub(super) fn acquire(&mut self) -> GroupPosition {
        if !self.can_acquire() {
            // A shell that stopped us by force has set its own modes, which are not ours to change.
            if let Some(raw) = self.raw.take() {
                raw.disarm();
            }
            self.raw_flag.set(None);
            return GroupPosition::Background;
        }
        if !self.was_ours {
            // What a shell has set while it edits a line is not meant for the command.
            let _ = self.outer.copy_modes(self.master.as_fd());
            self.was_ours = true;
        }
        match &self.raw {
            None => self.raw = self.outer.make_raw().ok(),
            // Whoever had the terminal while we were stopped may have changed it.
            Some(raw) => raw.reapply(),
        }
        self.raw_flag.set(self.raw.as_ref());
        self.resize();
        GroupPosition::Foreground
    }

    /// Puts the terminal's modes back.
    pub(super) fn release(&mut self) {
        self.raw = None;
        self.raw_flag.set(None);
    }

    /// Gives the terminal inside the size of the one outside.
    pub(super) fn resize(&self) {
        platform::copy_size(self.outer.as_fd(), self.master.as_fd());
    }

    /// Passes on keys; returns now and then, so that others get their turn.
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
            // Nobody is there to read it.
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
