//! Files in memory, for programs that take a secret by the path of a file.
//!
//! They lie in a folder of their own (0700) on a file system that keeps nothing on a disk, and are
//! gone when the value is dropped. The folder is locked for as long as its owner lives, so that what
//! a killed one left behind is found and removed by the next.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FlockOperation, Mode, OFlags, fchmod, flock, fstat, fstatfs, mkdirat,
    openat, unlinkat,
};
use rustix::process::geteuid;

const PREFIX: &str = "vault-";
const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// A folder in memory with files in it.
pub struct MemoryFolder {
    parent: OwnedFd,
    name: String,
    handle: OwnedFd,
    path: PathBuf,
    files: Vec<String>,
}

impl MemoryFolder {
    /// Makes a folder, with `random` in its name, in the first of `places` that is in memory and
    /// lets us; nothing where none does.
    #[must_use]
    pub fn make(places: &[PathBuf], random: &str) -> Option<Self> {
        places.iter().find_map(|place| Self::make_in(place, random).ok())
    }

    fn make_in(place: &Path, random: &str) -> io::Result<Self> {
        let parent = openat(CWD, place, FOLDER, Mode::empty())?;
        if !is_memory(&parent)? {
            return Err(io::ErrorKind::Unsupported.into());
        }
        remove_leftovers(&parent);
        let name = format!("{PREFIX}{random}");
        mkdirat(&parent, &name, Mode::RWXU)?;
        let handle = openat(&parent, &name, FOLDER, Mode::empty())?;
        let path = place.join(&name);
        let folder = Self { parent, name, handle, path, files: Vec::new() };
        // Whatever the caller's umask took away.
        fchmod(&folder.handle, Mode::RWXU)?;
        // Somebody who cleans up between the last two steps and here holds the lock, or has removed
        // the folder; then the next place is tried.
        flock(&folder.handle, FlockOperation::NonBlockingLockExclusive)?;
        if fstat(&folder.handle)?.st_nlink == 0 {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(folder)
    }

    /// Writes a file that its owner can read and nobody can change; its path.
    ///
    /// # Errors
    /// The operating system's, such as when the memory is full.
    pub fn add(&mut self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.handle, name, flags, Mode::RUSR)?;
        self.files.push(name.to_owned());
        fchmod(&file, Mode::RUSR)?;
        std::fs::File::from(file).write_all(content)?;
        Ok(self.path.join(name))
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = unlinkat(&self.handle, file.as_str(), AtFlags::empty());
        }
        let _ = unlinkat(&self.parent, self.name.as_str(), AtFlags::REMOVEDIR);
    }
}

/// Whether what lies here is never written to a disk by the file system.
#[cfg(target_os = "linux")]
fn is_memory(folder: &OwnedFd) -> io::Result<bool> {
    // linux/magic.h
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    let kind = u64::try_from(fstatfs(folder)?.f_type).unwrap_or(0) & 0xffff_ffff;
    Ok(matches!(kind, TMPFS | RAMFS))
}

/// No other system says so of a file system.
#[cfg(not(target_os = "linux"))]
fn is_memory(_: &OwnedFd) -> io::Result<bool> {
    Ok(false)
}

/// Removes folders of ours whose owner is gone. What cannot be removed stays.
fn remove_leftovers(parent: &OwnedFd) {
    let Ok(entries) = Dir::read_from(parent) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        if name.to_bytes().starts_with(PREFIX.as_bytes()) {
            let _ = remove_leftover(parent, name);
        }
    }
}

fn remove_leftover(parent: &OwnedFd, name: &std::ffi::CStr) -> io::Result<()> {
    let folder = openat(parent, name, FOLDER, Mode::empty())?;
    if fstat(&folder)?.st_uid != geteuid().as_raw() {
        return Ok(());
    }
    flock(&folder, FlockOperation::NonBlockingLockExclusive)?;
    for entry in Dir::read_from(&folder)?.filter_map(Result::ok) {
        // The two that stand for folders are refused, as is any other folder.
        let _ = unlinkat(&folder, entry.file_name(), AtFlags::empty());
    }
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}
