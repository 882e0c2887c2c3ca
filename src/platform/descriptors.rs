//! Descriptors that the caller names by number or by path.
//!
//! Only descriptors that the caller opened are used. Vault opens all of its own with close-on-exec,
//! and an inherited descriptor cannot have that flag, so the flag distinguishes them.
#![expect(unsafe_code, reason = "a number becomes an owned descriptor")]

use std::fs::File;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, RawFd};
use std::path::{Path, PathBuf};

use rustix::io::{Errno, FdFlags};

/// Limit on the links followed in one path; the kernel's limit is the same.
const LINKS: usize = 40;

/// Takes over descriptor `number`, which the caller opened. It is closed when the file is dropped.
///
/// # Errors
/// Returns `EBADF` if the caller did not open it, or if it is one of the streams 0, 1, and 2.
pub fn inherited_file(number: RawFd) -> io::Result<File> {
    if number <= 2 || !is_inherited(number) {
        return Err(Errno::BADF.into());
    }
    // SAFETY: the descriptor is open and was inherited, so no other value owns it (the standard
    // library owns only 0, 1, and 2), and each number is taken over only once.
    Ok(unsafe { File::from_raw_fd(number) })
}

fn is_inherited(number: RawFd) -> bool {
    // SAFETY: the number is at least 0, and reading the flags of a closed descriptor returns EBADF.
    let flags = rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) });
    flags.is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
}

/// Opens the file at `path` for reading. A path that leads to a descriptor of this process
/// (`/dev/fd/5`) is followed only if the caller opened that descriptor.
///
/// # Errors
/// Returns `EBADF` for a descriptor that the caller did not open, or the operating system's error.
pub fn open_named(path: &Path) -> io::Result<File> {
    if own_descriptor(path).is_some_and(|number| !is_inherited(number)) {
        return Err(Errno::BADF.into());
    }
    File::open(path)
}

/// Returns the number of the descriptor of this process that `path` leads to: `/dev/stdin`,
/// `/dev/fd/5`, `/proc/self/fd/5`, or a link to one of them. Returns `None` for any other file.
#[must_use]
pub fn own_descriptor(path: &Path) -> Option<RawFd> {
    let mut path = PathBuf::from(path);
    for _ in 0..LINKS {
        let name = path.file_name()?;
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
        if is_own(&folder) {
            // The kernel accepts only its own spelling of the number, so another spelling leads
            // nowhere.
            return name.to_str()?.parse().ok().filter(|number| *number >= 0);
        }
        path = folder.join(std::fs::read_link(folder.join(name)).ok()?);
    }
    None
}

/// Returns whether `folder`, which has no links in it, lists the descriptors of this process.
fn is_own(folder: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{}", std::process::id()));
    let thread = |rest: &Path| rest.starts_with("task") && rest.components().count() == 3;
    let of_process = |rest: &Path| rest == Path::new("fd") || thread(rest) && rest.ends_with("fd");
    folder == Path::new("/dev/fd") || folder.strip_prefix(process).is_ok_and(of_process)
}
