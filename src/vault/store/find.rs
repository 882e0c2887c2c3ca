//! Finds the vault that a command means: the nearest `vault.toml` upward.

use std::path::{Path, PathBuf};

use crate::fault::{Fault, STORE_FOLDER};
use crate::platform;

/// The file that people write.
pub const CONFIG_FILE: &str = "vault.toml";

/// The folder that holds `vault.toml` and `.vault`.
#[derive(Clone, Debug)]
pub struct Place(PathBuf);

impl Place {
    /// A folder that the caller named.
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

/// The nearest folder with a `vault.toml`, and whose it is.
#[derive(Clone, Debug)]
pub enum Nearest {
    /// It belongs to the caller or to root.
    Own(Place),
    /// It belongs to another user, and they may have put it there.
    Foreign(Place),
}

impl Nearest {
    /// The vault, regardless of its owner.
    #[must_use]
    pub fn place(self) -> Place {
        match self {
            Self::Own(place) | Self::Foreign(place) => place,
        }
    }
}

/// The nearest folder with a `vault.toml`, from `start` upward. The search ends at the top of the
/// git repository, at `home`, and where another file system begins. Returns `None` if there is none.
#[must_use]
pub fn nearest(start: &Path, home: Option<&Path>) -> Option<Nearest> {
    let (folder, owner) = folders(start, home).find_map(|folder| Some((folder, owner(folder)?)))?;
    let place = Place(folder.to_owned());
    Some(if is_own(owner) {
        Nearest::Own(place)
    } else {
        Nearest::Foreign(place)
    })
}

/// As [`nearest`], for a caller who has not said which vault is meant: a `vault.toml` that belongs to
/// neither the caller nor root does not count.
///
/// # Errors
/// If there is none; the message says where the search ended.
pub fn find(start: &Path, home: Option<&Path>) -> Result<Place, Fault> {
    let (mut foreign, mut end) = (None, start);
    for folder in folders(start, home) {
        match owner(folder) {
            Some(owner) if is_own(owner) => return Ok(Place(folder.to_owned())),
            Some(owner) => foreign = foreign.or(Some((folder, owner))),
            None => {}
        }
        end = folder;
    }
    Err(not_found(start, end, foreign))
}

/// Every folder of the search, in its order.
fn folders<'a>(start: &'a Path, home: Option<&Path>) -> impl Iterator<Item = &'a Path> {
    let home = without_links(home);
    std::iter::successors(Some(start), move |folder| {
        step(folder, home.as_deref()).ok()
    })
}

/// The user whose `vault.toml` is in `folder`, if there is one.
fn owner(folder: &Path) -> Option<u32> {
    platform::device_and_owner(&folder.join(CONFIG_FILE))
        .ok()
        .map(|(_, owner)| owner)
}

fn is_own(owner: u32) -> bool {
    owner == platform::user() || owner == 0
}

/// The system names the current folder without links, so `home` must be named so, too.
fn without_links(home: Option<&Path>) -> Option<PathBuf> {
    home.map(|home| home.canonicalize().unwrap_or_else(|_| home.to_owned()))
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
    let home = without_links(home);
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
    let device = |path| {
        platform::device_and_owner(path)
            .ok()
            .map(|(device, _)| device)
    };
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
            .hint(format!(
                "if you trust that user: `vault --vault {} …`",
                folder.display()
            ))
            .hint("in CI, a credential or VAULT_ID names the vault, no matter who owns the files");
    }
    let message = if start == end {
        format!("no vault.toml in {}", start.display())
    } else {
        format!(
            "no vault.toml in {} or above it, up to {}",
            start.display(),
            end.display()
        )
    };
    Fault::usage(message).hint("make a vault here: `vault init`")
}
