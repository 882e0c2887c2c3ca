//! The long version: the release, the commit of a release build, and the target.
//!
//! The commit comes from `REPOVAULT_COMMIT`, else from the git checkout around this file, else from
//! the note that `cargo package` leaves. Without one of them it is left out. No program is run, no
//! time and no path is used, so equal sources give equal bytes. A debug build does not show the
//! commit, because every commit would then rebuild it.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The variable that sets the commit, for builds from an archive.
const VARIABLE: &str = "REPOVAULT_COMMIT";

fn main() -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "cargo::rerun-if-changed=build.rs")?;
    writeln!(output, "cargo::rerun-if-env-changed={VARIABLE}")?;
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let folder = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let given = Some(variable(VARIABLE)).filter(|id| is_id(id));
    let commit = match given {
        None if variable("PROFILE") == "release" => Commit::find(&folder),
        id => Commit {
            id,
            files: Vec::new(),
        },
    };
    for file in &commit.files {
        writeln!(output, "cargo::rerun-if-changed={}", file.display())?;
    }
    let (version, target) = (variable("CARGO_PKG_VERSION"), variable("TARGET"));
    let shown = commit
        .id
        .map_or_else(String::new, |id| format!("commit {id}, "));
    writeln!(
        output,
        "cargo::rustc-env=REPOVAULT_LONG_VERSION={version} ({shown}{target})"
    )
}

/// A commit, and the files whose change may change it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) id: Option<String>,
    pub(crate) files: Vec<PathBuf>,
}

impl Commit {
    /// Finds the commit of the checkout or the package in `folder`, but not of a folder above it,
    /// which may be another project.
    pub(crate) fn find(folder: &Path) -> Self {
        let entry = folder.join(".git");
        // In a worktree or a submodule it is a file that names the folder.
        let git = match fs::read_to_string(&entry) {
            Ok(text) => folder.join(text.trim_start_matches("gitdir:").trim()),
            Err(_) => entry,
        };
        let head = git.join("HEAD");
        let Ok(text) = fs::read_to_string(&head) else {
            return Self::packaged(folder);
        };
        // A commit on a branch leaves HEAD as it is, but always adds to its log.
        let mut files = vec![head];
        files.extend(Some(git.join("logs/HEAD")).filter(|log| log.is_file()));
        let Some(reference) = text.trim().strip_prefix("ref: ") else {
            return Self {
                id: Some(text.trim().to_owned()).filter(|id| is_id(id)),
                files,
            };
        };
        let named = fs::read_to_string(git.join("commondir")).unwrap_or_default();
        let common = git.join(named.trim());
        let (loose, packed) = (common.join(reference), common.join("packed-refs"));
        let id = fs::read_to_string(&loose).ok().or_else(|| {
            let text = fs::read_to_string(&packed).ok()?;
            let line = text
                .lines()
                .find_map(|line| line.strip_suffix(reference)?.strip_suffix(' '));
            line.map(ToOwned::to_owned)
        });
        files.extend([loose, packed].into_iter().filter(|file| file.is_file()));
        Self {
            id: id.map(|id| id.trim().to_owned()).filter(|id| is_id(id)),
            files,
        }
    }

    /// Reads `"sha1": "…"` of the note that `cargo package` leaves.
    fn packaged(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join(".cargo_vcs_info.json")).unwrap_or_default();
        let id = text
            .split("\"sha1\"")
            .nth(1)
            .and_then(|rest| rest.split('"').nth(1));
        Self {
            id: id.filter(|id| is_id(id)).map(ToOwned::to_owned),
            files: Vec::new(),
        }
    }
}

/// Whether `text` is a whole commit id.
fn is_id(text: &str) -> bool {
    [40, 64].contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
