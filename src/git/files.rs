//! The files below a folder at a commit, with their kinds and contents.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::command::{Repository, failed};
use super::output::{self, Blob, Excess, Mode, read_blob};
use super::revision::Commit;
use crate::fault::Fault;

/// The most bytes that are read of one commit.
const ROOM: u64 = 1 << 30;

impl Repository {
    /// Lists the files below `folder` (relative to the folder given to [`Repository::open`]) at
    /// `commit`, by the path below it.
    ///
    /// # Errors
    /// If git fails.
    pub fn listing(&self, commit: &Commit, folder: &str) -> Result<BTreeMap<Vec<u8>, Blob>, Fault> {
        let prefix = format!("{folder}/");
        let listed = self.run(&["ls-tree", "-r", "-l", "-z", commit.id(), "--", &prefix])?;
        let below = |(path, blob): (Vec<u8>, Blob)| {
            Some((path.strip_prefix(prefix.as_bytes())?.to_vec(), blob))
        };
        Ok(output::blobs(&listed).filter_map(below).collect())
    }

    /// The content of the regular files in `listing`, of each at most one byte more than `limit`
    /// says for its path, so that a file that is too large shows. Links and submodules are left out.
    ///
    /// # Errors
    /// If git fails, or the files are too large together.
    pub fn files(
        &self,
        listing: &BTreeMap<Vec<u8>, Blob>,
        limit: impl Fn(&str) -> usize,
    ) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
        let regular = listing
            .iter()
            .filter(|(_, blob)| matches!(blob.mode, Mode::File | Mode::Executable))
            .map(|(path, blob)| (String::from_utf8_lossy(path).into_owned(), blob));
        let wanted: Vec<(String, &Blob)> = regular.collect();
        let read = |(path, blob): &(String, &Blob)| {
            blob.size.unwrap_or_default().min(limit(path) as u64 + 1)
        };
        if wanted.iter().map(read).sum::<u64>() > ROOM {
            let most = ROOM >> 20;
            return Err(failed(&format!(
                "the commit has more than {most} MiB in this folder"
            )));
        }
        let ids: Vec<&str> = wanted.iter().map(|(_, blob)| blob.id.as_str()).collect();
        let mut files = BTreeMap::new();
        self.read_blobs(&ids, &mut |at, output| {
            let path = &wanted[at].0;
            let content = read_blob(output, limit(path), Excess::Cut)?;
            files.insert(path.clone(), content.ok_or(io::ErrorKind::NotFound)?);
            Ok(())
        })?;
        Ok(files)
    }

    /// The file at `path`, relative and cut in the same way. Returns `None` if it does not exist or
    /// is a link.
    ///
    /// # Errors
    /// If git fails.
    pub fn file_at(
        &self,
        commit: &Commit,
        path: &str,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let listed = self.run(&["ls-tree", "-l", "-z", commit.id(), "--", path])?;
        Ok(self
            .files(&output::blobs(&listed).collect(), |_| limit)?
            .remove(path))
    }

    /// The ids that git would give the contents of the regular files `paths` below `folder`, as they
    /// are and without any filter.
    ///
    /// # Errors
    /// If git fails, or one of them cannot be read.
    pub fn ids_of(&self, folder: &Path, paths: &[&[u8]]) -> Result<Vec<String>, Fault> {
        use std::os::unix::ffi::OsStrExt;

        let folder = folder.canonicalize().map_err(|error| failed(&error))?;
        let mut input = String::new();
        for path in paths {
            let whole = folder.join(std::ffi::OsStr::from_bytes(path));
            input.push_str(&quoted(whole.as_os_str().as_bytes()));
            input.push('\n');
        }
        let options = ["hash-object", "--no-filters", "--stdin-paths"];
        let ids = self.run_with_input(&options, input.into_bytes())?;
        let ids: Vec<String> = String::from_utf8_lossy(&ids)
            .lines()
            .map(ToOwned::to_owned)
            .collect();
        if ids.len() == paths.len() {
            Ok(ids)
        } else {
            Err(failed(&"hash-object gave too little"))
        }
    }

    /// Whether the working tree here can say which files may be executed.
    #[must_use]
    pub fn knows_modes(&self) -> bool {
        let set = self.run(&["config", "--type=bool", "--get", "core.fileMode"]);
        !set.is_ok_and(|set| set.trim_ascii() == b"false")
    }
}

/// A path in quotes, as git reads them: nothing in it ends the line.
fn quoted(path: &[u8]) -> String {
    let mut quoted = "\"".to_owned();
    for &byte in path {
        if byte.is_ascii_graphic() && !b"\"\\".contains(&byte) || byte == b' ' {
            quoted.push(char::from(byte));
        } else {
            let digit = |shift: u8| char::from(b'0' + (byte >> shift & 7));
            quoted.extend(['\\', digit(6), digit(3), digit(0)]);
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_paths_stay_on_their_line() {
        assert_eq!(quoted(b"a b"), "\"a b\"");
        assert_eq!(quoted(b"a\n\"\\\xff"), "\"a\\012\\042\\134\\377\"");
    }
}
