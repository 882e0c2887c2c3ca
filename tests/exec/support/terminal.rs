//! A terminal with a person: typing, reading the screen, and resizing the window.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::support::facts::wait;
use crate::support::running::Status;
use crate::support::scene::Launch;
use crate::support::transcript::Transcript;

const SESSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exec/support/session.py");

pub(crate) struct Terminal {
    child: Child,
    /// The side of the person.
    keyboard: File,
    /// The side of the programs, kept open so that its settings outlive them.
    line: Option<OwnedFd>,
    pub(crate) screen: Transcript,
    before: String,
}

impl Terminal {
    /// Starts the command in its own terminal, to which all three streams are connected.
    pub(crate) fn start(launch: &Launch) -> Self {
        Self::start_with(launch, "ttt", [Stdio::null(), Stdio::null(), Stdio::null()])
    }

    /// Starts the command in its own terminal. A `t` in `streams` connects that descriptor to the
    /// terminal. The other descriptors are connected to `others`.
    pub(crate) fn start_with(launch: &Launch, streams: &str, others: [Stdio; 3]) -> Self {
        let keyboard =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new())
            .unwrap()
            .into_string()
            .unwrap();
        tcsetwinsize(&keyboard, window(24, 80)).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let line = rustix::fs::open(name.as_str(), flags, Mode::empty()).unwrap();
        let before = modes(&line);
        let mut command = launch.command_after(&["python", "-I", "-S", SESSION, &name]);
        let mut ends = streams
            .chars()
            .zip(others)
            .map(|(stream, other)| match stream {
                't' => Stdio::from(line.try_clone().unwrap()),
                _ => other,
            });
        let [input, output, errors] = [(); 3].map(|()| ends.next().unwrap());
        let child = command
            .stdin(input)
            .stdout(output)
            .stderr(errors)
            .spawn()
            .unwrap();
        let keyboard = File::from(keyboard);
        let screen = Transcript::of(keyboard.try_clone().unwrap());
        Self {
            child,
            keyboard,
            line: Some(line),
            screen,
            before,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    #[track_caller]
    pub(crate) fn sees(&mut self, text: &str) {
        self.screen.sees(text);
    }

    /// Types the text. A newline is the Enter key.
    pub(crate) fn types(&mut self, text: &str) {
        self.keyboard
            .write_all(text.replace('\n', "\r").as_bytes())
            .unwrap();
    }

    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        tcsetwinsize(&self.keyboard, window(rows, columns)).unwrap();
    }

    /// Returns the settings of the terminal as text.
    pub(crate) fn modes(&self) -> String {
        modes(self.line.as_ref().unwrap())
    }

    /// Returns the settings that the terminal had before the command started.
    pub(crate) fn modes_before(&self) -> &str {
        &self.before
    }

    pub(crate) fn hides_what_is_typed(&self) -> bool {
        !attributes(self.line.as_ref().unwrap())
            .local_modes
            .contains(LocalModes::ECHO)
    }

    /// Returns whether reads from and writes to the terminal block, as usual.
    pub(crate) fn is_blocking(&self) -> bool {
        let flags = rustix::fs::fcntl_getfl(self.line.as_ref().unwrap()).unwrap();
        !flags.contains(OFlags::NONBLOCK)
    }

    /// Waits for the end of the process itself.
    #[track_caller]
    pub(crate) fn status(&mut self) -> Status {
        let ended = wait(|| self.child.try_wait().unwrap());
        ended
            .unwrap_or_else(|| panic!("it never ended:\n{}", self.screen.text()))
            .into()
    }

    /// Waits for the end, checks that the terminal has its old settings again, and returns the
    /// status and everything that was shown.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (Status, String) {
        let status = self.status();
        assert_eq!(self.modes(), self.before, "{}", self.screen.text());
        self.line = None;
        self.screen.all();
        (status, self.screen.text())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn window(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

fn attributes(line: &OwnedFd) -> Termios {
    tcgetattr(line).unwrap()
}

fn modes(line: &OwnedFd) -> String {
    format!("{:?}", attributes(line))
}
