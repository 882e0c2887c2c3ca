//! A place to run the real binary: its own HOME, its own git repository, and no inherited
//! variables.
//!
//! A [`Run`] compares everything: status, standard output, standard error, and files. Silence,
//! success, and unchanged files are expected unless the test sets another expectation. In expected
//! text, `[..]` matches any text within a line; a snapshot can be accepted (see [`Expected`]).

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::support::expected::{Expected, Redacted};
use crate::support::scratch::new_folder;

/// Every file below the sandbox's repository and HOME, by its path relative to the sandbox.
pub(crate) type Files = BTreeMap<String, Content>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    File(Vec<u8>),
    Link(PathBuf),
    Other,
}

pub(crate) struct Sandbox {
    root: PathBuf,
}

impl Sandbox {
    fn folder() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            root: new_folder(number),
        }
    }

    /// An empty git repository and an empty HOME.
    pub(crate) fn empty() -> Self {
        let sandbox = Self::folder();
        for folder in ["repo", "home"] {
            fs::create_dir(sandbox.root.join(folder)).unwrap();
        }
        sandbox.git(&["init", "--quiet", "--initial-branch=main"]);
        sandbox
    }

    /// A repository with a vault: environments development (the default) and production, with the
    /// caller as its admin `alice`.
    pub(crate) fn with_vault() -> Self {
        static PREPARED: OnceLock<Sandbox> = OnceLock::new();
        Self::like(&PREPARED, || {
            let sandbox = Self::empty();
            sandbox.quick(&["init", "--name", "alice"]);
            sandbox
        })
    }

    /// A copy of what `prepare` makes once for all tests. Only the first one of a test is a copy, so that
    /// no two vaults in one test have the same keys.
    pub(crate) fn like(prepared: &OnceLock<Self>, prepare: impl Fn() -> Self) -> Self {
        thread_local! {
            static IS_FIRST: Cell<bool> = const { Cell::new(true) };
        }
        if !IS_FIRST.replace(false) {
            return prepare();
        }
        let from = prepared.get_or_init(&prepare);
        let sandbox = Self::folder();
        copy(&from.root, &sandbox.root);
        // The state names the folder of the vault.
        let state = sandbox.home().join(".local/state/vault");
        for entry in fs::read_dir(state).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let [old, new] = [from, &sandbox].map(|own| own.root.display().to_string());
            fs::write(path, text.replace(&old, &new)).unwrap();
        }
        sandbox
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.root.join("repo")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// A path below `.vault`.
    pub(crate) fn store(&self, path: &str) -> PathBuf {
        self.repo().join(".vault").join(path)
    }

    /// The vault's id from its root.
    pub(crate) fn id(&self) -> String {
        let root = fs::read_to_string(self.store("root.toml")).unwrap();
        let line = root
            .lines()
            .find_map(|line| line.strip_prefix("vault = \"bech32:"))
            .unwrap();
        line.trim_end_matches('"').to_owned()
    }

    /// A run of `vault` with its expectations.
    pub(crate) fn vault<S: AsRef<str>>(&self, arguments: &[S]) -> Run<'_> {
        Run {
            sandbox: self,
            arguments: arguments
                .iter()
                .map(|text| text.as_ref().to_owned())
                .collect(),
            wrapper: Vec::new(),
            folder: self.repo(),
            variables: self.variables(),
            input: Vec::new(),
            status: 0,
            output: Expected::nothing(),
            said: Expected::nothing(),
            redacted: Redacted::below(&self.root.display().to_string()),
            changes: Changes::Exactly(Vec::new()),
        }
    }

    fn variables(&self) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::from([
            ("HOME".to_owned(), self.home().display().to_string()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap()),
        ]);
        if cfg!(target_os = "macos") {
            // Otherwise the keyring of the person who runs the tests would be used.
            variables.insert("CI".to_owned(), "true".to_owned());
        }
        variables
    }

    /// Runs a command that only prepares a test and must succeed; returns standard output.
    pub(crate) fn quick(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.vault(arguments).any_change().outcome_of_success()).unwrap()
    }

    /// Sets a secret to prepare a test.
    pub(crate) fn set(&self, environment: &str, name: &str, value: &[u8]) {
        let run = self.vault(&["set", name, "-e", environment, "--empty", "-q"]);
        let _ = run.input(value).any_change().outcome_of_success();
    }

    /// Creates a credential to prepare a test.
    pub(crate) fn credential(&self, name: &str, options: &[&str]) -> String {
        let arguments: Vec<&str> = ["ci", "add", name, "-q"]
            .iter()
            .chain(options)
            .copied()
            .collect();
        self.quick(&arguments).trim().to_owned()
    }

    /// The value that `get` prints.
    pub(crate) fn get(&self, environment: &str, name: &str) -> Vec<u8> {
        self.vault(&["get", name, "-e", environment])
            .any_change()
            .outcome_of_success()
    }

    /// Runs git in the repository, which must succeed. Returns standard output.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.repo())
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            // Otherwise each commit starts two more processes, which find nothing to do.
            .args(["-c", "maintenance.auto=false"])
            .args(arguments)
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Commits everything.
    pub(crate) fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }

    pub(crate) fn files(&self) -> Files {
        let mut files = BTreeMap::new();
        for folder in ["repo", "home"] {
            collect(&self.root, &self.root.join(folder), &mut files);
        }
        files
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

/// Copies what is in a folder, with the permissions of files and folders.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let new = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&new).unwrap();
            copy(&entry.path(), &new);
            fs::set_permissions(&new, entry.metadata().unwrap().permissions()).unwrap();
        } else {
            fs::copy(entry.path(), &new).unwrap();
        }
    }
}

