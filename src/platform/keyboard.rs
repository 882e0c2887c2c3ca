//! The terminal while a person answers a question: the bytes and signals that arrive.
//!
//! Nothing typed is left for the next program: unread input is discarded when the terminal's modes
//! are put back.

use std::io;
use std::os::fd::AsFd;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, QueueSelector, SpecialCodeIndex, Termios, tcflush,
    tcgetattr, tcsetattr,
};

use super::interruption::Interruptions;
use super::signals::{BlockedSignals, Signal, StopScope, Target, send, stop};
use super::terminal::Terminal;

/// Turns bracketed paste on and off (xterm's control sequences). A terminal that supports it marks
/// the start and the end of a paste; any other ignores it.
const PASTE_MARKERS_ON: &[u8] = b"\x1b[?2004h";
const PASTE_MARKERS_OFF: &[u8] = b"\x1b[?2004l";

/// Limit on how often this process stops because another one has the terminal. The kernel does not
/// stop a process that no shell could wake, so this must not be repeated forever.
const MAX_STOPS: usize = 5;

/// An event at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// This many bytes were read.
    Bytes(usize),
    /// Nothing arrived in time.
    TimedOut,
    /// A signal arrived.
    Signal(Signal),
    /// The terminal is gone, or a line ended without a newline.
    End,
}

/// The terminal's control keys, as its user has set them.
#[derive(Clone, Copy, Debug)]
pub struct ControlKeys {
    /// Ctrl-C.
    pub interrupt: u8,
    /// Ctrl-\.
    pub quit: u8,
    /// Ctrl-Z.
    pub suspend: u8,
    /// Backspace.
    pub erase: u8,
    /// Ctrl-U.
    pub kill: u8,
    /// Ctrl-D.
    pub end: u8,
}

/// A terminal that echoes nothing and passes every byte on, until the value is dropped.
pub struct Keyboard {
    terminal: Terminal,
    before: Termios,
    modes: Termios,
    interruptions: Interruptions,
    /// The panic hook from before. The current hook also puts the terminal back.
    hook: Arc<Hook>,
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

impl Keyboard {
    /// Takes the terminal and discards earlier input.
    ///
    /// # Errors
    /// Returns the operating system's error; `PermissionDenied` if another program has the
    /// terminal.
    pub fn take(terminal: Terminal) -> io::Result<Self> {
        let before = tcgetattr(&terminal)?;
        let mut modes = before.clone();
        modes.input_modes.remove(
            InputModes::ICRNL
                | InputModes::INLCR
                | InputModes::IGNCR
                | InputModes::ISTRIP
                | InputModes::IXON,
        );
        // Without ISIG, a Ctrl-C inside a paste is an ordinary byte.
        modes.local_modes.remove(
            LocalModes::ECHO
                | LocalModes::ECHONL
                | LocalModes::ICANON
                | LocalModes::ISIG
                | LocalModes::IEXTEN,
        );
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        let interruptions = Interruptions::record()?;
        let hook = put_back_in_panic(terminal.clone(), before.clone());
        let keyboard = Self {
            terminal,
            before,
            modes,
            interruptions,
            hook,
        };
        keyboard.retake()?;
        Ok(keyboard)
    }

    /// Takes the terminal again after this process was stopped or another one changed the modes.
    ///
    /// # Errors
    /// Fails for the same reasons as [`Keyboard::take`].
    pub fn retake(&self) -> io::Result<()> {
        for _ in 0..MAX_STOPS {
            if self.terminal.is_ours() {
                set_modes(&self.terminal, &self.modes)?;
                self.show(PASTE_MARKERS_ON);
                return Ok(());
            }
            stop(Signal::TTIN, StopScope::Group);
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "another program has the terminal",
        ))
    }

    /// Returns the terminal's control keys.
    #[must_use]
    pub fn control_keys(&self) -> ControlKeys {
        let code = |index| self.before.special_codes[index];
        ControlKeys {
            interrupt: code(SpecialCodeIndex::VINTR),
            quit: code(SpecialCodeIndex::VQUIT),
            suspend: code(SpecialCodeIndex::VSUSP),
            erase: code(SpecialCodeIndex::VERASE),
            kill: code(SpecialCodeIndex::VKILL),
            end: code(SpecialCodeIndex::VEOF),
        }
    }

    /// Shows text.
    pub fn show(&self, text: &[u8]) {
        show(&self.terminal, text);
    }

