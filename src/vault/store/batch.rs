//! Many files that are replaced together, however many they are.
//!
//! All new contents are written to `.vault/tmp` and synced before the first of them is moved to its
//! place, so nothing is replaced when one of them cannot be written. They are moved in the order in
//! which they were added. No content stays in memory.

use std::collections::{BTreeMap, VecDeque};
use std::io;

use super::limit::{largest, shown_limit};
use super::staging::{NewFile, TEMPORARY, folder_in, not_written, split, temporary_name};
use crate::fault::Fault;
use crate::platform::{Dir, FileAccess, Unsynced};

/// New contents on their way. Those that did not arrive are removed on drop.
pub struct Batch<'a> {
    pub(super) store: &'a Dir,
    pub(super) temporary: Dir,
    /// Where the files go, by path; opened once.
    pub(super) folders: BTreeMap<String, Dir>,
    pub(super) waiting: VecDeque<Waiting>,
    unsynced: Unsynced,
}

/// A new content under its temporary name.
pub(super) struct Waiting {
    temporary: String,
    pub(super) path: String,
}

impl<'a> Batch<'a> {
    pub(super) fn new(store: &'a Dir, temporary: Dir) -> Self {
        let (folders, waiting) = (BTreeMap::new(), VecDeque::new());
        Self {
            store,
            temporary,
            folders,
            waiting,
            unsynced: Unsynced::default(),
        }
    }

    /// Writes the contents of `files`, beside what they will replace.
    ///
    /// # Errors
    /// If one of them is larger than a reader accepts, or the disk is full, read-only, or fails.
    pub fn add(&mut self, files: &[NewFile]) -> Result<(), Fault> {
        for file in files {
            check_size(file)?;
            self.open_folder(&file.path)?;
        }
        files.iter().try_for_each(|file| {
            self.write(file)
                .map_err(|error| not_written(&file.path, error))
        })
    }

    /// Moves everything to its place.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish(mut self) -> Result<(), Fault> {
        self.sync()?;
        self.move_all()
    }

    fn open_folder(&mut self, path: &str) -> Result<(), Fault> {
        let (folder, _) = split(path);
        if !self.folders.contains_key(folder) {
            let opened = folder_in(self.store, folder)?;
            opened
                .check_writable()
                .map_err(|error| not_written(path, error))?;
            self.folders.insert(folder.to_owned(), opened);
        }
        Ok(())
    }

    fn write(&mut self, file: &NewFile) -> io::Result<()> {
        let temporary = temporary_name();
        let created = self
            .temporary
            .create(&temporary, &file.content, FileAccess::Shared)?;
        self.waiting.push_back(Waiting {
            temporary,
            path: file.path.clone(),
        });
        self.unsynced.add(created)
    }

    /// Makes the new contents durable, under their temporary names.
    pub(super) fn sync(&mut self) -> Result<(), Fault> {
        let written = std::mem::take(&mut self.unsynced);
        written
            .sync(self.store)
            .map_err(|error| not_written(TEMPORARY, error))
    }

    pub(super) fn move_all(&mut self) -> Result<(), Fault> {
        let all = self.waiting.len();
        while let Some(Waiting { temporary, path }) = self.waiting.pop_front() {
            let (folder, name) = split(&path);
            let moved = self
                .temporary
                .rename(&temporary, &self.folders[folder], name);
            moved.map_err(|error| {
                let _ = self.temporary.remove(&temporary);
                let fault = not_written(&path, error);
                let done = all - 1 - self.waiting.len();
                if done == 0 {
                    fault
                } else {
                    half_done(&fault, done, all)
                }
            })?;
        }
        // The top last: it also holds the names of folders that are new.
        self.folders
            .values()
            .rev()
            .chain([self.store])
            .try_for_each(durable)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        for Waiting { temporary, .. } in &self.waiting {
            // The next writer removes any file that remains.
            let _ = self.temporary.remove(temporary);
        }
    }
}

/// Checks that every reader will accept the size of `file`. Until then nothing was replaced.
fn check_size(file: &NewFile) -> Result<(), Fault> {
    let path = &file.path;
    if file.content.len() <= largest(path) {
        return Ok(());
    }
    let most = shown_limit(path);
    Err(Fault::usage(format!(
        ".vault/{path} would be larger than {most}"
    )))
}

/// Makes the names in `folder` durable.
pub(super) fn durable(folder: &Dir) -> Result<(), Fault> {
    folder.sync().map_err(|error| {
        Fault::failed(format!(
            "could not make {} durable",
            folder.path().display()
        ))
        .because(error)
    })
}

/// Each file is whole, but not all of them are new.
fn half_done(fault: &Fault, done: usize, all: usize) -> Fault {
    Fault::failed(format!(
        "{fault:#} after {done} of {all} files were replaced"
    ))
    .hint("run the same command again; the finished part stays as it is")
}
