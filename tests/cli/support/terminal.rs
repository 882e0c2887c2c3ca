//! A person at a terminal, who sees the output of `vault` and types.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::support::python::python;
use crate::support::sandbox::Run;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/support/terminal.py");

pub(crate) struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    shown: ChildStdout,
    screen: Vec<u8>,
}

impl Terminal {
    /// Starts the run at a terminal of its own.
    pub(crate) fn start(run: Run<'_>) -> Self {
        Self::start_under(run, &[])
    }

    /// Like [`Terminal::start`], through another program.
    pub(crate) fn start_under(run: Run<'_>, program: &[&str]) -> Self {
        let words = [&[python(), SCRIPT], program].concat();
        let mut command = run.under(&words).variable("NO_COLOR", "1").command();
        let mut child = command.stderr(Stdio::inherit()).spawn().unwrap();
        let (keyboard, shown) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self {
            child,
            keyboard,
            shown,
            screen: Vec::new(),
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        self.sees_after(0, text);
    }

    /// Waits until `text` is on the screen after this many bytes. Returns the position after it.
    #[track_caller]
    pub(crate) fn sees_after(&mut self, start: usize, text: &str) -> usize {
        loop {
            let screen = self.screen();
            let rest = screen.get(start..).unwrap_or_default();
            if let Some(at) = rest.find(text) {
                return start + at + text.len();
            }
            let count = self.reads_more();
            assert!(
                count > 0,
                "{text:?} was never shown, but:\n{}",
                self.screen()
            );
        }
    }

    /// Reads the next bytes that are shown. Returns how many, or 0 at the end. The limit only ends
    /// a failure.
    #[track_caller]
    fn reads_more(&mut self) -> usize {
        let limit = Timespec {
            tv_sec: 60,
            tv_nsec: 0,
        };
        let ready = poll(&mut [PollFd::new(&self.shown, PollFlags::IN)], Some(&limit)).unwrap();
        assert!(
            ready > 0,
            "nothing was shown for a minute after:\n{}",
            self.screen()
        );
        let mut chunk = [0; 4096];
        let count = self.shown.read(&mut chunk).unwrap();
        self.screen.extend(&chunk[..count]);
        count
    }

    pub(crate) fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).unwrap();
    }

    /// Repeats a question, an answer, and the reply to it. Returns the whole screen afterward.
    #[track_caller]
    pub(crate) fn talks(&mut self, turns: &[(&str, &str, &str)]) -> String {
        let mut screen = String::new();
        for (question, answer, said) in turns {
            screen.push_str(question);
            self.sees(&screen);
            self.types(&format!("{answer}\n"));
            screen = [screen.as_str(), answer, "\n", said].concat();
        }
        screen
    }

    /// Types after the terminal has stopped echoing.
    pub(crate) fn types_hidden(&mut self, text: &str) {
        self.types(&format!("\0{text}"));
    }

    /// Waits for the end, expects this status, and returns everything that was shown.
    #[track_caller]
    pub(crate) fn ends(self, status: i32) -> String {
        let (screen, ended) = self.ended();
        assert_eq!(ended, status, "the screen shows:\n{screen}");
        screen
    }

    /// Waits for the end. Returns everything that was shown, and the status.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (String, i32) {
        while self.reads_more() > 0 {}
        let ended = self.child.wait().unwrap().code();
        (self.screen(), ended.unwrap())
    }

    /// The text that a person sees. A prompt asks the terminal to mark pastes, which is invisible.
    pub(crate) fn screen(&self) -> String {
        let text = String::from_utf8_lossy(&self.screen).replace("\r\n", "\n");
        text.replace("\x1b[?2004h", "").replace("\x1b[?2004l", "")
    }
}

impl Drop for Terminal {
    /// Closes the terminal for everything that still runs at it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
