//! A key in a file or a descriptor that the caller named.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::RawFd;
use std::path::Path;

use super::exposure::{Exposure, Text};
use super::{LONGEST, is_key, misplaced};
use crate::fault::Fault;
use crate::platform;
use crate::secret::Secret;

/// `place` is the option or variable that names the file.
pub(super) fn read_key_file(path: &OsStr, place: &str) -> Result<Text, Fault> {
    if is_key(&path.to_string_lossy()) {
        return Err(misplaced(place, "a path"));
    }
    // As `<(COMMAND)` of a shell names it: the command that follows must not find it open.
    let descriptor = platform::own_descriptor(Path::new(path)).filter(|number| *number > 0);
    if let Some(number) = descriptor {
        return read_descriptor(number);
    }
    let text = if is_input(path) {
        input()
    } else {
        platform::open_named(Path::new(path)).and_then(|mut file| {
            let exposure = Exposure::of_path(&file, Path::new(path));
            Ok(Text {
                key: all(&mut file)?,
                exposure,
            })
        })
    };
    text.map_err(|error| {
        Fault::locked(format!("could not read the key file {}", path.display())).because(error)
    })
}

/// Whether this path means standard input.
pub(super) fn is_input(path: &OsStr) -> bool {
    path == "-" || platform::own_descriptor(Path::new(path)) == Some(0)
}

/// Reads standard input. The key never reaches the command, which would find it there again.
fn input() -> io::Result<Text> {
    let exposure = Exposure::of_input();
    let key = all(&mut platform::Input)?;
    platform::discard_input().map(|()| Text { key, exposure })
}

/// Reads a descriptor that the caller opened, and closes it, so that the command does not find it.
pub(super) fn read_descriptor(number: RawFd) -> Result<Text, Fault> {
    if number == 1 || number == 2 {
        let message = format!("descriptor {number} is for output, so it cannot hold the key");
        return Err(Fault::usage(message).hint("`vault --key-fd 3 … 3<key.txt`"));
    }
    let text = if number == 0 && platform::is_input_open() {
        input()
    } else {
        let mut file = platform::inherited_file(number).map_err(|_| {
            Fault::usage(format!("descriptor {number} is not open")).hint(format!(
                "open it for the command: `vault --key-fd {number} … {number}<key.txt`"
            ))
        })?;
        let exposure = Exposure::of_file(&file);
        all(&mut file).map(|key| Text { key, exposure })
    };
    text.map_err(|error| {
        Fault::locked(format!("could not read the key from descriptor {number}")).because(error)
    })
}

fn all(source: &mut dyn Read) -> io::Result<Secret> {
    Secret::read(source, LONGEST)
}
