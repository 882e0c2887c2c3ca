//! A key in a file or behind a descriptor that the caller named.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::RawFd;

use super::{LONGEST, credential};
use crate::fault::Fault;
use crate::platform;
use crate::secret::Secret;

pub(super) fn read(path: &OsStr) -> Result<Secret, Fault> {
    if is_key(path) {
        // Never quoted: it would end in a log.
        return Err(Fault::usage("a key file is named by its path; this is a key itself")
            .hint("a key itself goes into the variable VAULT_KEY, never into an argument"));
    }
    let descriptor = descriptor(&path.to_string_lossy());
    if let Some(number) = descriptor.filter(|number| *number > 2) {
        // As `<(COMMAND)` of a shell names it: the command that follows must not find it open.
        return read_descriptor(number);
    }
    let text = if path == "-" || descriptor == Some(0) {
        // The key never reaches the command, which would find it there again.
        all(&mut platform::Input).and_then(|text| platform::discard_input().map(|()| text))
    } else {
        File::open(path).and_then(|mut file| all(&mut file))
    };
    text.map_err(|error| {
        Fault::locked(format!("could not read the key file {}: {error}", path.display()))
    })
}

/// The number of a descriptor of ours that a path stands for.
fn descriptor(path: &str) -> Option<RawFd> {
    let number = path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"));
    number.or((path == "/dev/stdin").then_some("0"))?.parse().ok()
}

/// Whether a key stands where its path should.
pub(super) fn is_key(path: &OsStr) -> bool {
    let start = path.to_string_lossy();
    start.starts_with(credential::PREFIX) || start.starts_with("AGE-SECRET-KEY-")
}

pub(super) fn read_descriptor(number: RawFd) -> Result<Secret, Fault> {
    let text = platform::file_from_descriptor(number).and_then(|mut file| all(&mut file));
    text.map_err(|error| {
        Fault::locked(format!("could not read the key from descriptor {number}: {error}"))
            .hint(format!("open it for the command: vault --key-fd {number} … {number}<key.txt"))
    })
}

fn all(source: &mut dyn Read) -> io::Result<Secret> {
    Secret::read(source, LONGEST)
}
