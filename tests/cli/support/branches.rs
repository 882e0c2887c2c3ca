//! Two branches of one vault that are merged with git. The caller trusts the vault by its id alone, so
//! that nothing seen on one branch gets in the way on the other.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::craft::{self, Person};
use crate::support::membership::membership;
use crate::support::sandbox::{Files, Run, Sandbox};
use repovault::vault::model::{Access, Membership};

/// A repository whose branches `main` and `theirs` parted.
pub(crate) struct Branches {
    pub(crate) sandbox: Sandbox,
    id: String,
}

impl Branches {
    /// A vault whose files are committed on both branches.
    pub(crate) fn of(sandbox: Sandbox) -> Self {
        sandbox.commit("the common commit");
        sandbox.git(&["branch", "theirs"]);
        sandbox.git(&["config", "user.name", "Test"]);
        sandbox.git(&["config", "user.email", "test@example.com"]);
        let id = sandbox.id();
        Self { sandbox, id }
    }

    /// A run that trusts the vault by its id.
    pub(crate) fn vault<S: AsRef<str>>(&self, arguments: &[S]) -> Run<'_> {
        self.trusting(self.sandbox.vault(arguments))
    }

    fn trusting<'a>(&self, run: Run<'a>) -> Run<'a> {
        let state = self.sandbox.root().join("no-state");
        run.variable("VAULT_ID", &self.id)
            .variable("XDG_STATE_HOME", state.to_str().unwrap())
    }

    /// Runs a command that only prepares a test, and returns its output.
    #[track_caller]
    pub(crate) fn quick(&self, arguments: &[&str]) -> String {
        let outcome = self.vault(arguments).outcome();
        assert_eq!(outcome.status, 0, "vault {arguments:?}: {}", outcome.said);
        String::from_utf8(outcome.output).unwrap()
    }

    /// Sets a secret of production.
    #[track_caller]
    pub(crate) fn set(&self, name: &str, value: &str) {
        self.set_in("production", name, value);
    }

    #[track_caller]
    pub(crate) fn set_in(&self, environment: &str, name: &str, value: &str) {
        let words = ["set", name, "-e", environment, "-q"];
        let outcome = self.vault(&words).input(value).outcome();
        assert_eq!(outcome.status, 0, "{}", outcome.said);
    }

    /// Does `work` on a branch and commits it.
    #[track_caller]
    pub(crate) fn on(&self, branch: &str, work: impl FnOnce(&Self)) {
        self.sandbox.git(&["checkout", "--quiet", branch]);
        work(self);
        self.sandbox.commit(&format!("on {branch}"));
    }

    /// Does `theirs` on one branch and `ours` on the other, and merges them, which must conflict.
    #[track_caller]
    pub(crate) fn conflict(&self, ours: impl FnOnce(&Self), theirs: impl FnOnce(&Self)) {
        self.on("theirs", theirs);
        self.on("main", ours);
        self.stops(&["merge", "--quiet", "theirs"]);
    }

    /// Runs git, which stops at a conflict.
    #[track_caller]
    pub(crate) fn stops(&self, arguments: &[&str]) {
        let output = self.git(arguments);
        assert!(!output.status.success(), "git {arguments:?}: {output:?}");
        let unmerged = self.sandbox.git(&["ls-files", "--unmerged"]);
        assert!(unmerged.contains(".vault/"), "{output:?}");
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> Output {
        Command::new("git")
            .current_dir(self.sandbox.repo())
            .args(["-c", "maintenance.auto=false"])
            .args(arguments)
            .env("HOME", self.sandbox.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_EDITOR", "true")
            .output()
            .unwrap()
    }

    /// Resolves with these arguments, commits the merge, and checks the result against both parents.
    /// Returns what it said.
    #[track_caller]
    pub(crate) fn resolves(&self, arguments: &[&str]) -> String {
        let said = self.resolves_only(arguments);
        self.commits();
        said
    }

    /// Resolves with these arguments and commits nothing.
    #[track_caller]
    pub(crate) fn resolves_only(&self, arguments: &[&str]) -> String {
        let words = [&["resolve"], arguments].concat();
        let outcome = self.vault(&words).outcome();
        assert_eq!(outcome.status, 0, "{words:?}: {}", outcome.said);
        assert_eq!(outcome.output, b"");
        outcome.said
    }

    /// Commits a merge whose conflicts are resolved, and checks the result against both parents.
    #[track_caller]
    pub(crate) fn commits(&self) {
        self.sandbox.git(&["add", "--all"]);
        self.sandbox.git(&["commit", "--quiet", "--no-edit"]);
        self.is_sound(&["HEAD^1", "HEAD^2"]);
    }

    /// Checks that nothing is to be found in the vault, and nothing since these commits.
    #[track_caller]
    pub(crate) fn is_sound(&self, parents: &[&str]) {
        for parent in parents {
            let outcome = self.vault(&["verify", "--since", parent]).outcome();
            let output = String::from_utf8_lossy(&outcome.output).into_owned();
            assert_eq!(outcome.status, 0, "{parent}: {output}\n{}", outcome.said);
            assert!(!output.contains("cannot read"), "{output}");
        }
    }

    /// Checks that `resolve` with these arguments fails with this status, says all of `parts`, ends
    /// with the way out, and changes no file.
    #[track_caller]
    pub(crate) fn refuses(&self, arguments: &[&str], status: i32, parts: &[&str]) -> String {
        let words = [&["resolve"], arguments].concat();
        self.refused(&self.vault(&words), status, parts)
    }

    #[track_caller]
    pub(crate) fn refused(&self, run: &Run<'_>, status: i32, parts: &[&str]) -> String {
        let before = self.sandbox.files();
        let outcome = run.outcome();
        assert!(before == self.sandbox.files(), "a refusal changed files");
        let said = outcome.said;
        assert_eq!(outcome.status, status, "{said}");
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in:\n{said}");
        }
        let last = said.lines().last().unwrap();
        let way_out = "git restore --source=HEAD --staged --worktree .vault";
        assert!(last.contains(way_out), "{said}");
        said
    }

    /// The value of a secret of production.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> String {
        self.value_in("production", name)
    }

    #[track_caller]
    pub(crate) fn value_in(&self, environment: &str, name: &str) -> String {
        self.quick(&["get", name, "-e", environment])
    }

    /// The revision of a secret of production.
    pub(crate) fn revision(&self, name: &str) -> u64 {
        let path = self.sandbox.store(&format!("production/{name}.toml"));
        let text = std::fs::read_to_string(path).unwrap();
        let number = text
            .lines()
            .find_map(|line| line.strip_prefix("revision = "));
        number.unwrap().parse().unwrap()
    }

    /// Whether this credential reads a secret.
    pub(crate) fn reads(&self, credential: &str, environment: &str, name: &str) -> bool {
        let run = self.sandbox.vault(&["get", name, "-e", environment]);
        let run = run.without("HOME").variable("VAULT_KEY", credential);
        run.outcome().status == 0
    }

    pub(crate) fn membership(&self) -> Membership {
        membership(&self.sandbox)
    }

    /// The access of a member in an environment.
    pub(crate) fn access(&self, name: &str, environment: &str) -> Option<Access> {
        let name = name.parse().unwrap();
        let membership = self.membership();
        let member = membership.members.get(&name)?;
        member.access.get(&environment.parse().unwrap()).cloned()
    }

    /// The file of another person's key.
    pub(crate) fn key_file(&self, person: &Person) -> PathBuf {
        person.key_file(&self.sandbox)
    }

    /// A run with the key in this file.
    pub(crate) fn vault_as(&self, key: &Path, arguments: &[&str]) -> Run<'_> {
        let key = key.to_str().unwrap().to_owned();
        let words = [arguments, &["--key-file", &key]].concat();
        self.vault(&words)
    }

    /// Everything below `.vault`.
    pub(crate) fn store(&self) -> Files {
        let files = self.sandbox.files().into_iter();
        files
            .filter(|(path, _)| path.starts_with("repo/.vault/"))
            .collect()
    }

    /// The number and the commitment of the newest epoch of production.
    pub(crate) fn epoch(&self) -> (u64, [u8; 32]) {
        let root = craft::vault(&self.sandbox).root().clone();
        let newest = *root.environments[&"production".parse().unwrap()].newest();
        (newest.number, newest.commitment.0)
    }
}
