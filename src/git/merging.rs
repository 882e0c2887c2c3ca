//! A merge that is under way, and the three commits that it is made of.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::command::Repository;
use super::revision::Commit;
use crate::fault::Fault;

/// Files of git that exist while it waits for conflicts to be resolved.
const MARKS: [&str; 6] = [
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "SQUASH_MSG",
    "rebase-merge",
    "rebase-apply",
];

/// What git was asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `git merge`, or a pull.
    Merge,
    /// `git merge --squash`.
    Squash,
    /// `git rebase`: ours is what the commits are put on.
    Rebase,
    /// `git cherry-pick`.
    CherryPick,
    /// `git revert`: theirs is the state before the commit that is taken back.
    Revert,
}

impl Operation {
    fn command(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "merge --squash",
            Self::Rebase => "rebase",
            Self::CherryPick => "cherry-pick",
            Self::Revert => "revert",
        }
    }

    /// The git command to type after the conflicts are resolved.
    #[must_use]
    pub fn going_on(self) -> String {
        match self {
            Self::Squash => "git commit".to_owned(),
            other => format!("git {} --continue", other.command()),
        }
    }

    /// The git command that gives up.
    #[must_use]
    pub fn aborting(self) -> String {
        match self {
            Self::Squash => "git reset --merge".to_owned(),
            other => format!("git {} --abort", other.command()),
        }
    }
}

/// A merge that waits for its conflicts to be resolved.
pub struct Merging {
    /// What git was asked to do.
    pub operation: Operation,
    /// The commit that both sides come from; with several, the one that these come from.
    pub base: Commit,
    /// The commits that both sides come from, if they are several.
    pub bases: Vec<Commit>,
    /// `--ours` in git's words.
    pub ours: Commit,
    /// `--theirs` in git's words.
    pub theirs: Commit,
    /// In a rebase, the last of the commits that are put on `ours`, one after the other.
    pub last: Option<Commit>,
}