fn collect(root: &Path, folder: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .into_owned();
        if name == "repo/.git" {
            continue;
        }
        if kind.is_dir() {
            collect(root, &path, files);
        } else if kind.is_symlink() {
            files.insert(name, Content::Link(fs::read_link(&path).unwrap()));
        } else if kind.is_fifo() || kind.is_socket() {
            files.insert(name, Content::Other);
        } else {
            files.insert(name, Content::File(fs::read(&path).unwrap_or_default()));
        }
    }
}

enum Changes {
    Exactly(Vec<String>),
    Any,
}

/// A run and its expected results. Does nothing until [`Run::check`].
#[must_use = "a run that is not checked does not happen"]
pub(crate) struct Run<'a> {
    sandbox: &'a Sandbox,
    arguments: Vec<String>,
    wrapper: Vec<String>,
    folder: PathBuf,
    variables: BTreeMap<String, String>,
    input: Vec<u8>,
    status: i32,
    output: Expected,
    said: Expected,
    redacted: Redacted,
    changes: Changes,
}

/// The results of a run.
pub(crate) struct Outcome {
    /// The exit status; 128 + n after a death by signal n.
    pub(crate) status: i32,
    pub(crate) output: Vec<u8>,
    pub(crate) said: String,
}

impl Run<'_> {
    pub(crate) fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = bytes.as_ref().to_vec();
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    pub(crate) fn folder(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Starts it through another program: `vault` and its arguments follow the given words.
    pub(crate) fn under(mut self, program: &[&str]) -> Self {
        self.wrapper = program.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Expects this status.
    pub(crate) fn fails(mut self, status: i32) -> Self {
        self.status = status;
        self
    }

    /// Expects exactly this on standard output.
    pub(crate) fn prints(mut self, output: impl Into<Expected>) -> Self {
        self.output = output.into();
        self
    }

    /// Expects this on standard error.
    pub(crate) fn says(mut self, said: impl Into<Expected>) -> Self {
        self.said = said.into();
        self
    }

    /// In snapshots, replaces this text with `placeholder`.
    pub(crate) fn redact(mut self, placeholder: &str, text: &str) -> Self {
        self.redacted.add(placeholder, text);
        self
    }

    /// Expects that exactly these files, relative to the sandbox, are added, changed, or removed.
    pub(crate) fn changes(mut self, paths: &[&str]) -> Self {
        self.changes = Changes::Exactly(paths.iter().map(|path| (*path).to_owned()).collect());
        self
    }

    pub(crate) fn any_change(mut self) -> Self {
        self.changes = Changes::Any;
        self
    }

    /// Runs the command, and compares everything.
    #[track_caller]
    pub(crate) fn check(self) {
        let before = self.sandbox.files();
        let outcome = self.outcome();
        let after = self.sandbox.files();
        let arguments = &self.arguments;
        let output = String::from_utf8_lossy(&outcome.output);
        let seen = format!(
            "vault {arguments:?}: {}\n{output}\n{}",
            outcome.status, outcome.said
        );
        assert_eq!(outcome.status, self.status, "{seen}");
        self.output
            .check("standard output", &outcome.output, &self.redacted, &seen);
        self.said.check(
            "standard error",
            outcome.said.as_bytes(),
            &self.redacted,
            &seen,
        );
        if let Changes::Exactly(expected) = &self.changes {
            assert_eq!(
                &changed(&before, &after),
                expected,
                "changed files of {seen}"
            );
        }
    }

    /// Runs the command, and returns its results without comparing them.
    pub(crate) fn outcome(&self) -> Outcome {
        let mut child = self.command().spawn().unwrap();
        let (mut input, bytes) = (child.stdin.take().unwrap(), self.input.clone());
        let writer = thread::spawn(move || {
            let _ = input.write_all(&bytes);
        });
        let mut errors = child.stderr.take().unwrap();
        let reader = thread::spawn(move || {
            let mut said = Vec::new();
            errors.read_to_end(&mut said).unwrap();
            String::from_utf8_lossy(&said).into_owned()
        });
        let mut output = Vec::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_end(&mut output)
            .unwrap();
        writer.join().unwrap();
        let said = reader.join().unwrap();
        let status = child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        let status = status.code().unwrap_or_else(|| 128 + signal.unwrap());
        Outcome {
            status,
            output,
            said,
        }
    }

    /// The process to start, with all three streams as pipes.
    pub(crate) fn command(&self) -> Command {
        let vault = env!("CARGO_BIN_EXE_vault").to_owned();
        let words: Vec<&String> = self
            .wrapper
            .iter()
            .chain([&vault])
            .chain(&self.arguments)
            .collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .current_dir(&self.folder)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn outcome_of_success(self) -> Vec<u8> {
        let outcome = self.outcome();
        assert_eq!(
            outcome.status, 0,
            "vault {:?}: {}",
            self.arguments, outcome.said
        );
        outcome.output
    }
}

/// The paths with different content, in order.
pub(crate) fn changed(before: &Files, after: &Files) -> Vec<String> {
    let paths: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differs = |path: &&&String| before.get(**path) != after.get(**path);
    paths
        .iter()
        .filter(differs)
        .map(|path| (**path).clone())
        .collect()
}

/// Whether `text` matches `pattern`, in which `[..]` is any text within a line.
pub(crate) fn is_like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<&str>, Vec<&str>) =
        (pattern.split('\n').collect(), text.split('\n').collect());
    pattern.len() == text.len() && pattern.iter().zip(text).all(|(p, t)| is_line_like(p, t))
}

fn is_line_like(pattern: &str, line: &str) -> bool {
    let Some((start, mut pattern)) = pattern.split_once("[..]") else {
        return pattern == line;
    };
    let Some(mut rest) = line.strip_prefix(start) else {
        return false;
    };
    while let Some((middle, after)) = pattern.split_once("[..]") {
        let Some(at) = rest.find(middle) else {
            return false;
        };
        rest = &rest[at + middle.len()..];
        pattern = after;
    }
    rest.ends_with(pattern)
}
