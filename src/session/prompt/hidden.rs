//! An answer that is not shown, such as the value of a secret.

use std::io;
use std::time::Duration;

use super::keys::{Decoder, Key};
use super::line::Line;
use super::rules::{CHUNK, LONGEST_DRAIN, QUIET, several_lines, unreadable};
use crate::fault::{Fault, Kind, plural};
use crate::platform::{Keyboard, Signal, Terminal, TerminalEvent};
use crate::secret::{Secret, Wiped};
use crate::session::plain::plain;

/// How long a paste may pause before its end mark.
const PASTE_PAUSE: Duration = Duration::from_secs(6);

/// For how long the rest is awaited of a value that cannot end with its first line.
const QUIET_AFTER_FIRST: Duration = Duration::from_secs(1);

/// The typed and pasted text.
pub(crate) struct Hidden {
    /// Every byte, without the final Enter; `None` if there are too many.
    pub(crate) value: Option<Secret>,
    /// Whether keys were pressed that mean nothing in an answer, and are not part of it.
    pub(crate) has_other_keys: bool,
    /// Whether control characters were typed, which are part of the value.
    pub(crate) has_control_characters: bool,
    /// Whether a paste had carriage returns before newlines, which are not part of the value.
    pub(crate) has_pairs: bool,
}

/// Shows `question` at the terminal of standard input and reads the answer, of at most `longest`
/// bytes. A marked paste may have several lines.
///
/// # Errors
/// If the answer is incomplete, if several lines arrive unmarked, or if the person or
/// the terminal ends it. `Interrupted` after a signal or its key.
pub(crate) fn hidden(question: &str, longest: usize) -> Result<Hidden, Fault> {
    let terminal = Terminal::of_stream(crate::platform::input()).map_err(unreadable)?;
    let keyboard = Keyboard::take(terminal).map_err(unreadable)?;
    let shown = plain(question);
    let mut dialog = Dialog {
        question: &shown,
        decoder: Decoder::new(keyboard.control_keys()),
        keyboard,
        line: Line::new(longest),
        buffer: vec![0; CHUNK].into(),
        has_other_keys: false,
        has_control_characters: false,
    };
    dialog.keyboard.show(shown.as_bytes());
    let answered = dialog.answer();
    if answered.is_err() {
        dialog
            .keyboard
            .drain(&mut dialog.buffer, QUIET, LONGEST_DRAIN);
    }
    dialog.keyboard.show(b"\n");
    if let Err(Reason::Key(signal)) = answered {
        dialog.keyboard.pass_on(signal);
    }
    answered.map_err(Reason::fault)?;
    let value = dialog.line.finished();
    Ok(Hidden {
        value,
        has_other_keys: dialog.has_other_keys,
        has_control_characters: dialog.has_control_characters,
        has_pairs: dialog.decoder.has_pairs(),
    })
}

/// The reason why the answer is missing.
enum Reason {
    /// A signal arrived.
    Signal(Signal),
    /// A key was pressed that sends this signal.
    Key(Signal),
    /// Not an end: this process stops and continues later.
    Stop,
    /// Not an end: this process has gone on.
    Renewal,
    SeveralLines,
    UnendedPaste,
    Unended,
    Gone,
    Unreadable(io::Error),
}

impl Reason {
    fn fault(self) -> Fault {
        match self {
            Self::Signal(signal) | Self::Key(signal) => {
                Fault::new(Kind::Interrupted(signal.number()), "interrupted")
            }
            Self::Stop | Self::Renewal => Fault::failed("the answer was interrupted"),
            Self::SeveralLines => several_lines(),
            Self::UnendedPaste => Fault::usage("the paste stopped before its end"),
            Self::Unended => Fault::usage("the answer was not ended with Enter"),
            Self::Gone => Fault::failed("the terminal has gone away"),
            Self::Unreadable(error) => unreadable(error),
        }
    }
}

struct Dialog<'a> {
    question: &'a str,
    keyboard: Keyboard,
    decoder: Decoder,
    line: Line,
    buffer: Wiped<u8>,
    has_other_keys: bool,
    has_control_characters: bool,
}

