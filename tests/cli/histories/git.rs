//! Real git, as a person types it.

use std::fs;
use std::process::{Command, Output};

use super::world::World;

impl World {
    /// Runs git in the repository, whatever comes of it.
    pub(super) fn try_git(&mut self, words: &[&str]) -> Output {
        let output = Command::new("git")
            .current_dir(self.sandbox.repo())
            .args(["-c", "user.name=Test", "-c", "user.email=test@example.com"])
            .args(["-c", "maintenance.auto=false", "-c", "core.editor=true"])
            .args(["-c", "advice.diverging=false"])
            .args(words)
            .env("HOME", self.sandbox.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        self.log.push(format!(
            "  git {} -> {}",
            words.join(" "),
            output.status.code().unwrap()
        ));
        output
    }

    /// As [`Self::try_git`], for a command that must succeed. Returns standard output.
    pub(super) fn git(&mut self, words: &[&str]) -> String {
        let output = self.try_git(words);
        if !output.status.success() {
            self.fail(&format!("git {words:?}: {output:?}"));
        }
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(super) fn switch(&mut self, branch: &str) {
        if self.branch != branch {
            self.git(&["switch", "--quiet", branch]);
            branch.clone_into(&mut self.branch);
        }
    }

    /// The newest commit of the present branch.
    pub(super) fn head(&self) -> String {
        let path = self.sandbox.repo().join(".git/refs/heads");
        let id = fs::read_to_string(path.join(&self.branch)).unwrap();
        id.trim().to_owned()
    }

    pub(super) fn commit(&mut self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
    }
}
