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
    let text = if path == "-" {
        // The key never reaches the command, which would find it there again.
        all(&mut platform::Input).and_then(|text| platform::discard_input().map(|()| text))
    } else {
        File::open(path).and_then(|mut file| all(&mut file))
    };
    text.map_err(|error| {
        Fault::locked(format!("could not read the key file {}: {error}", path.display()))
    })
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
