//! Files of the caller outside the vault: keys, state, and `vault.toml`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::files::{Dir, ReadError, user};

/// Opens the folder at `path`, creating it and its missing parents for the caller alone (0700). It
/// belongs to the caller, so it may be a symbolic link.
///
/// # Errors
/// Returns the operating system's error.
pub fn private_dir(path: &Path) -> io::Result<Dir> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    match Dir::open(&path.canonicalize()?) {
        Ok(Some(dir)) => Ok(dir),
        Ok(None) => Err(Errno::NOENT.into()),
        Err(ReadError::Io(error)) => Err(error),
        Err(ReadError::NotRegular | ReadError::TooLarge) => Err(Errno::NOTDIR.into()),
    }
}

/// Replaces the whole text file at `path` through a new file next to it. Permissions stay.
///
/// # Errors
/// Returns the operating system's error. The old content is kept.
pub fn replace_text(path: &Path, text: &str) -> io::Result<()> {
    let permissions = std::fs::metadata(path)?.permissions();
    let mut name = path.as_os_str().to_owned();
    // The process id in the name avoids a file that a killed process left.
    name.push(format!(".new-{}", std::process::id()));
    let new = Path::new(&name);
    // If the file exists, another program owns it, so it must not be removed.
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

/// Opens a regular file that contains a key. Refuses one that others can read or write, or that
/// belongs to a user other than the caller or root.
///
/// # Errors
/// Returns `PermissionDenied` with the reason, or the operating system's error.
pub fn private_file(path: &OsStr) -> io::Result<File> {
    let file = open_regular(Path::new(path))?;
    let found = rustix::fs::fstat(&file)?;
    if found.st_mode & 0o077 != 0 {
        return refuse("other users can access it");
    }
    if found.st_uid != user() && found.st_uid != 0 {
        return refuse("it belongs to another user");
    }
    Ok(file)
}

/// Opens a regular file. Does not wait for the other end of a pipe.
///
/// # Errors
/// Returns `PermissionDenied` if it is something else, or the operating system's error.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let handle = rustix::fs::openat(CWD, path.as_os_str().as_bytes(), flags, Mode::empty())?;
    let found = rustix::fs::fstat(&handle)?;
    if FileType::from_raw_mode(found.st_mode) != FileType::RegularFile {
        return refuse("not a regular file");
    }
    Ok(File::from(handle))
}

fn refuse(reason: &str) -> io::Result<File> {
    Err(io::Error::new(io::ErrorKind::PermissionDenied, reason))
}
