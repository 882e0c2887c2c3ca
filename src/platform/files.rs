//! Files below a folder that is held open, so that neither a symbolic link nor a renamed parent can
//! redirect a read or a write.
//!
//! Names given to a [`Dir`] are single path components. These functions never follow a symbolic
//! link, open anything but regular files, or wait for a FIFO.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{Access, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// Why a file could not be used.
#[derive(Debug)]
pub enum ReadError {
    /// It is not a regular file but a symbolic link, a folder, a FIFO, or something else.
    NotRegular,
    /// It is larger than the limit.
    TooLarge,
    /// The operating system's error.
    Io(io::Error),
}

/// A folder that is held open.
pub struct Dir {
    handle: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens the folder at `path`. Returns `None` if it does not exist.
    ///
    /// # Errors
    /// Returns [`ReadError::NotRegular`] if the last component is not a folder; a symbolic link is
    /// not.
    pub fn open(path: &Path) -> Result<Option<Self>, ReadError> {
        Self::open_at(
            rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()),
            path.to_owned(),
        )
    }

    /// Opens the folder `name` in this one. Returns `None` if it does not exist.
    ///
    /// # Errors
    /// Fails for the same reasons as [`Dir::open`].
    pub fn dir(&self, name: &str) -> Result<Option<Self>, ReadError> {
        let opened = rustix::fs::openat(&self.handle, name, DIRECTORY, Mode::empty());
        Self::open_at(opened, self.path.join(name))
    }

    fn open_at(opened: Result<OwnedFd, Errno>, path: PathBuf) -> Result<Option<Self>, ReadError> {
        match opened {
            Ok(handle) => Ok(Some(Self { handle, path })),
            Err(Errno::NOENT) => Ok(None),
            Err(Errno::LOOP | Errno::NOTDIR) => Err(ReadError::NotRegular),
            Err(error) => Err(ReadError::Io(error.into())),
        }
    }

    /// Returns the open folder itself.
    pub(super) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// Opens the folder `name`, which need not be UTF-8. Returns `None` if it is gone or not a
    /// folder.
    pub(super) fn folder(&self, name: &std::ffi::CStr) -> io::Result<Option<Self>> {
        let opened = rustix::fs::openat(&self.handle, name, DIRECTORY, Mode::empty());
        match opened {
            Ok(handle) => Ok(Some(Self {
                handle,
                path: self.path.clone(),
            })),
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the path it was opened at, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the whole regular file `name`. Returns `None` if it does not exist.
    ///
    /// # Errors
    /// Fails if it is not a regular file, is larger than `limit` bytes, or cannot be read.
    pub fn read(&self, name: &str, limit: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let handle = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => handle,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP | Errno::NXIO | Errno::NODEV) => return Err(ReadError::NotRegular),
            Err(error) => return Err(ReadError::Io(error.into())),
        };
        let found = rustix::fs::fstat(&handle).map_err(|error| ReadError::Io(error.into()))?;
        if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
            return Err(ReadError::NotRegular);
        }
        let size = usize::try_from(found.st_size).unwrap_or(usize::MAX);
        if size > limit {
            return Err(ReadError::TooLarge);
        }
        let mut bytes = Vec::with_capacity(size + 1);
        while bytes.len() <= limit {
            bytes.reserve(1);
            let read = || rustix::io::read(&handle, spare_capacity(&mut bytes));
            let count = retry_on_intr(read).map_err(|error| ReadError::Io(error.into()))?;
            // If the reported size was right, the end needs no further read.
            if count == 0 || bytes.len() == size {
                return Ok(Some(bytes));
            }
        }
        Err(ReadError::TooLarge)
    }

    /// Returns whether an entry `name` of any kind exists. Links are not followed.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the size of the file `name` in bytes, or `None` if it does not exist. Links are not
    /// followed.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn size(&self, name: &str) -> io::Result<Option<u64>> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(u64::try_from(found.st_size).ok()),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the names in this folder, unordered, without `.` and `..`. A name that is not UTF-8
    /// contains replacement characters, which the names of vault's files never do.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(String::from_utf8_lossy(name).into_owned());
            }
        }
        Ok(names)
    }

    /// Opens the folder `name`, creating it first if it is missing.
    ///
    /// # Errors
    /// Fails for the same reasons as [`Dir::open`], and if the folder cannot be created.
    pub fn make_dir(&self, name: &str) -> Result<Self, ReadError> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(ReadError::Io(error.into())),
        }
        self.dir(name)?
            .ok_or_else(|| ReadError::Io(Errno::NOENT.into()))
    }

    /// Creates the file `name` with the content `bytes`. No entry of that name may exist. If
    /// writing fails, the file is removed again.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn create(&self, name: &str, bytes: &[u8], access: FileAccess) -> io::Result<File> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(match access {
            FileAccess::Shared => 0o666,
            FileAccess::Private => 0o600,
        });
        let mut file = File::from(rustix::fs::openat(&self.handle, name, flags, mode)?);
        if let Err(error) = file.write_all(bytes) {
            let _ = self.remove(name);
            return Err(error);
        }
        Ok(file)
    }

    /// Checks that files can be created in and removed from this folder.
    ///
    /// # Errors
    /// Returns the operating system's error if they cannot.
    pub fn check_writable(&self) -> io::Result<()> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        Ok(rustix::fs::accessat(
            &self.handle,
            ".",
            access,
            AtFlags::empty(),
        )?)
    }

    /// Moves the file `name` to `new_name` in `target`, replacing an existing file.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn rename(&self, name: &str, target: &Self, new_name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(
            &self.handle,
            name,
            &target.handle,
            new_name,
        )?)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }

    /// Removes the empty folder `name`.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn remove_dir(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            &self.handle,
            name,
            AtFlags::REMOVEDIR,
        )?)
    }

    /// Makes the names in this folder durable.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.handle)?)
    }

    /// Takes the writer's lock on this folder. Returns `None` if another process holds it.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn try_lock(&self) -> io::Result<Option<Lock>> {
        let handle = rustix::fs::openat(&self.handle, ".", DIRECTORY, Mode::empty())?;
        match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _handle: handle })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Files that were written and are not durable yet. Only a few are held open at a time, because the
