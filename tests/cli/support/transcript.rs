//! A transcript of many runs in one sandbox, compared with a file below `tests/snapshots`.
//!
//! Each run is a line `$ vault …`, then standard output, standard error, and `[status N]` if it is
//! not 0. `SNAPSHOTS=overwrite` rewrites the file.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use snapbox::Data;

use crate::support::expected::{Expected, Redacted};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::terminal::Terminal;

/// The folder of all snapshot files.
pub(crate) fn snapshots() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots")
}

/// Compares text with the file `tests/snapshots/{name}.txt`.
#[track_caller]
pub(crate) fn compare(sandbox: &Sandbox, name: &str, text: &str) {
    let file = snapshots().join(format!("{name}.txt"));
    let mut redacted = Redacted::below(&sandbox.root().display().to_string());
    redacted.add("[VAULT]", env!("CARGO_BIN_EXE_vault"));
    redacted.add(
        "version [VERSION]",
        concat!("version ", env!("CARGO_PKG_VERSION")),
    );
    redacted.add("[GIT]", sandbox.git(&["version"]).trim());
    let expected: Expected = Data::read_from(&file, None).into();
    expected.check(name, format!("{text}\n").as_bytes(), &redacted, &name);
}

/// Programs that the runs find; whatever else a machine has in PATH could change a text.
const PROGRAMS: [&str; 6] = ["cat", "echo", "false", "git", "sh", "true"];

pub(crate) struct Transcript<'a> {
    sandbox: &'a Sandbox,
    /// The only folder in PATH.
    programs: String,
    text: String,
}

impl<'a> Transcript<'a> {
    pub(crate) fn of(sandbox: &'a Sandbox) -> Self {
        let folder = sandbox.root().join("programs");
        if !folder.exists() {
            fs::create_dir(&folder).unwrap();
            let path = std::env::var("PATH").unwrap();
            for program in PROGRAMS {
                let mut found = path
                    .split(':')
                    .map(|folder| Path::new(folder).join(program));
                symlink(
                    found.find(|file| file.exists()).unwrap(),
                    folder.join(program),
                )
                .unwrap();
            }
        }
        Self {
            sandbox,
            programs: folder.display().to_string(),
            text: String::new(),
        }
    }

    /// Adds a comment above the next run.
    pub(crate) fn note(&mut self, note: &str) {
        writeln!(self.text, "# {note}\n").unwrap();
    }

    /// Replaces a text that differs from run to run in all runs so far.
    pub(crate) fn redact(&mut self, placeholder: &str, text: &str) {
        self.text = self.text.replace(text, placeholder);
    }

    /// Runs `vault` with these words, which contain no space.
    pub(crate) fn run(&mut self, words: &str) {
        self.run_as(words, |run| run);
    }

    /// Like [`Transcript::run`], with the changes of `dress` to the run.
    pub(crate) fn run_as(&mut self, words: &str, dress: impl FnOnce(Run<'a>) -> Run<'a>) {
        let outcome = dress(self.vault(words)).outcome();
        let output = String::from_utf8_lossy(&outcome.output);
        writeln!(self.text, "$ vault {words}").unwrap();
        for text in [&*output, &outcome.said] {
            self.text.push_str(text);
            if !text.is_empty() && !text.ends_with('\n') {
                self.text.push_str("[no newline]\n");
            }
        }
        if outcome.status != 0 {
            writeln!(self.text, "[status {}]", outcome.status).unwrap();
        }
        self.text.push('\n');
    }

    /// Runs `vault` at a terminal: when it shows the first text of a turn, the second is typed. A NUL
    /// byte first waits until the terminal hides what is typed.
    #[track_caller]
    pub(crate) fn talk_as(
        &mut self,
        words: &str,
        turns: &[(&str, &str)],
        dress: impl FnOnce(Run<'a>) -> Run<'a>,
    ) {
        let mut terminal = Terminal::start(dress(self.vault(words)));
        let mut seen = 0;
        for (question, answer) in turns {
            seen = terminal.sees_after(seen, question);
            terminal.types(answer);
        }
        let (screen, status) = terminal.ended();
        writeln!(self.text, "$ vault {words}\n{}", screen.trim_end()).unwrap();
        if status != 0 {
            writeln!(self.text, "[status {status}]").unwrap();
        }
        self.text.push('\n');
    }

    #[track_caller]
    pub(crate) fn talk(&mut self, words: &str, turns: &[(&str, &str)]) {
        self.talk_as(words, turns, |run| run);
    }

    fn vault(&self, words: &str) -> Run<'a> {
        let arguments: Vec<&str> = words.split_whitespace().collect();
        let run = self.sandbox.vault(&arguments);
        run.variable("PATH", &self.programs)
            .variable("USER", "alice")
    }

    /// Compares everything so far with the file `tests/snapshots/{name}.txt`.
    #[track_caller]
    pub(crate) fn check(self, name: &str) {
        compare(self.sandbox, name, self.text.trim_end());
    }
}
