//! Finds the vault that a command means: the nearest `vault.toml` upward.

use std::path::{Path, PathBuf};

use crate::fault::Fault;
use crate::platform;

/// The file that people write.
pub const CONFIG_FILE: &str = "vault.toml";
/// The folder that `vault` writes.
pub const STORE_FOLDER: &str = ".vault";

/// The folder that holds `vault.toml` and `.vault`.
#[derive(Clone, Debug)]
pub struct Place(PathBuf);

impl Place {
    /// A folder that somebody named.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// `vault.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join(CONFIG_FILE)
    }

    /// `.vault`.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.0.join(STORE_FOLDER)
    }
}

/// The nearest folder with a `vault.toml`, from `start` upward. The search ends at the top of the
/// git repository, at `home`, and where another file system begins. A `vault.toml` that belongs to
/// neither the caller nor root does not count: somebody else may have put it there.
///
/// # Errors
/// When there is none; the message says where the search ended.
pub fn find(start: &Path, home: Option<&Path>) -> Result<Place, Fault> {
    // The system names the current folder without links, so `home` must be named so, too.
    let home = home.map(|home| home.canonicalize().unwrap_or_else(|_| home.to_owned()));
    let mut foreign = None;
    let mut folder = start;
    loop {
        match platform::device_and_owner(&folder.join(CONFIG_FILE)) {
            Ok((_, owner)) if owner == platform::user() || owner == 0 => {
                return Ok(Place(folder.to_owned()));
            }
            Ok((_, owner)) => foreign = foreign.or(Some((folder, owner))),
            Err(_) => {}
        }
        match step(folder, home.as_deref()) {
            Ok(parent) => folder = parent,
            Err(_) => return Err(not_found(start, folder, foreign)),
        }
    }
}

/// Why the search goes no further up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The top of a git repository.
    Repository,
    /// The caller's home.
    Home,
    /// Above it is another file system.
    Mount,
    /// The root of all folders.
    Root,
}

/// Where a search from `start` ends that finds nothing, and why.
#[must_use]
pub fn end_of_search(start: &Path, home: Option<&Path>) -> (PathBuf, End) {
    let home = home.map(|home| home.canonicalize().unwrap_or_else(|_| home.to_owned()));
    let mut folder = start;
    loop {
        match step(folder, home.as_deref()) {
            Ok(parent) => folder = parent,
            Err(end) => return (folder.to_owned(), end),
        }
    }
}

/// The folder above, unless the search ends here.
fn step<'a>(folder: &'a Path, home: Option<&Path>) -> Result<&'a Path, End> {
    let device = |path| platform::device_and_owner(path).ok().map(|(device, _)| device);
    match folder.parent() {
        _ if folder.join(".git").exists() => Err(End::Repository),
        _ if Some(folder) == home => Err(End::Home),
        None => Err(End::Root),
        Some(parent) if device(folder) != device(parent) => Err(End::Mount),
        Some(parent) => Ok(parent),
    }
}

fn not_found(start: &Path, end: &Path, foreign: Option<(&Path, u32)>) -> Fault {
    if let Some((folder, owner)) = foreign {
        let path = folder.join(CONFIG_FILE);
        let message = format!("{} belongs to another user (uid {owner})", path.display());
        return Fault::refused(message)
            .hint(format!("if you trust that user: vault --vault {} …", folder.display()));
    }
    let message = if start == end {
        format!("no vault.toml in {}", start.display())
    } else {
        format!("no vault.toml in {} or above it, up to {}", start.display(), end.display())
    };
    Fault::usage(message).hint("make a vault here: vault init")
}
