//! The output of a command: results on standard output, everything about the work on standard
//! error.
//!
//! Nothing goes to standard output that was not asked for. Errors say what could not be done, to
//! what and why; `hint:` lines say what to type next.
//!
//! Every message of the process leaves it here, so here keys are hidden, and control characters
//! and commands of CI runners are escaped (see `plain`), whatever a message quotes. The
//! only exception is [`Console::reveal`], for what a command exists to print.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::builder::styling::{AnsiColor, Style};
use serde_json::Value;

use super::plain::{annotations, json, one_line, plain};
use super::prompt::visible;
use crate::fault::Fault;

/// Where a command speaks. Results and questions do not depend on the options; they are methods
/// all the same, so that every word goes through here.
#[derive(Clone, Copy)]
pub(crate) struct Console {
    quiet: Notices,
    colors: bool,
}

/// Whether notices are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notices {
    Shown,
    Quiet,
}

/// `--color`: on a terminal, unless `NO_COLOR` is set; even into a pipe; not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    // No help for each: it would make every `--help` three times as long.
    Auto,
    Always,
    Never,
}

impl Console {
    pub(crate) fn new(notices: Notices, color: Color) -> Self {
        let colors = match color {
            Color::Auto => wants_color() && io::stderr().is_terminal(),
            Color::Always => true,
            Color::Never => false,
        };
        Self {
            quiet: notices,
            colors,
        }
    }

    /// Writes what the command exists to print, byte for byte: a value, a credential, a recovery
    /// key, a script.
    #[expect(
        clippy::unused_self,
        reason = "a console speaks, whatever its settings"
    )]
    pub(crate) fn reveal(self, bytes: &[u8]) -> Result<(), Fault> {
        write(bytes)
    }

    /// Writes a result, text about something.
    #[expect(
        clippy::unused_self,
        reason = "a console speaks, whatever its settings"
    )]
    pub(crate) fn text(self, text: &str) -> Result<(), Fault> {
        write(plain(text).as_bytes())
    }

    /// Writes one line of a result, text about something.
    pub(crate) fn line(self, line: impl Display) -> Result<(), Fault> {
        self.text(&format!("{line}\n"))
    }

    /// Writes a result for scripts: an object, in one line, with the version of its shape.
    #[expect(
        clippy::unused_self,
        reason = "a console speaks, whatever its settings"
    )]
    pub(crate) fn json(self, document: Value) -> Result<(), Fault> {
        write(format!("{}\n", json(versioned(document))).as_bytes())
    }

    /// Writes why the command failed for scripts: an object, in one line, on standard error.
    #[expect(
        clippy::unused_self,
        reason = "a console speaks, whatever its settings"
    )]
    pub(crate) fn json_error(self, error: Value) {
        say(&format!("{}\n", json(versioned(error))));
    }

    /// Writes a result that consists of commands of GitHub Actions.
    #[expect(
        clippy::unused_self,
        reason = "a console speaks, whatever its settings"
    )]
    pub(crate) fn annotations(self, text: &str) -> Result<(), Fault> {
        write(annotations(text).as_bytes())
    }

    /// Writes what the parser of the command line has to say: help and version on standard output,
    /// a misuse on standard error.
    pub(crate) fn parser(error: &clap::Error) {
        let styled = error.render();
        let text = plain(&styled.to_string());
        let is_terminal = if error.use_stderr() {
            io::stderr().is_terminal()
        } else {
            io::stdout().is_terminal()
        };
        // Styles surround the parser's own words; where nothing had to be hidden, they are safe.
        let text = if is_terminal && wants_color() && text == styled.to_string() {
            styled.ansi().to_string()
        } else {
            text
        };
        if error.use_stderr() {
            say(&text);
        } else {
            // Nothing is left to be done if not even this can be written.
            let _ = write(text.as_bytes());
        }
    }

    /// Says something about the work, unless `--quiet`.
    pub(crate) fn note(self, text: impl Display) {
        if self.quiet == Notices::Shown {
            say(&(one_line(&format!("{text:#}")) + "\n"));
        }
    }

    /// Says something that may need doing, unless `--quiet`.
    pub(crate) fn warn(self, text: impl Display) {
        if self.quiet == Notices::Shown {
            self.marked("warning:", AnsiColor::Yellow, &text);
        }
    }

    /// Asks, whatever the options say.
    #[expect(
        clippy::unused_self,
        reason = "a console speaks, whatever its settings"
    )]
    pub(crate) fn ask(self, text: impl Display) {
        say(&plain(&format!("{text:#}")));
    }

    /// Reports a line that was asked for, or that a question is about, on standard error, whatever
    /// the options say.
    pub(crate) fn report(self, line: impl Display) {
        self.ask(format!("{line:#}\n"));
    }

    /// Says why the command failed and what to do about it.
    pub(crate) fn error(self, message: impl Display, hints: &[String]) {
        self.marked("error:", AnsiColor::Red, &message);
        for hint in hints {
            self.marked("hint:", AnsiColor::Cyan, hint);
        }
    }

    fn marked(self, mark: &str, color: AnsiColor, text: &dyn Display) {
        let style = if self.colors {
            Style::new().bold().fg_color(Some(color.into()))
        } else {
            Style::new()
        };
        say(&format!(
            "{style}{mark}{style:#} {}\n",
            one_line(&format!("{text:#}"))
        ));
    }
}

/// The shapes of all documents change together: a field may be added to version 1, and nothing
/// else.
fn versioned(mut document: Value) -> Value {
    document["version"] = 1.into();
    document
}

/// Whether the caller wants colors at a terminal.
fn wants_color() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes to standard output. A closed pipe is not a failure.
fn write(bytes: &[u8]) -> Result<(), Fault> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::failed("could not write to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Standard error may be closed or full, and no other place could report it.
fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether a person can be asked: standard input and standard error are terminals.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether `--yes` was given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It was.
    Yes,
    /// A person is to be asked.
    Ask,
}

/// Asks for a yes at a terminal; without one `--yes` is needed.
///
/// # Errors
/// `Refused` without a yes.
pub(crate) fn confirm(console: Console, question: &str, answer: Answer) -> Result<(), Fault> {
    if answer == Answer::Yes {
        return Ok(());
    }
    if !is_interactive() {
        // An error is a statement, not a question.
        let action = question.trim_end_matches('?').replace("? ", ". ");
        let message = format!("cannot ask for confirmation without a terminal: {action}");
        return Err(Fault::refused(message).hint("to confirm, pass `--yes`"));
    }
    let typed = visible(console, &format!("{question} [y/N] "))?;
    if matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(not_confirmed())
}

/// Refuses what the person at the terminal did not say yes to.
pub(crate) fn not_confirmed() -> Fault {
    Fault::refused("not done: the answer was not yes")
}
