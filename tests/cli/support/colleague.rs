//! A colleague on the same project: a HOME and a clone of the repository of their own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::sandbox::{Run, Sandbox};

/// A person with a clone; both are below the sandbox's HOME, so that every run detects changes
/// there.
pub(crate) struct Colleague<'a> {
    sandbox: &'a Sandbox,
    name: &'static str,
}

impl<'a> Colleague<'a> {
    /// Clones the committed files. The person has no key yet.
    pub(crate) fn clone_of(sandbox: &'a Sandbox, name: &'static str) -> Self {
        let colleague = Self { sandbox, name };
        fs::create_dir_all(colleague.home()).unwrap();
        let (from, to) = (sandbox.repo(), colleague.repo());
        sandbox.git(&[
            "clone",
            "--quiet",
            from.to_str().unwrap(),
            to.to_str().unwrap(),
        ]);
        colleague
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.sandbox.home().join(self.name)
    }

    pub(crate) fn repo(&self) -> PathBuf {
        self.home().join("repo")
    }

    /// A path below `.vault` in the clone.
    pub(crate) fn store(&self, path: &str) -> PathBuf {
        self.repo().join(".vault").join(path)
    }

    /// A run of `vault` in the clone.
    pub(crate) fn vault<S: AsRef<str>>(&self, arguments: &[S]) -> Run<'a> {
        let run = self.sandbox.vault(arguments).folder(&self.repo());
        run.variable("HOME", self.home().to_str().unwrap())
    }

    /// Requests to join, and returns the fingerprint. The request is not committed yet, and alice
    /// has sent the vault's id.
    pub(crate) fn join(&self) -> String {
        let id = self.sandbox.id();
        let outcome = self
            .vault(&["join", "--name", self.name, "--id", &id, "-q"])
            .outcome();
        assert_eq!(outcome.status, 0, "{}", outcome.said);
        String::from_utf8(outcome.output).unwrap().trim().to_owned()
    }

    /// Commits everything in the clone and merges it into the original repository.
    pub(crate) fn send(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", "from a colleague"]);
        self.sandbox.git(&[
            "pull",
            "--quiet",
            "--no-rebase",
            self.repo().to_str().unwrap(),
            "main",
        ]);
    }

    /// Pulls the commits of the original repository.
    pub(crate) fn pull(&self) {
        self.git(&["pull", "--quiet", "--no-rebase"]);
    }

    fn git(&self, arguments: &[&str]) {
        let output = Command::new("git")
            .current_dir(self.repo())
            .args([
                "-c",
                "user.name=Colleague",
                "-c",
                "user.email=colleague@example.com",
                "-c",
                "maintenance.auto=false",
            ])
            .args(arguments)
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "git {arguments:?}: {output:?}");
    }

    /// The identity created by `join`.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.home().join(".config/vault/identity.txt")
    }
}
