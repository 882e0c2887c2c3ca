//! What a command says: results on standard output, everything about the work on standard error.
//!
//! Nothing goes to standard output that was not asked for. Errors say what could not be done, to
//! what and why; `hint:` lines say what to type next. No text here may hold plaintext but the
//! values that `get` and `ci add` exist to print.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use clap::builder::styling::{AnsiColor, Style};

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
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let colors = match color {
            Color::Auto => wanted && io::stderr().is_terminal(),
            Color::Always => true,
            Color::Never => false,
        };
        Self { quiet: notices, colors }
    }

    /// Writes a result. A reader that has gone away is no failure.
    #[expect(clippy::unused_self, reason = "a console speaks, whatever its settings")]
    pub(crate) fn result(self, bytes: &[u8]) -> Result<(), Fault> {
        let mut output = io::stdout().lock();
        match output.write_all(bytes).and_then(|()| output.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Fault::failed(format!("could not write to standard output: {error}")))
            }
            _ => Ok(()),
        }
    }

    /// Writes one line of a result.
    pub(crate) fn line(self, line: impl Display) -> Result<(), Fault> {
        self.result(format!("{line}\n").as_bytes())
    }

    /// Says something about the work, unless `--quiet`.
    pub(crate) fn note(self, text: impl Display) {
        if self.quiet == Notices::Shown {
            say(&format!("{text}\n"));
        }
    }

    /// Says something that may need doing, unless `--quiet`.
    pub(crate) fn warn(self, text: impl Display) {
        if self.quiet == Notices::Shown {
            self.marked("warning:", AnsiColor::Yellow, &text);
        }
    }

    /// Asks, whatever the options say.
    #[expect(clippy::unused_self, reason = "a console speaks, whatever its settings")]
    pub(crate) fn ask(self, text: impl Display) {
        say(&text.to_string());
    }

    /// Says why the command failed and what to do about it.
    pub(crate) fn error(self, fault: &Fault) {
        self.marked("error:", AnsiColor::Red, fault);
        for hint in fault.hints() {
            self.marked("hint:", AnsiColor::Cyan, hint);
        }
    }

    fn marked(self, mark: &str, color: AnsiColor, text: &dyn Display) {
        let style = if self.colors {
            Style::new().bold().fg_color(Some(color.into()))
        } else {
            Style::new()
        };
        say(&format!("{style}{mark}{style:#} {text}\n"));
    }
}

/// Standard error may be closed or full; there is nobody left to tell.
fn say(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Whether somebody can be asked: standard input and standard error are terminals.
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
pub(crate) fn confirm(console: Console, question: &str, answer: Answer) -> Result<(), Fault> {
    if answer == Answer::Yes {
        return Ok(());
    }
    if !is_interactive() {
        return Err(Fault::usage(format!("{question} nobody can be asked here"))
            .hint("say yes beforehand: --yes"));
    }
    console.ask(format!("{question} [y/N] "));
    let mut typed = String::new();
    let read = io::stdin().read_line(&mut typed);
    if read.is_ok() && matches!(typed.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Fault::usage("not done: the answer was not yes"))
}
