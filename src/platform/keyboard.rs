//! The terminal while a person answers a question: every byte that arrives, and signals between
//! them.
//!
//! Nothing that was typed is left for the next program: what was not read is discarded when the
//! terminal's modes are put back.

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

/// Turns bracketed paste on and off (xterm's control sequences): a terminal that knows it marks the
/// start and the end of a paste, and one that does not ignores it.
const PASTE_MARKERS_ON: &[u8] = b"\x1b[?2004h";
const PASTE_MARKERS_OFF: &[u8] = b"\x1b[?2004l";

/// How often this process stops because another one has the terminal. A process that no shell could
/// wake again is not stopped by the kernel, and must not try forever.
const MAX_STOPS: usize = 5;

/// What came from the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// This many bytes.
    Bytes(usize),
    /// Nothing in the time given.
    TimedOut,
    /// A signal.
    Signal(Signal),
    /// The terminal has gone away, or a line ended without a newline.
    End,
}

/// The keys of a terminal that mean something, as its user has set them.
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

/// A terminal that shows nothing and passes every byte on, until the value is dropped.
pub struct Keyboard {
    terminal: Terminal,
    before: Termios,
    modes: Termios,
    interruptions: Interruptions,
    /// What a panic did before; here it also puts the terminal back.
    hook: Arc<Hook>,
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

impl Keyboard {
    /// Takes the terminal and discards what was typed before.
    ///
    /// # Errors
    /// The operating system's; `PermissionDenied` if another program has the terminal.
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
        // Without ISIG, a Ctrl-C inside a paste is one of its bytes.
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
        let keyboard = Self { terminal, before, modes, interruptions, hook };
        keyboard.retake()?;
        Ok(keyboard)
    }

    /// Takes the terminal again, after this process was stopped or another one changed the modes.
    ///
    /// # Errors
    /// As [`Keyboard::take`].
    pub fn retake(&self) -> io::Result<()> {
        for _ in 0..MAX_STOPS {
            if self.terminal.is_ours() {
                set_modes(&self.terminal, &self.modes)?;
                self.show(PASTE_MARKERS_ON);
                return Ok(());
            }
            stop(Signal::TTIN, StopScope::Group);
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "another program has the terminal"))
    }

    /// The keys that mean something.
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

    /// Waits for bytes or a signal, for this long or without an end.
    ///
    /// # Errors
    /// The operating system's.
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

    /// Discards what arrives until nothing has for as long as `quiet`; no longer than `longest`.
    pub fn drain(&mut self, buffer: &mut [u8], quiet: Duration, longest: Duration) {
        let start = Instant::now();
        while start.elapsed() < longest
            && matches!(self.next_event(buffer, Some(quiet)), Ok(TerminalEvent::Bytes(_)))
        {}
        let _ = tcflush(&self.terminal, QueueSelector::IFlush);
    }

    /// Puts the terminal back and sends `signal` to all that the key would have reached. It is noted
    /// here, and has its usual effect on the others.
    pub fn pass_on(&mut self, signal: Signal) {
        self.put_back();
        send(signal, Target::Group(rustix::process::getpgrp()));
    }

    /// Puts the terminal back, stops as the key would have stopped this process, and takes the
    /// terminal again when it goes on.
    ///
    /// # Errors
    /// As [`Keyboard::take`].
    pub fn suspend(&mut self) -> io::Result<()> {
        self.put_back();
        stop(Signal::TSTP, StopScope::Group);
        self.retake()?;
        // The renewal has done what a signal to go on asks for.
        while self.interruptions.next_signal().is_some_and(|signal| signal == Signal::CONT) {}
        Ok(())
    }

    fn put_back(&self) {
        put_back(&self.terminal, &self.before);
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.put_back();
        // A thread that panics may not change what a panic does.
        if !thread::panicking() {
            let hook = Arc::clone(&self.hook);
            set_hook(Box::new(move |panic| hook(panic)));
        }
    }
}

/// If another program has the terminal by now, it has set its own modes.
fn put_back(terminal: &Terminal, before: &Termios) {
    if terminal.is_ours() {
        show(terminal, PASTE_MARKERS_OFF);
        let _ = set_modes(terminal, before);
    }
}

/// Where a panic ends the process at once, nothing is dropped. Returns what a panic did before.
fn put_back_in_panic(terminal: Terminal, before: Termios) -> Arc<Hook> {
    let hook: Arc<Hook> = take_hook().into();
    let also = Arc::clone(&hook);
    set_hook(Box::new(move |panic| {
        put_back(&terminal, &before);
        also(panic);
    }));
    hook
}

/// Sets modes and discards what was not read. Signals are blocked, so that the kernel cannot stop
/// this process if another one has just got the terminal.
fn set_modes(terminal: &Terminal, modes: &Termios) -> io::Result<()> {
    let _blocked = BlockedSignals::new();
    Ok(tcsetattr(terminal, OptionalActions::Flush, modes)?)
}

/// A terminal in its usual modes, which shows what is typed and edits lines by itself.
pub struct LineReader(Terminal);

impl LineReader {
    /// Discards what was typed before.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(terminal: Terminal) -> io::Result<Self> {
        tcflush(&terminal, QueueSelector::IFlush)?;
        Ok(Self(terminal))
    }

    /// Waits for the next line or the next part of one, for this long or without an end.
    ///
    /// # Errors
    /// The operating system's.
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

    /// As [`Keyboard::drain`].
    pub fn drain(&self, buffer: &mut [u8], quiet: Duration, longest: Duration) {
        let start = Instant::now();
        while start.elapsed() < longest
            && matches!(self.next_event(buffer, Some(quiet)), Ok(TerminalEvent::Bytes(_)))
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
    let patience = patience.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
    match poll(sources, patience.as_ref()) {
        Ok(0) => Ok(PollResult::TimedOut),
        Ok(_) => Ok(PollResult::Ready),
        Err(Errno::INTR) => Ok(PollResult::Interrupted),
        Err(error) => Err(error.into()),
    }
}

/// Reads what is there; `None` if there was nothing after all.
fn read(terminal: &Terminal, buffer: &mut [u8]) -> io::Result<Option<TerminalEvent>> {
    match rustix::io::read(terminal, buffer) {
        Ok(0) | Err(Errno::IO) => Ok(Some(TerminalEvent::End)),
        Ok(count) => Ok(Some(TerminalEvent::Bytes(count))),
        Err(Errno::INTR | Errno::AGAIN) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Shows text; a terminal that takes none is gone, and no one is left to see it.
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
