//! Secrets that the command gets as files: written to memory before it starts and removed when it
//! ends.
//!
//! Signals are blocked from before the first file is written until the last one is removed, so that
//! no signal can end vault in between. While the command runs, `run` unblocks the signals that it
//! forwards.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::fault::Fault;
use crate::platform::{BlockedSignals, MemoryFolder};
use crate::secret::Secret;

/// Files in memory, by the name of the secret. They are removed on drop.
pub struct SecretFiles {
    paths: Vec<(String, Secret)>,
    _folder: MemoryFolder,
    // Must be dropped last.
    _blocked: BlockedSignals,
}

impl SecretFiles {
    /// Writes each value to a file of its own. `runtime` is the in-memory folder of the caller's
    /// session, if there is one; `random` makes the new folder's name unique.
    ///
    /// # Errors
    /// Fails if vault cannot write to any file system in memory.
    pub fn write(
        runtime: Option<OsString>,
        random: [u8; 8],
        values: &[(&str, &Secret)],
    ) -> Result<Self, Fault> {
        let places: Vec<PathBuf> = runtime
            .map(PathBuf::from)
            .into_iter()
            .chain(["/dev/shm", "/run"].map(PathBuf::from))
            .filter(|place| place.is_absolute())
            .collect();
        let names: Vec<&str> = values.iter().map(|(name, _)| *name).collect();
        let blocked = BlockedSignals::new();
        let folder = MemoryFolder::make(&places, random, &names).ok_or_else(|| {
            let message = format!(
                "vault.toml requires {} as a file, but no in-memory file system is available",
                names.join(", ")
            );
            Fault::incomplete(message)
                .hint("provide a tmpfs at /dev/shm, or set XDG_RUNTIME_DIR to one")
        })?;
        let mut paths = Vec::new();
        for (name, value) in values {
            let path = folder.add(name, value.expose()).map_err(|error| {
                Fault::incomplete(format!(
                    "could not write {name} to the in-memory file system"
                ))
                .because(error)
            })?;
            paths.push((
                (*name).to_owned(),
                Secret::new(path.into_os_string().into_vec()),
            ));
        }
        Ok(Self {
            paths,
            _folder: folder,
            _blocked: blocked,
        })
    }

    /// Returns the path of the secret's file, which becomes the value of its variable. Returns
    /// `None` if the secret is not a file.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<&Secret> {
        self.paths
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, path)| path)
    }
}
