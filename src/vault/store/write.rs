//! One writer at a time; every file is replaced whole or not at all.
//!
//! A new content is written to `.vault/tmp`, synced, and renamed over the old one, so that
//! `kill -9` at any moment leaves the old file or the new one. Many files share one sync between
//! writing and renaming. Only ciphertext and public facts ever come here.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use super::Place;
use super::batch::Batch;
use super::staging::{NewFile, TEMPORARY, folder_in, not_written, split, sweep};
use super::tree::unusable;
use crate::fault::Fault;
use crate::platform::{Dir, FileSizeSignalIgnored, Lock};

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_mins(1);

/// The right to write to `.vault`, held by one process at a time.
pub struct Writer {
    pub(super) store: Dir,
    _lock: Lock,
    _signal: FileSizeSignalIgnored,
}

impl Writer {
    /// Waits for the right to write, up to a minute; calls `waiting` once when it takes longer
    /// than a moment.
    ///
    /// # Errors
    /// If the store is missing or cannot be written, or the wait was too long.
    pub fn lock(place: &Place, waiting: &dyn Fn()) -> Result<Self, Fault> {
        let path = place.store();
        let store = Dir::open(&path)
            .map_err(|error| unusable("", "a folder", error))?
            .ok_or_else(|| Fault::refused(format!("no {}", path.display())))?;
        Ok(Self {
            _lock: wait(&store, waiting)?,
            store,
            _signal: FileSizeSignalIgnored::new(),
        })
    }

    /// Makes the store of a new vault, or continues after an interruption.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(place: &Place) -> Result<Self, Fault> {
        let folder = Dir::open(place.folder()).ok().flatten().ok_or_else(|| {
            Fault::failed(format!(
                "could not open the folder {}",
                place.folder().display()
            ))
        })?;
        folder
            .make_dir(super::STORE_FOLDER)
            .map_err(|error| unusable("", "a folder", error))?;
        folder.sync().map_err(|error| not_written("", error))?;
        Self::lock(place, &|| ())
    }

    /// The folder `.vault`, for reading under the lock.
    ///
    /// # Errors
    /// If it cannot be opened again.
    pub fn tree(&self) -> Result<super::Tree, Fault> {
        // The very folder that is locked and written, even if its path now names another one.
        let again = self
            .store
            .dir(".")
            .map_err(|error| unusable("", "a folder", error))?;
        again
            .map(super::Tree::Working)
            .ok_or_else(|| Fault::failed(".vault has gone"))
    }

    /// Replaces all of `files`, each of them whole. Nothing is replaced when one of them could
    /// not be written.
    ///
    /// # Errors
    /// If the disk is full, read-only, or fails.
    pub fn replace(&self, files: &[NewFile]) -> Result<(), Fault> {
        let mut batch = self.batch()?;
        batch.add(files)?;
        batch.finish()
    }

    /// Starts to replace files that are not all known yet.
    ///
    /// # Errors
    /// If the folder for temporary files cannot be used.
    pub fn batch(&self) -> Result<Batch<'_>, Fault> {
        let temporary = folder_in(&self.store, TEMPORARY)?;
        sweep(&temporary)?;
        Ok(Batch::new(&self.store, temporary))
    }

    /// Removes the file or the empty folder at `path`. Succeeds if it does not exist.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<(), Fault> {
        let (folder, name) = split(path);
        let folder = folder_in(&self.store, folder)?;
        let removed = folder.remove(name).or_else(|_| folder.remove_dir(name));
        match removed.and_then(|()| folder.sync()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Fault::failed(format!("could not remove .vault/{path}")).because(error))
            }
            _ => Ok(()),
        }
    }
}

fn wait(store: &Dir, waiting: &dyn Fn()) -> Result<Lock, Fault> {
    let start = Instant::now();
    let mut said = false;
    loop {
        let lock = store.try_lock();
        if let Some(lock) = lock.map_err(|error| not_written("", error))? {
            return Ok(lock);
        }
        if start.elapsed() > PATIENCE {
            return Err(Fault::failed("another vault has been writing for a minute")
                .hint("see which one: `fuser .vault`"));
        }
        if !said && start.elapsed() > Duration::from_millis(500) {
            waiting();
            said = true;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
