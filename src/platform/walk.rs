//! The tree below a folder: kinds, sizes, and modes, without reading or following anything.

use std::collections::BTreeMap;
use std::io;

use rustix::fs::{AtFlags, FileType, Mode, RawMode};
use rustix::io::Errno;

use super::files::Dir;

/// An entry of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File {
        /// Its length in bytes.
        size: u64,
        /// Whether its owner may execute it.
        permission: Permission,
    },
    /// A symbolic link.
    Link,
    /// A FIFO, a socket, a device, or a folder that is nested too deep.
    Other,
}

/// Whether the owner of a file may execute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// The owner may not.
    Plain,
    /// The owner may.
    Executable,
}

/// Limit on the depth of nested folders.
const MAX_DEPTH: usize = 16;

impl Dir {
    /// Returns every path below this folder, except the folders themselves.
    ///
    /// # Errors
    /// Returns the operating system's error, or an error if there are more than `most` paths.
    pub fn walk(&self, most: usize) -> io::Result<BTreeMap<Vec<u8>, Node>> {
        let mut nodes = BTreeMap::new();
        self.add(&[], MAX_DEPTH, most, &mut nodes)?;
        Ok(nodes)
    }

    fn add(
        &self,
        prefix: &[u8],
        depth: usize,
        most: usize,
        nodes: &mut BTreeMap<Vec<u8>, Node>,
    ) -> io::Result<()> {
        for entry in rustix::fs::Dir::read_from(self.handle())? {
            let entry = entry?;
            let name = entry.file_name();
            if [&b"."[..], b".."].contains(&name.to_bytes()) {
                continue;
            }
            let found = match rustix::fs::statat(self.handle(), name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(found) => found,
                // A writer has just moved it to its final place.
                Err(Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            let path = [prefix, name.to_bytes()].concat();
            let node = match FileType::from_raw_mode(found.st_mode) {
                FileType::RegularFile => Node::File {
                    size: u64::try_from(found.st_size).unwrap_or_default(),
                    permission: permission(found.st_mode),
                },
                FileType::Symlink => Node::Link,
                FileType::Directory if depth > 0 => {
                    if let Some(folder) = self.folder(name)? {
                        folder.add(&[&path[..], b"/"].concat(), depth - 1, most, nodes)?;
                    }
                    continue;
                }
                _ => Node::Other,
            };
            nodes.insert(path, node);
            if nodes.len() > most {
                return Err(io::Error::other(format!(
                    "there are more than {most} files"
                )));
            }
        }
        Ok(())
    }
}

fn permission(mode: RawMode) -> Permission {
    if Mode::from_raw_mode(mode).contains(Mode::XUSR) {
        Permission::Executable
    } else {
        Permission::Plain
    }
}
