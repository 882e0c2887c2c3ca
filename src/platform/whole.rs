//! Files that are written as a whole: a reader sees the old content or the new one, never a part.

use std::io;

use rustix::fs::RenameFlags;
use rustix::io::Errno;

use super::files::{Dir, FileAccess, Lock};

/// The start of the name of an unfinished copy of the file `name`.
fn unfinished(name: &str) -> String {
    format!(".{name}.new-")
}

impl Dir {
    /// Creates the file `name` with the content `bytes` in one step and makes it durable: even after a
    /// kill, it is either whole or missing. No entry of that name may exist. Also removes what a
    /// killed process left next to it.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn create_whole(&self, name: &str, bytes: &[u8], access: FileAccess) -> io::Result<()> {
        self.remove_unfinished(name)?;
        let new = self.written(name, bytes, access)?;
        let to = self.handle();
        match rustix::fs::renameat_with(to, &new, to, name, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                self.remove(&new)?;
                return Err(Errno::EXIST.into());
            }
            // Not every file system can do this, and another process may have removed the file.
            Err(_) => {
                let _ = self.remove(&new);
                self.create(name, bytes, access)?.sync_all()?;
            }
        }
        self.sync()
    }

    /// Replaces the file `name` in one step and makes it durable: even after a kill, it has either its
    /// old content or the new one. Also removes what a killed process left next to it. The caller
    /// holds the lock of this folder.
    ///
    /// # Errors
    /// Returns the operating system's error. The old content is kept.
    pub fn replace_whole(
        &self,
        lock: &Lock,
        name: &str,
        bytes: &[u8],
        access: FileAccess,
    ) -> io::Result<()> {
        self.sweep(name, lock)?;
        let new = self.written(name, bytes, access)?;
        if let Err(error) = self.rename(&new, self, name) {
            let _ = self.remove(&new);
            return Err(error);
        }
        self.sync()
    }

    /// Removes what a process that was killed in [`Dir::create_whole`] or [`Dir::replace_whole`] left of the file `name`.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn remove_unfinished(&self, name: &str) -> io::Result<()> {
        match self.try_lock()? {
            Some(lock) => self.sweep(name, &lock),
            None => Ok(()),
        }
    }

    fn sweep(&self, name: &str, _lock: &Lock) -> io::Result<()> {
        let stem = unfinished(name);
        for left in self.names()?.iter().filter(|left| left.starts_with(&stem)) {
            self.remove(left)?;
        }
        Ok(())
    }

    /// Writes an unfinished copy and makes it durable. Returns its name.
    fn written(&self, name: &str, bytes: &[u8], access: FileAccess) -> io::Result<String> {
        let new = format!("{}{}", unfinished(name), std::process::id());
        match self.create(&new, bytes, access)?.sync_all() {
            Ok(()) => Ok(new),
            Err(error) => {
                let _ = self.remove(&new);
                Err(error)
            }
        }
    }
}