impl Repository {
    /// Whether a merge, a rebase, a cherry-pick, or a revert is under way.
    ///
    /// # Errors
    /// If git fails.
    pub fn is_merging(&self) -> Result<bool, Fault> {
        for mark in MARKS {
            let path = self.run(&["rev-parse", "--git-path", mark])?;
            let path = PathBuf::from(OsStr::from_bytes(path.trim_ascii()));
            if self.folder().join(path).exists() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The merge that is under way. Returns `None` if there is none.
    ///
    /// # Errors
    /// If git fails, or the sides have no common commit.
    pub fn merging(&self) -> Result<Option<Merging>, Fault> {
        let Some(ours) = self.named("HEAD") else {
            return Ok(None);
        };
        let picked = self.named("CHERRY_PICK_HEAD");
        let rebased = self.named("REBASE_HEAD");
        // A rebase leaves both marks. If they differ, someone picks a commit within a rebase.
        let is_rebase = |id: &str| rebased.as_ref().is_some_and(|own| own.id() == id);
        let (operation, theirs, bases) = if let Some(theirs) = self.named("MERGE_HEAD") {
            let bases = self.common(&ours, &theirs)?;
            (Operation::Merge, theirs, bases)
        } else if let Some(reverted) = self.named("REVERT_HEAD") {
            let theirs = self.parent(&reverted)?;
            (Operation::Revert, theirs, vec![reverted])
        } else if let Some(picked) = picked.filter(|picked| !is_rebase(picked.id())) {
            let base = self.parent(&picked)?;
            (Operation::CherryPick, picked, vec![base])
        } else if let Some(rebased) = rebased {
            let base = self.parent(&rebased)?;
            (Operation::Rebase, rebased, vec![base])
        } else if let Some(theirs) = self.squashed()? {
            let bases = self.common(&ours, &theirs)?;
            (Operation::Squash, theirs, bases)
        } else {
            return Ok(None);
        };
        let base = self.ancestor(&bases)?;
        let last = match operation {
            Operation::Rebase => self.rebased()?,
            _ => None,
        };
        Ok(Some(Merging {
            operation,
            base,
            bases,
            ours,
            theirs,
            last,
        }))
    }

    /// The paths below `folder` that git could not merge, relative to the folder given to
    /// [`Repository::open`].
    ///
    /// # Errors
    /// If git fails.
    pub fn unmerged(&self, folder: &str) -> Result<Vec<String>, Fault> {
        let options = ["ls-files", "-z", "--unmerged", "--", folder];
        let listed = self.run(&options)?;
        let mut paths: Vec<String> = listed
            .split(|&byte| byte == 0)
            .filter_map(|line| {
                let at = line.iter().position(|&byte| byte == b'\t')?;
                Some(String::from_utf8_lossy(&line[at + 1..]).into_owned())
            })
            .collect();
        paths.dedup();
        Ok(paths)
    }

    fn named(&self, name: &str) -> Option<Commit> {
        self.commit_at(name).map(|id| Commit::new(name, id))
    }

    /// The parent of a commit that git applies or takes back. Of several, the one that git compares it
    /// with: its files are the middle stage of every conflict.
    fn parent(&self, commit: &Commit) -> Result<Commit, Fault> {
        let listed = self.run(&["rev-list", "--parents", "--max-count=1", commit.id()])?;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let parents: Vec<&str> = listed.split_whitespace().skip(1).collect();
        if let [only] = parents[..] {
            return self.named(only).ok_or_else(unrelated);
        }
        let stages = self.run(&["ls-files", "-z", "--unmerged", "--full-name"])?;
        let stages = String::from_utf8_lossy(&stages).into_owned();
        let middle: Vec<(&str, &str)> = stages.split('\0').filter_map(middle_stage).collect();
        for parent in parents {
            let is_compared = middle.iter().all(|(blob, path)| {
                let found = self.run(&["rev-parse", &format!("{parent}:{path}")]);
                found.is_ok_and(|found| found.trim_ascii() == blob.as_bytes())
            });
            if is_compared && !middle.is_empty() {
                return self.named(parent).ok_or_else(unrelated);
            }
        }
        Err(unrelated())
    }

    /// The commits that both come from.
    fn common(&self, ours: &Commit, theirs: &Commit) -> Result<Vec<Commit>, Fault> {
        // It fails without any.
        let found = self.run(&["merge-base", "--all", ours.id(), theirs.id()]);
        let found = String::from_utf8_lossy(&found.unwrap_or_default()).into_owned();
        let named = found.lines().map(|id| self.named(id).ok_or_else(unrelated));
        named.collect()
    }

    /// The commit that all of `commits` come from.
    fn ancestor(&self, commits: &[Commit]) -> Result<Commit, Fault> {
        let mut ids: Vec<String> = commits.iter().map(|one| one.id().to_owned()).collect();
        // Several may have several, too.
        while ids.len() > 1 {
            let options = ["merge-base", "--all", "--octopus"];
            let words: Vec<&str> = options
                .into_iter()
                .chain(ids.iter().map(String::as_str))
                .collect();
            let found = self.run(&words).map_err(|_| unrelated())?;
            ids = String::from_utf8_lossy(&found)
                .lines()
                .map(str::to_owned)
                .collect();
        }
        let only = ids.first().and_then(|id| self.named(id));
        only.ok_or_else(unrelated)
    }

    /// The newest commit of the branch that is rebased.
    fn rebased(&self) -> Result<Option<Commit>, Fault> {
        for path in ["rebase-merge/orig-head", "rebase-apply/orig-head"] {
            let path = self.run(&["rev-parse", "--git-path", path])?;
            let path = PathBuf::from(OsStr::from_bytes(path.trim_ascii()));
            if let Ok(id) = std::fs::read_to_string(self.folder().join(path)) {
                return Ok(self.named(id.trim()));
            }
        }
        Ok(None)
    }

    /// The newest commit that `git merge --squash` was to add.
    fn squashed(&self) -> Result<Option<Commit>, Fault> {
        let path = self.run(&["rev-parse", "--git-path", "SQUASH_MSG"])?;
        let path = PathBuf::from(OsStr::from_bytes(path.trim_ascii()));
        let Ok(message) = std::fs::read_to_string(self.folder().join(path)) else {
            return Ok(None);
        };
        let mut lines = message.lines();
        let id = lines.find_map(|line| line.strip_prefix("commit "));
        Ok(id.and_then(|id| self.named(id)))
    }
}

/// Reads the blob and the path from a line of `git ls-files --unmerged` about the base.
fn middle_stage(line: &str) -> Option<(&str, &str)> {
    let (facts, path) = line.split_once('\t')?;
    let mut facts = facts.split(' ').skip(1);
    let blob = facts.next()?;
    (facts.next() == Some("1")).then_some((blob, path))
}

fn unrelated() -> Fault {
    Fault::refused("the two sides of this merge have no commit in common")
}

/// Whether `folder` seems to be in a repository in which a merge is under way. Starts no program, so
/// it is only good enough for a hint.
#[must_use]
pub fn seems_merging(folder: &Path) -> bool {
    let found = folder.ancestors().map(|folder| folder.join(".git"));
    let Some(git) = found.into_iter().find(|path| path.exists()) else {
        return false;
    };
    // A worktree has a file that names the folder.
    let linked = std::fs::read_to_string(&git).ok();
    let linked = linked
        .as_deref()
        .and_then(|text| text.strip_prefix("gitdir: "));
    let git = linked.map_or(git.clone(), |path| {
        git.with_file_name("").join(path.trim_end())
    });
    MARKS.iter().any(|mark| git.join(mark).exists())
}