/// limit for a process can be as low as 256.
#[derive(Default)]
pub struct Unsynced {
    files: Vec<File>,
    is_whole_system: bool,
}

impl Unsynced {
    /// Number of files up to which one sync per file is cheaper than one for the whole file system.
    const FEW: usize = 8;

    /// Adds a file.
    ///
    /// # Errors
    /// Returns the operating system's error if files had to be synced right away.
    pub fn add(&mut self, file: File) -> io::Result<()> {
        self.files.push(file);
        if self.files.len() <= Self::FEW {
            return Ok(());
        }
        if cfg!(target_os = "linux") {
            self.is_whole_system = true;
            self.files.clear();
            return Ok(());
        }
        self.files.drain(..).try_for_each(|file| file.sync_all())
    }

    /// Makes all of them durable. They must be on the file system of `folder`.
    ///
    /// # Errors
    /// Returns the operating system's error.
    pub fn sync(self, folder: &Dir) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.is_whole_system {
            return Ok(rustix::fs::syncfs(&folder.handle)?);
        }
        let _ = folder;
        self.files.iter().try_for_each(File::sync_all)
    }
}

/// The readers of a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAccess {
    /// Everyone the caller's umask allows, as for any file in the repository.
    Shared,
    /// Only the owner (0600).
    Private,
}

/// The writer's lock on a folder. It is released on drop, and by the kernel if the holder dies.
pub struct Lock {
    _handle: OwnedFd,
}

/// Returns the effective user id.
#[must_use]
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Returns the device number of `path` and the user id of its owner. Links are not followed.
///
/// # Errors
/// Returns the operating system's error.
pub fn device_and_owner(path: &Path) -> io::Result<(u64, u32)> {
    let found = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    #[cfg_attr(
        target_os = "linux",
        expect(clippy::useless_conversion, reason = "signed on macOS")
    )]
    Ok((
        u64::try_from(found.st_dev).unwrap_or_default(),
        found.st_uid,
    ))
}
