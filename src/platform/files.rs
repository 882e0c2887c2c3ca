//! Files below a folder that is held open, so that no symbolic link and no renamed parent can
//! lead a read or a write elsewhere.
//!
//! Names given to a [`Dir`] are single path components. Nothing here follows a symbolic link,
//! opens anything but regular files, or waits for a FIFO.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use rustix::buffer::spare_capacity;
use rustix::fs::{Access, AtFlags, CWD, FileType, FlockOperation, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

/// Why a file could not be used.
#[derive(Debug)]
pub enum ReadError {
    /// It is a symbolic link, a folder, a FIFO or another thing that is no regular file.
    NotRegular,
    /// It has more bytes than the limit given.
    TooLarge,
    /// The operating system's reason.
    Io(io::Error),
}

/// A folder that is held open.
pub struct Dir {
    handle: OwnedFd,
    path: PathBuf,
}

impl Dir {
    /// Opens the folder at `path`; nothing when there is none.
    ///
    /// # Errors
    /// [`ReadError::NotRegular`] when the last component is no folder (a symbolic link is none).
    pub fn open(path: &Path) -> Result<Option<Self>, ReadError> {
        Self::open_at(rustix::fs::openat(CWD, path, DIRECTORY, Mode::empty()), path.to_owned())
    }

    /// Opens the folder `name` in this one; nothing when there is none.
    ///
    /// # Errors
    /// As [`Dir::open`].
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

    /// The open folder itself.
    pub(super) fn handle(&self) -> &OwnedFd {
        &self.handle
    }

    /// Opens the folder `name`, whatever its bytes; nothing when it is gone or no folder any more.
    pub(super) fn folder(&self, name: &std::ffi::CStr) -> io::Result<Option<Self>> {
        let opened = rustix::fs::openat(&self.handle, name, DIRECTORY, Mode::empty());
        match opened {
            Ok(handle) => Ok(Some(Self { handle, path: self.path.clone() })),
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Where it was opened, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the regular file `name` whole; nothing when there is none.
    ///
    /// # Errors
    /// When it is no regular file, has more than `limit` bytes, or cannot be read.
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
            // Where the size was told right, its end needs no second look.
            if count == 0 || bytes.len() == size {
                return Ok(Some(bytes));
            }
        }
        Err(ReadError::TooLarge)
    }

    /// Whether anything is called `name`, of any kind; links are not followed.
    ///
    /// # Errors
    /// The operating system's.
    pub fn has(&self, name: &str) -> io::Result<bool> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// How many bytes the file `name` has; nothing when there is none. Links are not followed.
    ///
    /// # Errors
    /// The operating system's.
    pub fn size(&self, name: &str) -> io::Result<Option<u64>> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(u64::try_from(found.st_size).ok()),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The names in this folder without `.` and `..`, in no order. A name that is not UTF-8 is
    /// shown with replacement characters, which no file of ours has.
    ///
    /// # Errors
    /// The operating system's.
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

    /// Opens the folder `name`, making it first where it is missing.
    ///
    /// # Errors
    /// As [`Dir::open`], and where it cannot be made.
    pub fn make_dir(&self, name: &str) -> Result<Self, ReadError> {
        match rustix::fs::mkdirat(&self.handle, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(ReadError::Io(error.into())),
        }
        self.dir(name)?.ok_or_else(|| ReadError::Io(Errno::NOENT.into()))
    }

    /// Makes the file `name`, which must not exist in any form, with `bytes` in it. What was made
    /// is removed again when writing fails. `private` files can be read by their owner only.
    ///
    /// # Errors
    /// The operating system's.
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

    /// Whether files can be made in and removed from this folder.
    ///
    /// # Errors
    /// The operating system's, when they cannot.
    pub fn check_writable(&self) -> io::Result<()> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        Ok(rustix::fs::accessat(&self.handle, ".", access, AtFlags::empty())?)
    }

    /// Moves the file `name` to `new_name` in `target`, replacing what is there.
    ///
    /// # Errors
    /// The operating system's.
    pub fn rename(&self, name: &str, target: &Self, new_name: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.handle, name, &target.handle, new_name)?)
    }

    /// Removes the file `name`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::empty())?)
    }

    /// Removes the empty folder `name`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn remove_dir(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.handle, name, AtFlags::REMOVEDIR)?)
    }

    /// Makes the names in this folder durable.
    ///
    /// # Errors
    /// The operating system's.
    pub fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.handle)?)
    }

    /// Takes the writer's lock on this folder; nothing when somebody else holds it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn try_lock(&self) -> io::Result<Option<Lock>> {
        let handle = rustix::fs::openat(&self.handle, ".", DIRECTORY, Mode::empty())?;
        match rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Lock { _handle: handle })),
            Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Files that were written and are not durable yet. Few are held open at a time, however many
