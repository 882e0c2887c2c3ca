//! Files in memory, for programs that take a secret as the path of a file.
//!
//! They are in a folder of their own (0700), on a file system that stores nothing on a disk, next
//! to a marker that names them, and are removed on drop. The folder is locked while its owner
//! lives, so that the next vault can recognize the folder of a killed one.
//!
//! Only these are ever removed: regular files of this user that a marker names, the marker, and
//! then the folder if it is empty. A marker counts only in the folder that it was written for.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, Stat, fchmod, flock, fstat, mkdirat,
    openat, statat, unlinkat,
};
use rustix::process::geteuid;

use super::process::FileSizeSignalIgnored;

/// Prefix of a folder's name; 16 hexadecimal digits follow.
const PREFIX: &str = "repovault-";
/// The file that identifies the folder and names the files in it that may be removed.
const MARKER: &str = ".repovault";
/// Limit on the length of a marker, in bytes: more names than an environment can have.
const LONGEST_MARKER: u64 = 8 << 20;
const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
const NEW_FILE: OFlags = OFlags::WRONLY
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::CLOEXEC);

/// A folder in memory, with its files.
pub struct MemoryFolder {
    created: Arc<CreatedFolder>,
    path: PathBuf,
}

/// An existing folder and the names that vault may remove from it.
struct CreatedFolder {
    parent: OwnedFd,
    name: String,
    handle: OwnedFd,
    files: Vec<String>,
}

impl MemoryFolder {
    /// Creates a folder for files with these names in the first of `parents` that is in memory and
    /// writable. `random` becomes part of the folder's name. Returns `None` if no parent is
    /// suitable. Removes leftovers of killed vaults from all of them.
    #[must_use]
    pub fn make(parents: &[PathBuf], random: [u8; 8], files: &[&str]) -> Option<Self> {
        let opened = |path: &PathBuf| Some((path.clone(), open_parent(path).ok()?));
        let usable: Vec<(PathBuf, OwnedFd)> = parents.iter().filter_map(opened).collect();
        for (_, parent) in &usable {
            remove_leftovers(parent);
        }
        let name = format!("{PREFIX}{:016x}", u64::from_be_bytes(random));
        usable.into_iter().find_map(|(path, parent)| {
            let created = CreatedFolder::make(parent, name.clone(), files).ok()?;
            let folder = Self {
                created: Arc::new(created),
                path: path.join(&name),
            };
            folder.remove_at_panic();
            Some(folder)
        })
    }

    /// Writes a file that its owner can read and no one can change. Returns its path.
    ///
    /// # Errors
    /// Fails if `name` was not given to [`MemoryFolder::make`], or with the operating system's
    /// error, for example if the memory is full.
    pub fn add(&self, name: &str, content: &[u8]) -> io::Result<PathBuf> {
        if !self.created.files.iter().any(|own| own == name) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        self.created.write(name, content)?;
        Ok(self.path.join(name))
    }

    /// Removes the folder in a panic, because a panic that ends the process drops nothing.
    fn remove_at_panic(&self) {
        let created = Arc::downgrade(&self.created);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if let Some(created) = created.upgrade() {
                created.remove();
            }
            before(panic);
        }));
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        self.created.remove();
    }
}

impl CreatedFolder {
    fn make(parent: OwnedFd, name: String, files: &[&str]) -> io::Result<Self> {
        mkdirat(&parent, &name, Mode::RWXU)?;
        let handle = openat(&parent, &name, FOLDER, Mode::empty()).inspect_err(|_| {
            let _ = unlinkat(&parent, &name, AtFlags::REMOVEDIR);
        })?;
        let files = files.iter().map(|&name| name.to_owned()).collect();
        let created = Self {
            parent,
            name,
            handle,
            files,
        };
        created.mark().inspect_err(|_| created.remove())?;
        Ok(created)
    }

    /// Locks the folder and then writes the marker. In this order, an unlocked folder with a marker
    /// always belongs to a killed vault.
    fn mark(&self) -> io::Result<()> {
        // Undo the effect of the caller's umask.
        fchmod(&self.handle, Mode::RWXU)?;
        flock(&self.handle, FlockOperation::NonBlockingLockExclusive)?;
        let text = marker(&self.name, &fstat(&self.handle)?, &self.files);
        self.write(MARKER, text.as_bytes())
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let _signal = FileSizeSignalIgnored::new();
        let file = openat(&self.handle, name, NEW_FILE, Mode::RUSR)?;
        fchmod(&file, Mode::RUSR)?;
        File::from(file).write_all(content)
    }

    /// Removes the files, the marker, and the folder. A file of someone else stays, and so does the
    /// folder then.
    fn remove(&self) {
        for name in self.files.iter().map(String::as_str).chain([MARKER]) {
            let found = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW);
            // The owner is not checked, because the command may have given the file to another
            // user.
            if found.is_ok_and(|found| is_file(&found)) {
                let _ = unlinkat(&self.handle, name, AtFlags::empty());
            }
        }
        let _ = unlinkat(&self.parent, self.name.as_str(), AtFlags::REMOVEDIR);
    }
}

