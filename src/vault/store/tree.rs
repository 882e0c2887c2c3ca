//! A tree of machine-written files to read from: the folder `.vault`, or what git holds of it.
//!
//! Every file is read once and as a whole, so that the checked bytes are the bytes that are used.

use std::collections::BTreeMap;

use super::limit::{largest, shown_limit};
use crate::fault::{Fault, STORE_FOLDER};
use crate::platform::{Dir, ReadError};

/// The files below `.vault`, by their path below it.
pub enum Tree {
    /// In the working tree.
    Working(Dir),
    /// At a revision, already read.
    Committed(BTreeMap<String, Vec<u8>>),
}

/// One folder of a [`Tree`].
pub enum Folder<'a> {
    /// In the working tree, held open.
    Working(Dir),
    /// At a revision: the files and the folder's path with a slash.
    Committed(&'a BTreeMap<String, Vec<u8>>, String),
}

impl Tree {
    /// Reads the file `name` at the top.
    ///
    /// # Errors
    /// If it is not a regular file, is too large, or cannot be read.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        match self {
            Self::Working(dir) => read_file(dir, "", name),
            Self::Committed(files) => committed(files, name),
        }
    }

    /// The folder `name`, or nothing.
    ///
    /// # Errors
    /// If it is a symbolic link or no folder, or cannot be opened.
    pub fn folder(&self, name: &str) -> Result<Option<Folder<'_>>, Fault> {
        match self {
            Self::Working(dir) => {
                let opened = dir
                    .dir(name)
                    .map_err(|error| unusable(name, "a folder", error));
                Ok(opened?.map(Folder::Working))
            }
            Self::Committed(files) => {
                let prefix = format!("{name}/");
                let exists = files.keys().any(|path| path.starts_with(&prefix));
                Ok(exists.then_some(Folder::Committed(files, prefix)))
            }
        }
    }

    /// The names at the top, folders included, sorted.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn names(&self) -> Result<Vec<String>, Fault> {
        match self {
            Self::Working(dir) => names(dir, ""),
            Self::Committed(files) => {
                let top = |path: &String| path.split('/').next().unwrap_or_default().to_owned();
                let mut names: Vec<String> = files.keys().map(top).collect();
                names.dedup();
                Ok(names)
            }
        }
    }
}

impl Folder<'_> {
    /// Reads the file `name`; `parent` is the folder's name, for messages.
    ///
    /// # Errors
    /// As [`Tree::read`].
    pub fn read(&self, parent: &str, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        match self {
            Self::Working(dir) => read_file(dir, &format!("{parent}/"), name),
            Self::Committed(files, prefix) => committed(files, &format!("{prefix}{name}")),
        }
    }

    /// The size of the file `name` in bytes, or 0 if it does not exist.
    ///
    /// # Errors
    /// If it cannot be determined.
    pub fn size(&self, parent: &str, name: &str) -> Result<u64, Fault> {
        match self {
            Self::Working(dir) => {
                let size = dir.size(name).map_err(|error| {
                    unusable(&format!("{parent}/{name}"), "a file", ReadError::Io(error))
                })?;
                Ok(size.unwrap_or_default())
            }
            Self::Committed(files, prefix) => {
                let file = files.get(&format!("{prefix}{name}"));
                Ok(file.map_or(0, |file| file.len() as u64))
            }
        }
    }

    /// The names in the folder, sorted.
    ///
    /// # Errors
    /// As [`Tree::names`].
    pub fn names(&self, parent: &str) -> Result<Vec<String>, Fault> {
        match self {
            Self::Working(dir) => names(dir, parent),
            Self::Committed(files, prefix) => Ok(files
                .keys()
                .filter_map(|path| path.strip_prefix(prefix))
                .map(Into::into)
                .collect()),
        }
    }
}

fn read_file(dir: &Dir, prefix: &str, name: &str) -> Result<Option<Vec<u8>>, Fault> {
    let path = format!("{prefix}{name}");
    dir.read(name, largest(&path))
        .map_err(|error| unusable(&path, "a regular file", error))
}

fn committed(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let file = files.get(path);
    if file.is_some_and(|file| file.len() > largest(path)) {
        return Err(unusable(path, "a regular file", ReadError::TooLarge));
    }
    Ok(file.cloned())
}

fn names(dir: &Dir, name: &str) -> Result<Vec<String>, Fault> {
    let mut names = dir
        .names()
        .map_err(|error| Fault::failed(format!("could not list .vault/{name}")).because(error))?;
    names.sort_unstable();
    Ok(names)
}

/// Reports that `path` below `.vault`, or `.vault` itself, cannot be used.
pub(super) fn unusable(path: &str, expected: &str, error: ReadError) -> Fault {
    let whole = format!("{STORE_FOLDER}/{path}");
    let shown = whole.trim_end_matches('/');
    match error {
        ReadError::NotRegular => Fault::refused_file(path, format!("is not {expected}")).hint(
            format!("remove it and put back the committed file: `git checkout -- {shown}`"),
        ),
        ReadError::TooLarge => {
            Fault::damaged_file(path, format!("is larger than {}", shown_limit(path)))
        }
        ReadError::Io(error) => Fault::failed(format!("could not open {shown}")).because(error),
    }
}