impl Dialog<'_> {
    /// Reads up to the Enter that ends the answer; begins again after a stop.
    fn answer(&mut self) -> Result<(), Reason> {
        loop {
            match self.once() {
                Err(Reason::Stop) => self.suspend()?,
                Err(Reason::Renewal) => self.keyboard.retake().map_err(Reason::Unreadable)?,
                ended => return ended,
            }
            // The person has seen other things since.
            self.line.clear();
            (self.has_other_keys, self.has_control_characters) = (false, false);
            self.decoder = Decoder::new(self.keyboard.control_keys());
            self.keyboard.show(self.question.as_bytes());
        }
    }

    fn once(&mut self) -> Result<(), Reason> {
        loop {
            let patience = self.decoder.is_in_paste().then_some(PASTE_PAUSE);
            let count = match self.next_event(patience)? {
                TerminalEvent::Bytes(count) => count,
                TerminalEvent::TimedOut => return Err(Reason::UnendedPaste),
                TerminalEvent::Signal(Signal::TSTP) => return Err(Reason::Stop),
                // The process that continued this one may have changed the modes.
                TerminalEvent::Signal(Signal::CONT) => return Err(Reason::Renewal),
                TerminalEvent::Signal(signal) => return Err(Reason::Signal(signal)),
                TerminalEvent::End => return Err(Reason::Gone),
            };
            for at in 0..count {
                let byte = self.buffer[at];
                let mut keys = Vec::new();
                self.decoder.feed(byte, &mut |key| keys.push(key));
                for key in keys {
                    if key == Key::Enter {
                        return self.ends(byte, at + 1..count);
                    }
                    self.press(key)?;
                }
            }
        }
    }

    fn next_event(&mut self, patience: Option<Duration>) -> Result<TerminalEvent, Reason> {
        self.keyboard
            .next_event(&mut self.buffer, patience)
            .map_err(Reason::Unreadable)
    }

    /// Checks that nothing follows the `enter` but, after a carriage return, a newline.
    fn ends(&mut self, enter: u8, rest: std::ops::Range<usize>) -> Result<(), Reason> {
        let is_pair = |rest: &[u8]| enter == b'\r' && rest == b"\n";
        let rest = &self.buffer[rest];
        if !rest.is_empty() && !is_pair(rest) {
            return Err(Reason::SeveralLines);
        }
        let is_first = self.line.is_first_of_several();
        let quiet = if is_first { QUIET_AFTER_FIRST } else { QUIET };
        loop {
            match self.next_event(Some(quiet))? {
                TerminalEvent::TimedOut if is_first => return Err(Reason::SeveralLines),
                TerminalEvent::TimedOut => return Ok(()),
                TerminalEvent::Bytes(count) if is_pair(&self.buffer[..count]) => {}
                TerminalEvent::Bytes(_) => return Err(Reason::SeveralLines),
                TerminalEvent::Signal(Signal::CONT) => {}
                TerminalEvent::Signal(signal) => return Err(Reason::Signal(signal)),
                TerminalEvent::End => return Err(Reason::Gone),
            }
        }
    }

    fn press(&mut self, key: Key) -> Result<(), Reason> {
        let line = &mut self.line;
        match key {
            Key::Text(byte) => {
                self.has_control_characters |= byte.is_ascii_control() && byte != b'\t';
                line.insert(byte);
            }
            Key::Pasted(byte) => line.insert(byte),
            // Handled by the caller, which knows the rest of the input.
            Key::Enter => {}
            Key::PasteEnd => self.report_paste(),
            Key::Erase => line.erase(),
            Key::EraseWord => line.erase_word(),
            Key::EraseLine => line.clear(),
            Key::EraseRest => line.erase_rest(),
            Key::Delete => line.delete(),
            Key::Left => line.left(),
            Key::Right => line.right(),
            Key::Home => line.home(),
            Key::End => line.end(),
            Key::Interrupt => return Err(Reason::Key(Signal::INT)),
            Key::Quit => return Err(Reason::Key(Signal::QUIT)),
            Key::Suspend => return Err(Reason::Stop),
            Key::EndOfInput => return Err(Reason::Unended),
            Key::Meaningless => self.has_other_keys = true,
        }
        Ok(())
    }

    /// Nothing of the answer is shown, so the person cannot see that it does not end with a line.
    fn report_paste(&self) {
        let newlines = self.line.newlines();
        if newlines > 0 {
            let newlines = plural(newlines, "newline", "newlines");
            let text = format!("(pasted {newlines}; press Enter to end the answer) ");
            self.keyboard.show(text.as_bytes());
        }
    }

    fn suspend(&mut self) -> Result<(), Reason> {
        self.keyboard.drain(&mut self.buffer, QUIET, LONGEST_DRAIN);
        self.keyboard.show(b"\n");
        self.keyboard.suspend().map_err(Reason::Unreadable)
    }
}
