//! This process: protected against inspection, and replaced by the command.
#![expect(
    unsafe_code,
    reason = "execve and signal dispositions need the C library"
)]

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::inherited;

/// Proof that the process is hardened. Holds the limit that a command must get back.
pub struct Hardened {
    core: Rlimit,
}

/// Keeps other processes of the same user from reading this one's memory, and keeps a crash from
/// writing it to disk. Must run before a second thread exists and before a key is read.
#[must_use]
pub fn harden() -> Hardened {
    // Both calls fail only on a kernel that forbids them. Nothing else can be done then, and the
    // process still has the usual protection of its user.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    let core = getrlimit(Resource::Core);
    // The hard limit stays, because otherwise the command could not get its limit back.
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: core.maximum,
        },
    );
    Hardened { core }
}

/// Replaces this process by the program at the path `program`. Returns only if that failed.
///
/// The command gets `arguments` (its own name first) and `environment` (`NAME=value`). Signals,
/// closed streams, and the core limit are as the caller had set them, and the kernel makes the new
/// program dumpable again.
#[must_use]
pub fn execute(
    program: &OsStr,
    arguments: &[OsString],
    environment: &[&CStr],
    hardened: &Hardened,
) -> io::Error {
    let Ok(path) = CString::new(program.as_bytes()) else {
        return contains_nul();
    };
    // Most folders of PATH do not have the program, and everything below is done for each of them.
    if let Err(error @ (Errno::NOENT | Errno::NOTDIR)) = access(path.as_c_str(), Access::EXISTS) {
        return error.into();
    }
    let arguments: Result<Vec<CString>, _> = arguments
        .iter()
        .map(|argument| CString::new(argument.clone().into_vec()))
        .collect();
    let Ok(arguments) = arguments else {
        return contains_nul();
    };
    let argv: Vec<_> = arguments
        .iter()
        .map(|argument| argument.as_ptr())
        .chain([ptr::null()])
        .collect();
    let envp: Vec<_> = environment
        .iter()
        .map(|variable| variable.as_ptr())
        .chain([ptr::null()])
        .collect();
    inherited::restore();
    let _ = setrlimit(Resource::Core, hardened.core);
    // SAFETY: both arrays end with a null pointer and point to NUL-terminated strings that live
    // until after the call.
    unsafe { libc::execve(path.as_ptr(), argv.as_ptr(), envp.as_ptr()) };
    let error = io::Error::last_os_error();
    let _ = setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: hardened.core.maximum,
        },
    );
    error
}

/// Returns whether an error number of [`execute`] means that the kernel does not know the file's
/// format.
#[must_use]
pub fn is_unknown_format(number: i32) -> bool {
    number == Errno::NOEXEC.raw_os_error()
}

/// Returns whether the caller's limit for the stack is less than a mebibyte.
#[must_use]
pub fn has_small_stack() -> bool {
    getrlimit(Resource::Stack)
        .current
        .is_some_and(|limit| limit < 1 << 20)
}

/// Returns whether the stack is mapped `depth` bytes below the caller's frame. The kernel maps it as it
/// grows, so what is not mapped was never used. If the system does not say, it may be.
#[must_use]
#[inline(never)]
pub fn has_stack_below(depth: usize) -> bool {
    // SAFETY: reads a constant of the system.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    let (here, page) = (0_u8, usize::try_from(page).unwrap_or(4096));
    let address = (&raw const here).addr().saturating_sub(depth) & !(page - 1);
    let mut resident = 0;
    // SAFETY: asks about one page by its number, which need not be mapped, and writes one byte.
    let status = unsafe {
        libc::mincore(
            ptr::without_provenance_mut(address),
            page,
            (&raw mut resident).cast(),
        )
    };
    status == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ENOMEM)
}

fn contains_nul() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "contains a NUL byte")
}

/// Turns a write past the file-size limit into an error instead of a fatal signal, while it lives.
pub struct FileSizeSignalIgnored {
    before: libc::sighandler_t,
}

impl FileSizeSignalIgnored {
    /// Ignores SIGXFSZ.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it changes the process, so it is never implied"
    )]
    pub fn new() -> Self {
        // SAFETY: ignoring a signal does not run any Rust code.
        let before = unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
        Self { before }
    }
}

impl Drop for FileSizeSignalIgnored {
    fn drop(&mut self) {
        if self.before != libc::SIG_ERR {
            // SAFETY: restores the earlier disposition, which is not a handler of this program.
            unsafe {
                // A blocked signal stays pending even if it is ignored. Setting it to be ignored
                // again discards it.
                libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
                libc::signal(libc::SIGXFSZ, self.before);
            }
        }
    }
}
