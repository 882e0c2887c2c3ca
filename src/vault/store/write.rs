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
use super::tree::unusable;
use crate::crypto::random_bytes;
use crate::fault::Fault;
use crate::platform::{Dir, FileSizeSignalIgnored, Lock, ReadError};

/// Where files are written before they are moved to their place.
pub(super) const TEMPORARY: &str = "tmp";
/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_mins(1);

/// A file to be written: its path below `.vault` and its content.
pub struct NewFile {
    /// Such as `production/DATABASE_URL.toml`.
    pub path: String,
    /// All bytes.
    pub content: Vec<u8>,
}

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
        Ok(Self { _lock: wait(&store, waiting)?, store, _signal: FileSizeSignalIgnored::new() })
    }

    /// Makes the store of a new vault, or continues after an interruption.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(place: &Place) -> Result<Self, Fault> {
        let folder = Dir::open(place.folder()).ok().flatten().ok_or_else(|| {
            Fault::failed(format!("could not open the folder {}", place.folder().display()))
        })?;
        folder.make_dir(super::STORE_FOLDER).map_err(|error| unusable("", "a folder", error))?;
        folder.sync().map_err(|error| not_written("", error))?;
        Self::lock(place, &|| ())
    }

    /// The folder `.vault`, for reading under the lock.
    ///
    /// # Errors
    /// If it cannot be opened again.
    pub fn tree(&self) -> Result<super::Tree, Fault> {
        // The very folder that is locked and written, even if its path now names another one.
        let again = self.store.dir(".").map_err(|error| unusable("", "a folder", error))?;
        again.map(super::Tree::Working).ok_or_else(|| Fault::failed(".vault has gone"))
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
        let temporary = self.folder(TEMPORARY)?;
        sweep(&temporary)?;
        Ok(Batch::new(self, temporary))
    }

    /// Removes the file or the empty folder at `path`. Succeeds if it does not exist.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(&self, path: &str) -> Result<(), Fault> {
        let (folder, name) = split(path);
        let folder = self.folder(folder)?;
        let removed = folder.remove(name).or_else(|_| folder.remove_dir(name));
        match removed.and_then(|()| folder.sync()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Fault::failed(format!("could not remove .vault/{path}")).because(error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn folder(&self, name: &str) -> Result<Dir, Fault> {
        let name = if name.is_empty() { "." } else { name };
        self.store.make_dir(name).map_err(|error| match error {
            ReadError::Io(error) => not_written(name, error),
            error => unusable(name, "a folder", error),
        })
    }
}

/// The folder of `path`, empty at the top, and the file's own name.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The name of a new temporary file.
pub(super) fn temporary_name() -> String {
    let mut random = [0; 8];
    random_bytes(&mut random);
    format!("{:016x}", u64::from_be_bytes(random))
}

/// Whether [`temporary_name`] gives names like this one.
fn is_temporary(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Removes the files of a writer that died. The lock excludes that another one is alive. Other
/// files are not ours, and stay.
fn sweep(temporary: &Dir) -> Result<(), Fault> {
    let names = temporary.names().map_err(|error| not_written(TEMPORARY, error))?;
    names.iter().filter(|name| is_temporary(name)).try_for_each(|name| {
        temporary.remove(name).map_err(|error| {
            not_written(TEMPORARY, error)
                .hint("remove it whole, it is never needed: rm -r .vault/tmp")
        })
    })
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
                .hint("see which one: fuser .vault"));
        }
        if !said && start.elapsed() > Duration::from_millis(500) {
            waiting();
            said = true;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

pub(super) fn not_written(path: &str, error: io::Error) -> Fault {
    Fault::failed(format!("could not write .vault/{path}")).because(error)
}
