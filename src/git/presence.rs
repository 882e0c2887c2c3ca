//! Whether git has a file, and whether it ever will.

use super::command::Repository;

/// Since when a file is in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is not, as far as this clone knows.
    None,
    /// It would be with the next commit.
    Staged,
    /// Since this commit of that day.
    Since {
        /// The id, shortened.
        commit: String,
        /// `2026-11-27`.
        day: String,
    },
}

impl Repository {
    /// Whether the file at `path`, relative to the folder given to [`Repository::open`], is or was in
    /// git, on any branch.
    #[must_use]
    pub fn presence(&self, path: &str) -> Presence {
        let options = [
            "log",
            "--all",
            "--full-history",
            "--no-renames",
            "--format=%h %cs",
        ];
        let commits = self
            .run(&[&options[..], &["--", path]].concat())
            .unwrap_or_default();
        let commits = String::from_utf8_lossy(&commits);
        // The newest comes first.
        if let Some((commit, day)) = commits.lines().last().and_then(|line| line.split_once(' ')) {
            return Presence::Since {
                commit: commit.to_owned(),
                day: day.to_owned(),
            };
        }
        let staged = self
            .run(&["ls-files", "-z", "--", path])
            .unwrap_or_default();
        if staged.is_empty() {
            Presence::None
        } else {
            Presence::Staged
        }
    }

    /// Those of `paths`, relative as above, that git ignores and does not have.
    #[must_use]
    pub fn ignored(&self, paths: &[String]) -> Vec<String> {
        let input = paths.join("\0").into_bytes();
        // This command takes no literal paths; a path of a vault has no character that means more.
        let command = ["--no-literal-pathspecs", "check-ignore", "-z", "--stdin"];
        // It fails if it ignores none.
        let output = self.run_with_input(&command, input).unwrap_or_default();
        let ignored = output
            .split(|&byte| byte == 0)
            .filter(|path| !path.is_empty());
        ignored
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect()
    }
}
