//! A scene: a vault with secrets, and the three ways to run a command there.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::support::python::programs;
use crate::support::running::Running;
use crate::support::sandbox::Sandbox;

/// The value of `SECRET`: long enough that every form of it is masked.
pub(crate) const SECRET: &str = "canary/7hG+bird value";
/// The replacement of a masked value.
pub(crate) const MASK: &str = "***";

pub(crate) struct Scene {
    sandbox: Sandbox,
}

/// A way to run a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Bare,
    /// `vault` becomes the command.
    Unmasked,
    /// A parent process stays.
    Masked,
}

impl Way {
    fn words(self) -> Vec<String> {
        let words: &[&str] = match self {
            Self::Bare => &[],
            Self::Unmasked => &[env!("CARGO_BIN_EXE_vault"), "exec", "--no-mask", "--"],
            Self::Masked => &[env!("CARGO_BIN_EXE_vault"), "exec", "--"],
        };
        words.iter().map(|&word| word.to_owned()).collect()
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::with_vault();
        sandbox.set("development", "SECRET", SECRET.as_bytes());
        Self { sandbox }
    }

    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Returns a path next to the repository, for files that a command writes.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.sandbox.root().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) -> PathBuf {
        fs::write(self.path(name), content).unwrap();
        self.path(name)
    }

    /// Makes a FIFO, from which a script can wait for a line without starting a process. A shell
    /// that is stopped while it starts a process may never stop itself.
    pub(crate) fn fifo(&self, name: &str) -> File {
        let path = self.path(name);
        let _ = fs::remove_file(&path);
        let mode = Mode::from_raw_mode(0o600);
        mknodat(CWD, &path, FileType::Fifo, mode, 0).unwrap();
        // Open for reading and writing, so that neither this call nor a write waits for the script.
        File::options().read(true).write(true).open(path).unwrap()
    }

    /// Returns the command, to be run in this way.
    pub(crate) fn launch<S: AsRef<str>>(&self, way: Way, words: &[S]) -> Launch {
        let path = std::env::var("PATH").unwrap();
        let mut variables = BTreeMap::from([
            ("HOME".to_owned(), self.sandbox.home().display().to_string()),
            ("PATH".to_owned(), format!("{}:{path}", programs())),
            ("LANG".to_owned(), "C.UTF-8".to_owned()),
            ("TERM".to_owned(), "xterm-256color".to_owned()),
            (
                "SCENE".to_owned(),
                self.sandbox.root().display().to_string(),
            ),
        ]);
        if way == Way::Bare {
            variables.insert("SECRET".to_owned(), SECRET.to_owned());
        }
        Launch {
            way,
            wrapper: Vec::new(),
            options: Vec::new(),
            words: words.iter().map(|word| word.as_ref().to_owned()).collect(),
            folder: self.sandbox.repo(),
            variables,
        }
    }

    /// Returns a script for `sh`, to be run in this way.
    pub(crate) fn shell(&self, way: Way, script: &str) -> Launch {
        self.launch(way, &["sh", "-c", script])
    }

    /// Returns a program for Python, to be run in this way.
    pub(crate) fn python(&self, way: Way, program: &str) -> Launch {
        self.launch(way, &["python", "-c", program])
    }
}

/// Runs the scene in all three ways, and returns its result, which must be the same each time.
#[track_caller]
pub(crate) fn same<T: PartialEq + Debug>(play: impl Fn(Way) -> T) -> T {
    let bare = play(Way::Bare);
    for way in [Way::Unmasked, Way::Masked] {
        let seen = play(way);
        assert!(seen == bare, "{way:?}: {seen:#?}\nbare: {bare:#?}");
    }
    bare
}

/// A command that is ready to be started.
#[must_use = "a command that is not started does nothing"]
#[derive(Clone)]
pub(crate) struct Launch {
    way: Way,
    wrapper: Vec<String>,
    options: Vec<String>,
    words: Vec<String>,
    folder: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Launch {
    /// Starts it through other programs: the words of the command follow these words.
    pub(crate) fn under(mut self, program: &[&str]) -> Self {
        self.wrapper = program.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Starts it through a script for `sh`, in which `"$@"` is the command.
    pub(crate) fn by(self, script: &str) -> Self {
        self.under(&["sh", "-c", script, "sh"])
    }

    /// Gives `vault exec` these options.
    pub(crate) fn options(mut self, options: &[&str]) -> Self {
        self.options = options.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Returns all words of the command line.
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = self.wrapper.clone();
        words.extend(self.way.words());
        if self.way != Way::Bare {
            let behind_exec = words.len() - 1;
            words.splice(behind_exec..behind_exec, self.options.iter().cloned());
        }
        words.extend(self.words.iter().cloned());
        words
    }

    /// Returns the process to start, after the words `before`, with the usual signals of a login.
    pub(crate) fn command_after(&self, before: &[&str]) -> Command {
        let mut command = Command::new("env");
        command
            .args(["--default-signal", "--"])
            .args(before)
            .args(self.words())
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.variables);
        if cfg!(target_os = "macos") {
            // Otherwise the keyring of the person who runs the tests would be used.
            command.env("CI", "true");
        }
        command
    }

    /// Starts it with all three streams as pipes.
    pub(crate) fn start(&self) -> Running {
        Running::start(self.command_after(&[]))
    }
}