/// there are: a process may have as few as 256.
#[derive(Default)]
pub struct Unsynced {
    files: Vec<File>,
    is_whole_system: bool,
}

impl Unsynced {
    /// How many are worth one sync each; above that, one for the whole file system is cheaper.
    const FEW: usize = 8;

    /// Adds one.
    ///
    /// # Errors
    /// The operating system's, where some are made durable right now.
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

    /// Makes all of them durable; they are on the file system of `folder`.
    ///
    /// # Errors
    /// The operating system's.
    pub fn sync(self, folder: &Dir) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        if self.is_whole_system {
            return Ok(rustix::fs::syncfs(&folder.handle)?);
        }
        let _ = folder;
        self.files.iter().try_for_each(File::sync_all)
    }
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileAccess {
    /// Whoever the caller's umask allows, as for any file of the repository.
    Shared,
    /// The owner alone (0600).
    Private,
}

/// The writer's lock on a folder; let go when dropped, and by the kernel when the holder dies.
pub struct Lock {
    _handle: OwnedFd,
}

/// The effective user's number.
#[must_use]
pub fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The device number of `path` and its owner; links are not followed.
///
/// # Errors
/// The operating system's.
pub fn device_and_owner(path: &Path) -> io::Result<(u64, u32)> {
    let found = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    #[cfg_attr(target_os = "linux", expect(clippy::useless_conversion, reason = "signed on macOS"))]
    Ok((u64::try_from(found.st_dev).unwrap_or_default(), found.st_uid))
}

/// Opens the folder at `path`, making it and what is missing above it for the caller alone (0700).
/// It is the caller's own, so it may be a symbolic link.
///
/// # Errors
/// The operating system's.
pub fn private_dir(path: &Path) -> io::Result<Dir> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    match Dir::open(&path.canonicalize()?) {
        Ok(Some(dir)) => Ok(dir),
        Ok(None) => Err(Errno::NOENT.into()),
        Err(ReadError::Io(error)) => Err(error),
        Err(ReadError::NotRegular | ReadError::TooLarge) => Err(Errno::NOTDIR.into()),
    }
}

/// Replaces the text file at `path` whole, through a new file beside it; permissions stay.
///
/// # Errors
/// The operating system's; the old content is there then.
pub fn replace_text(path: &Path, text: &str) -> io::Result<()> {
    let permissions = std::fs::metadata(path)?.permissions();
    let mut name = path.as_os_str().to_owned();
    // What a killed process left behind is in no one's way.
    name.push(format!(".new-{}", std::process::id()));
    let new = Path::new(&name);
    // Not removed if it is there: then it is not ours.
    let mut file = File::create_new(new)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.set_permissions(permissions))
        .and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| std::fs::rename(new, path));
    replaced.inspect_err(|_| {
        let _ = std::fs::remove_file(new);
    })
}

/// Opens a regular file that holds a key, refusing one that others can read or write or that
/// belongs to somebody else than the caller or root.
///
/// # Errors
/// `PermissionDenied` with the reason, or the operating system's.
pub fn private_file(path: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(CWD, path.as_bytes(), flags, Mode::empty())?;
    let found = rustix::fs::fstat(&handle)?;
    let refuse = |reason: &str| Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return refuse("not a regular file");
    }
    if found.st_mode & 0o077 != 0 {
        return refuse("others can read it");
    }
    if found.st_uid != user() && found.st_uid != 0 {
        return refuse("it belongs to another user");
    }
    Ok(File::from(handle))
}