/// Opens a folder in which files can be kept: it is in memory, and only its owner, the caller, and
/// root can replace the folders in it.
fn open_parent(path: &Path) -> io::Result<OwnedFd> {
    let folder = openat(CWD, path, FOLDER, Mode::empty())?;
    let found = fstat(&folder)?;
    let is_shared = found.st_mode & 0o022 != 0 && found.st_mode & 0o1000 == 0;
    let is_trusted = [0, geteuid().as_raw()].contains(&found.st_uid);
    if is_shared || !is_trusted || !is_memory(&folder) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    Ok(folder)
}

/// Returns whether the file system never writes its files to a disk.
#[cfg(target_os = "linux")]
fn is_memory(folder: &OwnedFd) -> bool {
    // linux/magic.h
    const TMPFS: u64 = 0x0102_1994;
    const RAMFS: u64 = 0x8584_58f6;
    rustix::fs::fstatfs(folder).is_ok_and(|found| {
        let kind = u64::try_from(found.f_type).unwrap_or(0) & 0xffff_ffff;
        matches!(kind, TMPFS | RAMFS)
    })
}

/// Returns false: no other system guarantees this.
#[cfg(not(target_os = "linux"))]
fn is_memory(_: &OwnedFd) -> bool {
    false
}

/// Returns the text of a folder's marker.
fn marker(name: &str, folder: &Stat, files: &[String]) -> String {
    let (device, number) = (folder.st_dev, folder.st_ino);
    let first = format!("repovault exec 1\n{name} {device} {number}");
    let lines: Vec<&str> = [first.as_str()]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    format!("{}\nend\n", lines.join("\n"))
}

/// Returns the files that the marker names, if it is complete and belongs to this folder.
fn named_files(marker_text: &str, name: &str, folder: &Stat) -> Option<Vec<String>> {
    let lines: Vec<String> = marker_text.lines().skip(2).map(str::to_owned).collect();
    let (_, files) = lines.split_last()?;
    let are_names = files.iter().all(|file| {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !file.is_empty() && file.bytes().all(is_legal)
    });
    (are_names && marker(name, folder, files) == marker_text).then(|| files.to_vec())
}

/// Removes the folders that killed vaults left in `parent`.
fn remove_leftovers(parent: &OwnedFd) {
    let Ok(entries) = Dir::read_from(parent) else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        if let Some(name) = folder_name(entry.file_name())
            && let Some(left) = leftover(parent, name)
        {
            left.remove();
        }
    }
}

fn folder_name(name: &CStr) -> Option<&str> {
    let name = name.to_str().ok()?;
    let digits = name.strip_prefix(PREFIX)?;
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (digits.len() == 16 && digits.bytes().all(is_digit)).then_some(name)
}

/// Returns the folder `name`, locked, if it was made by a vault of this user that no longer runs.
fn leftover(parent: &OwnedFd, name: &str) -> Option<CreatedFolder> {
    let handle = openat(parent, name, FOLDER, Mode::empty()).ok()?;
    let folder = fstat(&handle).ok()?;
    if !is_own(&folder) || folder.st_mode & 0o7777 != 0o700 {
        return None;
    }
    let files = named_files(&read_marker(&handle)?, name, &folder)?;
    flock(&handle, FlockOperation::NonBlockingLockExclusive).ok()?;
    let parent = parent.as_fd().try_clone_to_owned().ok()?;
    Some(CreatedFolder {
        parent,
        name: name.to_owned(),
        handle,
        files,
    })
}

fn read_marker(folder: &OwnedFd) -> Option<String> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(folder, MARKER, flags, Mode::empty()).ok()?;
    let found = fstat(&file).ok()?;
    if !is_own(&found) || !is_file(&found) || found.st_nlink != 1 {
        return None;
    }
    let mut text = String::new();
    File::from(file)
        .take(LONGEST_MARKER)
        .read_to_string(&mut text)
        .ok()?;
    Some(text)
}

fn is_file(found: &Stat) -> bool {
    FileType::from_raw_mode(found.st_mode) == FileType::RegularFile
}

fn is_own(found: &Stat) -> bool {
    found.st_uid == geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker_counts_only_complete_and_in_its_folder() {
        let folder = fstat(File::open("/").unwrap()).unwrap();
        let other = fstat(File::open("/proc").unwrap()).unwrap();
        let files = ["A".to_owned(), "_b2".to_owned()];
        let text = marker("repovault-x", &folder, &files);
        assert_eq!(named_files(&text, "repovault-x", &folder).unwrap(), files);
        assert!(named_files(&text, "repovault-y", &folder).is_none());
        assert!(named_files(&text, "repovault-x", &other).is_none());
        for length in 0..text.len() {
            assert!(
                named_files(&text[..length], "repovault-x", &folder).is_none(),
                "{length}"
            );
        }
        for name in ["..", ".", "", "a/b", "/a", "a b", ".repovault", "ä"] {
            let text = marker("repovault-x", &folder, &[name.to_owned()]);
            assert!(
                named_files(&text, "repovault-x", &folder).is_none(),
                "{name}"
            );
        }
    }

    #[test]
    fn panic_removes_the_files() {
        let path = PathBuf::from("/dev/shm");
        let random = u64::from(std::process::id()).to_be_bytes();
        let Some(folder) = MemoryFolder::make(&[path], random, &["A"]) else {
            return;
        };
        let path = folder.add("A", b"value").unwrap();
        let panics = std::thread::spawn(|| panic!("as if something were wrong"));
        assert!(panics.join().is_err());
        assert!(!path.exists() && !path.parent().unwrap().exists());
        drop(folder);
    }
}