    /// Waits for bytes or a signal, at most for `patience`, or without a limit.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn next_event(
        &mut self,
        buffer: &mut [u8],
        patience: Option<Duration>,
    ) -> io::Result<TerminalEvent> {
        let end = patience.map(|patience| Instant::now() + patience);
        loop {
            if let Some(signal) = self.interruptions.next_signal() {
                return Ok(TerminalEvent::Signal(signal));
            }
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let mut sources = [
                PollFd::new(&self.terminal, PollFlags::IN),
                PollFd::from_borrowed_fd(self.interruptions.wakeup(), PollFlags::IN),
            ];
            match wait(&mut sources, left)? {
                PollResult::Interrupted => continue,
                PollResult::TimedOut => return Ok(TerminalEvent::TimedOut),
                PollResult::Ready if sources[0].revents().is_empty() => continue,
                PollResult::Ready => {}
            }
            if let Some(event) = read(&self.terminal, buffer)? {
                return Ok(event);
            }
        }
    }

    /// Discards input until none has arrived for `quiet`, but at most for `longest`.
    pub fn drain(&mut self, buffer: &mut [u8], quiet: Duration, longest: Duration) {
        let start = Instant::now();
        while start.elapsed() < longest
            && matches!(
                self.next_event(buffer, Some(quiet)),
                Ok(TerminalEvent::Bytes(_))
            )
        {}
        let _ = tcflush(&self.terminal, QueueSelector::IFlush);
    }

    /// Puts the terminal back and sends `signal` to every process that the key would have reached.
    /// In this process it is recorded; in the others it has its usual effect.
    pub fn pass_on(&mut self, signal: Signal) {
        self.put_back();
        send(signal, Target::Group(rustix::process::getpgrp()));
    }

    /// Puts the terminal back, stops this process as the key would have done, and takes the
    /// terminal again after the stop.
    ///
    /// # Errors
    /// Fails for the same reasons as [`Keyboard::take`].
    pub fn suspend(&mut self) -> io::Result<()> {
        self.put_back();
        stop(Signal::TSTP, StopScope::Group);
        self.retake()?;
        // Taking the terminal again is the reaction to CONT, so CONT needs no other.
        while self
            .interruptions
            .next_signal()
            .is_some_and(|signal| signal == Signal::CONT)
        {}
        Ok(())
    }

    fn put_back(&self) {
        put_back(&self.terminal, &self.before);
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.put_back();
        // A panicking thread may not change the panic hook.
        if !thread::panicking() {
            let hook = Arc::clone(&self.hook);
            set_hook(Box::new(move |panic| hook(panic)));
        }
    }
}

/// Puts the modes back, unless another program has the terminal by now and has set its own.
fn put_back(terminal: &Terminal, before: &Termios) {
    if terminal.is_ours() {
        show(terminal, PASTE_MARKERS_OFF);
        let _ = set_modes(terminal, before);
    }
}

/// Puts the terminal back in a panic, because a panic that ends the process drops nothing. Returns
/// the panic hook from before.
fn put_back_in_panic(terminal: Terminal, before: Termios) -> Arc<Hook> {
    let hook: Arc<Hook> = take_hook().into();
    let also = Arc::clone(&hook);
    set_hook(Box::new(move |panic| {
        put_back(&terminal, &before);
        also(panic);
    }));
    hook
}

/// Sets modes and discards unread input. Signals are blocked so that the kernel cannot stop this
/// process if another one has just taken the terminal.
fn set_modes(terminal: &Terminal, modes: &Termios) -> io::Result<()> {
    let _blocked = BlockedSignals::new();
    Ok(tcsetattr(terminal, OptionalActions::Flush, modes)?)
}

/// A terminal in its usual modes, in which it echoes input and edits lines by itself.
pub struct LineReader(Terminal);

impl LineReader {
    /// Discards earlier input.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn new(terminal: Terminal) -> io::Result<Self> {
        tcflush(&terminal, QueueSelector::IFlush)?;
        Ok(Self(terminal))
    }

    /// Waits for the next line or a part of it, at most for `patience`, or without a limit.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn next_event(
        &self,
        buffer: &mut [u8],
        patience: Option<Duration>,
    ) -> io::Result<TerminalEvent> {
        let end = patience.map(|patience| Instant::now() + patience);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match wait(&mut [PollFd::new(&self.0, PollFlags::IN)], left)? {
                PollResult::Interrupted => continue,
                PollResult::TimedOut => return Ok(TerminalEvent::TimedOut),
                PollResult::Ready => {}
            }
            if let Some(event) = read(&self.0, buffer)? {
                return Ok(event);
            }
        }
    }

    /// Does the same as [`Keyboard::drain`].
    pub fn drain(&self, buffer: &mut [u8], quiet: Duration, longest: Duration) {
        let start = Instant::now();
        while start.elapsed() < longest
            && matches!(
                self.next_event(buffer, Some(quiet)),
                Ok(TerminalEvent::Bytes(_))
            )
        {}
        let _ = tcflush(&self.0, QueueSelector::IFlush);
    }
}

enum PollResult {
    Ready,
    TimedOut,
    Interrupted,
}

fn wait(sources: &mut [PollFd<'_>], patience: Option<Duration>) -> io::Result<PollResult> {
    let patience = patience
        .map(Timespec::try_from)
        .transpose()
        .map_err(io::Error::other)?;
    match poll(sources, patience.as_ref()) {
        Ok(0) => Ok(PollResult::TimedOut),
        Ok(_) => Ok(PollResult::Ready),
        Err(Errno::INTR) => Ok(PollResult::Interrupted),
        Err(error) => Err(error.into()),
    }
}

/// Reads the available bytes. Returns `None` if there were none after all.
fn read(terminal: &Terminal, buffer: &mut [u8]) -> io::Result<Option<TerminalEvent>> {
    match rustix::io::read(terminal, buffer) {
        Ok(0) | Err(Errno::IO) => Ok(Some(TerminalEvent::End)),
        Ok(count) => Ok(Some(TerminalEvent::Bytes(count))),
        Err(Errno::INTR | Errno::AGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows text. A write error means that the terminal is gone, and with it everyone who could read
/// it.
fn show(terminal: &Terminal, mut text: &[u8]) {
    while !text.is_empty() {
        match rustix::io::write(terminal, text) {
            Ok(count) => text = &text[count..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let mut sources = [PollFd::from_borrowed_fd(terminal.as_fd(), PollFlags::OUT)];
                if poll(&mut sources, None).is_err_and(|error| error != Errno::INTR) {
                    return;
                }
            }
            Err(_) => return,
        }
    }
}
